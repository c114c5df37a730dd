/** Calls out of their halves: an enter and an exit of the same thread. */

import type { Half } from './line'
import type { Identity } from './threads'

/** A call that has not come back. */
export interface Open extends Identity {
  threadId: number
  name: string
  /** When it was made: since the start of the machine, in microseconds. */
  micros: number
  /** Registers in hexadecimal. */
  args: string[]
}

/** A call from beginning to end. */
export interface Call extends Open {
  returnValue: number
}

/** Threads in a call beyond which those that have ended meanwhile are looked for. */
const MANY = 10_000

export class Pairing {
  readonly #open = new Map<number, Open>()
  readonly #lives: (threadId: number) => boolean
  #sweepAt = MANY
  /** Calls that were under way when the trace began. */
  begunBefore = 0
  /** Calls of which one half was lost. */
  halves = 0
  /** Whether events were lost, so that a half alone does not tell of a call before the trace. */
  lossy = false

  constructor(lives: (threadId: number) => boolean) {
    this.#lives = lives
  }

  /** The call that ends with `half`; `null` where none does. */
  add(half: Half, { processId, processName }: Identity): Call | null {
    const { threadId, name, micros, args, returnValue } = half
    const open = this.#open.get(threadId)
    if (args !== null) {
      if (open !== undefined && this.lossy) this.halves++
      this.#open.set(threadId, { threadId, name, micros, args, processId, processName })
      if (this.#open.size >= this.#sweepAt) this.#sweep()
      return null
    }
    this.#open.delete(threadId)
    if (open?.name === name) return { ...open, returnValue }
    if (this.lossy) this.halves++
    else this.begunBefore++
    return null
  }

  /** Those whose exit has not come. A thread that was ended in a call never leaves it. */
  stillOpen(): Open[] {
    return [...this.#open.values()].filter(({ threadId }) => this.#lives(threadId))
  }

  #sweep(): void {
    for (const threadId of this.#open.keys()) if (!this.#lives(threadId)) this.#open.delete(threadId)
    this.#sweepAt = Math.max(MANY, 2 * this.#open.size)
  }
}
