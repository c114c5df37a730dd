/** Who a thread is: names and process numbers, as far as the trace leaves them open. */

import { readFileSync, readlinkSync } from 'node:fs'
import type { Half } from './line'

export interface Identity {
  processName: string
  processId: number
}

interface Known extends Identity {
  /** The name in the trace when it was looked up. */
  command: string
  /** When it was, of `performance.now()`. */
  since: number
}

/** How long an answer holds: threads are renamed, and their numbers given again. In milliseconds. */
const VALID_MS = 1000
/** Threads that are remembered, as a bound for a machine that starts many. */
const MOST = 10_000

/** The inode of the first pid namespace, PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const FIRST_NAMESPACE = 'pid:[4026531836]'

/** Whether the numbers in /proc are the machine's own, which are those in a trace: in most containers they are not. */
export function hasMachineNumbers(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_NAMESPACE
  } catch {
    return false
  }
}

/**
 * A trace tells the thread. Its process comes with it since the instance has the option record-tgid: children that end
 * sooner than /proc can be read are told, too. The name comes from the kernel's list of names, which is written when a
 * thread is switched away from: in a program that has just been started it is the name of who started it, and where
 * many threads come and go it is forgotten. So where /proc still has the thread, its word on the name counts.
 */
export class Threads {
  readonly #known = new Map<number, Known>()
  readonly #proc: boolean
  readonly #read: (path: string) => string

  /** `proc`: whether /proc has the numbers of the trace. */
  constructor(proc: boolean, read = (path: string) => readFileSync(path, 'utf8')) {
    this.#proc = proc
    this.#read = read
  }

  identify({ threadId, processId, command }: Pick<Half, 'threadId' | 'processId' | 'command'>): Identity {
    const now = performance.now()
    const known = this.#known.get(threadId)
    if (
      known?.command === command &&
      now - known.since < VALID_MS &&
      (processId ?? known.processId) === known.processId
    ) {
      return known
    }
    const identity = {
      // One of the two, or the thread that is its process.
      processId: processId ?? this.#processOf(threadId) ?? threadId,
      processName: this.#nameOf(threadId) ?? command,
      command,
      since: now,
    }
    if (this.#known.size >= MOST) this.#known.clear()
    this.#known.set(threadId, identity)
    return identity
  }

  /** Whether it still lives, as far as can be told. */
  lives(threadId: number): boolean {
    return !this.#proc || this.#file(threadId, 'comm') !== null
  }

  #nameOf(threadId: number): string | null {
    return this.#file(threadId, 'comm')?.replace(/\n$/, '') ?? null
  }

  #processOf(threadId: number): number | null {
    const match = /^Tgid:\s*(\d+)$/m.exec(this.#file(threadId, 'status') ?? '')
    return match === null ? null : Number(match[1])
  }

  /** `null` where the thread has ended. */
  #file(threadId: number, name: string): string | null {
    if (!this.#proc) return null
    try {
      return this.#read(`/proc/${threadId}/${name}`)
    } catch {
      return null
    }
  }
}
