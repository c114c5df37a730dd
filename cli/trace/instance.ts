/** An instance of the kernel's tracing: a buffer, filters and events of its own, Documentation/trace/ftrace.rst. */

import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { refused } from './tracefs'

/** Of a trace of ours: the process, and when it was started, in ticks since the start of the machine. */
const OURS = /^recvmmsg-(\d+)-(\d+)$/

/** More than the kernel gives at once. */
const ROOM = 65_536

/** The name for an instance of this process. */
export function instanceName(): string {
  return `recvmmsg-${process.pid}-${startOf(process.pid)}`
}

/**
 * Removes the instances of traces that are no more: killed together with their keepers, or in a machine that was short of
 * memory. The kernel keeps one whose files are open, as in a container, whose processes have other numbers there.
 */
export function removeStale(root: string): void {
  const instances = join(root, 'instances')
  for (const name of readdirSync(instances)) {
    const [, pid, start] = OURS.exec(name) ?? []
    if (pid === undefined || startOf(Number(pid)) === start) continue
    try {
      rmdirSync(join(instances, name))
    } catch {
      // It is in use, or somebody else has just removed it.
    }
  }
}

/** Field 22 of proc_pid_stat(5). The second field, in parentheses, may hold anything. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

export class Instance {
  readonly #path: string
  readonly #buffer = Buffer.allocUnsafe(ROOM)
  #pipe: number | null = null
  #made = false

  constructor(path: string) {
    this.#path = path
  }

  /** Makes it, with an empty buffer and no events. It goes with this process, however that exits. */
  make(): void {
    process.once('exit', () => this.remove())
    this.#try('an instance cannot be made', () => mkdirSync(this.#path))
    this.#made = true
    // Without O_NONBLOCK a read waits for events, in a thread that keeps this process from ending. While it is open
    // nobody can remove the instance.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK
    this.#pipe = this.#try('trace_pipe', () => openSync(join(this.#path, 'trace_pipe'), flags))
  }

  /** Writes to one of its files. */
  set(file: string, value: string): void {
    this.#try(file, () => this.#write(file, value))
  }

  /** Likewise, to a file that not every kernel has. */
  setIfThere(file: string, value: string): void {
    try {
      this.#write(file, value)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw refused(file, error)
    }
  }

  /** Adds to a file that holds a list. */
  add(file: string, value: string): void {
    this.#try(file, () => appendFileSync(join(this.#path, file), value))
  }

  /** What is next of the text of the trace, whole lines mostly; nothing where there is no more. Never waits. */
  read(): Buffer {
    if (this.#pipe === null) return this.#buffer.subarray(0, 0)
    try {
      return this.#buffer.subarray(0, readSync(this.#pipe, this.#buffer))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN' || code === 'EINTR') return this.#buffer.subarray(0, 0)
      throw refused('trace_pipe', error)
    }
  }

  /** Removes it, with its events; again is fine. */
  remove(): void {
    if (this.#pipe !== null) closeSync(this.#pipe)
    this.#pipe = null
    if (!this.#made) return
    this.#made = false
    try {
      rmdirSync(this.#path)
    } catch {
      // Somebody else looks into it: its keeper tries again.
    }
  }

  #write(file: string, value: string): void {
    // Not to be made where it is missing, which would be refused with another error. As bytes: names of threads are no
    // more than that.
    writeFileSync(join(this.#path, file), value, { encoding: 'latin1', flag: 'r+' })
  }

  #try<T>(what: string, act: () => T): T {
    try {
      return act()
    } catch (error) {
      throw refused(what, error)
    }
  }
}
