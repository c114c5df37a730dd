/** What specs of `recvmmsg trace` need from the system: its tracing, a compiler, strace(1). */

import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasMachineNumbers } from '../../cli/trace/threads'
import { findTracefs } from '../../cli/trace/tracefs'

const ROOT = '/sys/kernel/tracing'

/** What there is below the tracefs, which nobody may have mounted. */
function list(path: string): string[] {
  const mounted = findTracefs()
  if (mounted !== null) return readdirSync(join(mounted, path))
  return inTracefs('ls', `${ROOT}/${path}`).split('\n').filter(Boolean)
}

/** Runs a command where tracefs is mounted, and prints what that prints. */
function inTracefs(...command: string[]): string {
  const script = `mount -t tracefs tracefs ${ROOT} && exec "$@"`
  return execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** The instances of tracing that there are. */
export function instances(): string[] {
  return list('instances')
}

/** What a file of an instance holds. */
export function readInstance(name: string, file: string): string {
  const mounted = findTracefs()
  if (mounted !== null) return readFileSync(join(mounted, 'instances', name, file), 'utf8')
  return inTracefs('cat', `${ROOT}/instances/${name}/${file}`)
}

/** Makes, or removes, an instance as if by somebody else. */
export function changeInstance(command: 'mkdir' | 'rmdir', name: string): void {
  const mounted = findTracefs()
  if (mounted !== null) execFileSync(command, [join(mounted, 'instances', name)])
  else inTracefs(command, `${ROOT}/instances/${name}`)
}

/** Why nothing can be traced here, as for a title; '' where it can. */
export const noTracing = lack()

function lack(): string {
  if (process.platform !== 'linux') return ' [skipped: no Linux]'
  if (process.geteuid?.() !== 0) return ' [skipped: not root]'
  if (!hasMachineNumbers()) return " [skipped: a container, which does not know the machine's processes]"
  try {
    return list('events').includes('syscalls') ? '' : ' [skipped: a kernel without events of system calls]'
  } catch {
    return ' [skipped: no tracefs, and none to be mounted]'
  }
}

/** The C compiler; `null` where there is none. */
export const compiler =
  ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) ??
  null

/** Whether strace(1) is there, and may trace. */
export const hasStrace =
  process.platform === 'linux' &&
  spawnSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0

/** A call as strace wrote it. */
export interface Straced {
  threadId: number
  name: string
  sockfd: number
  vlen: number
  flags: string
  /** The value, or the error's name. */
  result: number | string
}

const STRACED =
  /^(\d+) +(recvmmsg|sendmmsg)\((-?\d+), .*?(\d+), ([A-Z_|]+|0)(?:, (?:NULL|0x[0-9a-f]+|\{[^{}]*\}))?\) += (-?\d+)(?: (E\w+))?/

/** The calls in what `strace -f -o` wrote, of a program whose threads do not wait in them. */
export function straced(output: string): Straced[] {
  return output
    .split('\n')
    .filter((line) => /\b(recv|send)mmsg\b/.test(line))
    .map((line) => {
      const match = STRACED.exec(line)
      if (match === null) throw new Error(`strace wrote: ${line}`)
      const [, threadId, name, sockfd, vlen, flags, value, error] = match
      return {
        threadId: Number(threadId),
        name: name!,
        sockfd: Number(sockfd),
        vlen: Number(vlen),
        flags: flags!,
        result: error ?? Number(value),
      }
    })
}
