/** Runs `main.js`, which runs programs, in a process of its own. */

import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What it has done and found. */
export interface Outcome {
  seed: number
  operations: number
  programs: number
  /** Places that bad arguments were in, and all that there are. */
  places: [number, number]
  /** Of the programs. */
  digest: string
  /** A program and the difference it makes, for people. */
  found: string | null
}

/**
 * Datagrams come in the order they were sent in where one CPU sends them all: another may have put off what it was given,
 * and then what is sent later comes first (ksoftirqd).
 */
const onOneCpu = pinning()

function pinning(): string[] {
  if (process.platform !== 'linux') return []
  const allowed = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))
  const command = ['taskset', '-c', allowed?.[1] ?? '0']
  return spawnSync(command[0]!, [...command.slice(1), 'true']).status === 0 ? command : []
}

/** Fails with the seed and the program that it was at, if it ends before it has printed what it has done. */
export function differ(seed: number, options: Record<string, string | number | boolean>): Promise<Outcome> {
  const given = Object.entries<string | number | boolean>({ seed, ...options }).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  )
  const argv = ['--no-deprecation', join(__dirname, 'main.js'), '--trace', ...given]
  const [program, ...args] = [...onOneCpu, process.execPath, ...argv]
  return new Promise((resolve, reject) => {
    execFile(program!, args, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? ''
      if (last.startsWith('{')) resolve(JSON.parse(last))
      else reject(new Error(`seed ${seed}, program ${last}: ${error?.signal ?? error?.code}\n${stderr}`))
    })
  })
}
