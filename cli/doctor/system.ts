/** Where the doctor reads: files of the kernel and programs that tell. What cannot be read is `null`. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Runs a program; what it printed, or `null`. */
export type Run = (program: string, args: string[]) => string | null

/** "eth2" before "eth10". */
const { compare } = new Intl.Collator('en', { numeric: true })

/** No program that is asked here takes long, unless it hangs. */
const PATIENCE_MS = 2000

export class System {
  readonly #root: string
  readonly run: Run

  /** `root`: what stands for `/`, where proc and sys are. */
  constructor(root = '/', run: Run = runProgram) {
    this.#root = root
    this.run = run
  }

  text(path: string): string | null {
    return orNull(() => readFileSync(join(this.#root, path), 'utf8'))
  }

  /** A file that holds one whole number. */
  integer(path: string): number | null {
    const text = this.text(path)?.trim()
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : null
  }

  /** Names in a folder, in order; none where it cannot be read. */
  list(path: string): string[] {
    return orNull(() => readdirSync(join(this.#root, path)).sort(compare)) ?? []
  }

  link(path: string): string | null {
    return orNull(() => readlinkSync(join(this.#root, path)))
  }
}

function runProgram(program: string, args: string[]): string | null {
  // Beside what an administrator's shell knows, for who has not that PATH.
  const env = { ...process.env, LC_ALL: 'C', PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` }
  return orNull(() =>
    execFileSync(program, args, {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: PATIENCE_MS,
    }),
  )
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
