/** Where the kernel's tracing is, or why it is not to be had. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, reason } from '../problem'

/** Where it is mounted by convention, Documentation/trace/ftrace.rst: now, and in older systems. */
const PLACES = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']

/** Where it is to be mounted. The kernel makes this directory where it has tracefs. */
export const MOUNT_POINT = PLACES[0]!

/** The first of `places` where tracefs is mounted; `null` where it is not. */
export function findTracefs(places: readonly string[] = PLACES): string | null {
  return places.find((place) => existsSync(join(place, 'instances'))) ?? null
}

/** Throws unless this process may trace, as far as that is known beforehand. */
export function checkAllowed(platform: string = process.platform, uid = process.geteuid?.()): void {
  if (platform !== 'linux') throw new Failure('trace needs Linux: it reads the events of its kernel')
  if (uid !== 0) throw new Failure('trace needs root, as it sees all processes: run it with sudo')
}

/** Which of the system calls `names` have events in the tracefs at `root`. Throws where none has. */
export function tracedCalls(root: string, names: readonly string[]): string[] {
  const found = names.filter((name) => existsSync(join(root, 'events', 'syscalls', `sys_enter_${name}`)))
  if (found.length > 0) return found
  throw new Failure(
    `this kernel has no events of system calls (${join(root, 'events', 'syscalls')}): ` +
      'it needs one that is built with CONFIG_FTRACE_SYSCALLS',
  )
}

/** What is said where the kernel refuses root. */
export function refused(what: string, error: unknown): Failure {
  const { code } = error as NodeJS.ErrnoException
  const hint =
    code === 'EPERM' || code === 'EACCES' || code === 'EROFS'
      ? '; a container needs to be privileged for that, and a kernel in lockdown allows it to nobody'
      : ''
  return new Failure(`cannot trace: ${what}: ${reason(error)}${hint}`)
}
