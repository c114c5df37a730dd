/** Many sockets with one iterator: it reads all of them, and gets one batch at a time of whichever's turn it is. */

import { type AnyBatch, access } from './batch'
import type { Engine } from './engine'
import { abortError } from './errors'
import type { BatchIterator, Source } from './iterator'
import type { Reader, Taker } from './reader'
import type { Turns } from './turns'

export class Group implements Source {
  readonly #turns: Turns
  readonly #signal: AbortSignal | undefined
  #iterator: BatchIterator | null = null
  #parts = new Map<Engine, Part>()
  /** Strict mode: the batch last delivered, whose time ends with the next, whoever gives it. */
  #delivered: AnyBatch | null = null
  readonly #abort = () => this.fail(abortError(this.#signal!))

  constructor(turns: Turns, signal: AbortSignal | undefined) {
    this.#turns = turns
    this.#signal = signal
  }

  begin(iterator: BatchIterator): boolean {
    if (this.#signal?.aborted) throw abortError(this.#signal)
    this.#iterator = iterator
    try {
      for (const engine of this.#turns.open) {
        const part = new Part(this, engine)
        if (engine.reader.begin(part)) this.#parts.set(engine, part)
      }
    } catch (error) {
      this.#letGo()
      throw error
    }
    if (this.#parts.size === 0) return false
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
    return true
  }

  demand(): void {
    // Copied: one that cannot be watched any more ends them all.
    for (const engine of [...this.#parts.keys()]) if (this.#parts.has(engine)) engine.reader.demand()
  }

  end(): void {
    this.#letGo()
  }

  get pending(): boolean {
    return this.#iterator?.pending === true
  }

  /** Somebody waits, and another socket has its turn in this round. */
  get more(): boolean {
    return this.#parts.size > 0 && this.#turns.left
  }

  /** Whose turn it is, now that `woken` was woken. `null` where another reader was quicker. */
  turn(woken: Reader): Reader | null {
    const may = (engine: Engine) => this.#parts.has(engine) && engine.reader.willing
    const next = this.#turns.next(may)
    if (next !== null) return next.reader
    const willing = [...this.#parts.keys()].filter(may)
    if (willing.length < 2) return woken
    const count = this.#turns.ask(willing, 0)
    // No memory for a list, say: whoever woke will do.
    return count < 0 ? woken : (this.#turns.next(may)?.reader ?? null)
  }

  give(batch: AnyBatch, { strict }: Engine): void {
    if (this.#delivered !== null) access.memory(this.#delivered).retire()
    this.#delivered = strict ? batch : null
    this.#iterator?.give(batch)
  }

  /** The socket of `engine` has closed. */
  drop(engine: Engine): void {
    this.#parts.delete(engine)
    if (this.#parts.size > 0) return
    this.#iterator?.finish()
    this.#letGo()
  }

  /** Ends with an error. */
  fail(error: Error): void {
    this.#iterator?.fail(error)
    this.#letGo()
  }

  #letGo(): void {
    const parts = this.#parts
    this.#parts = new Map()
    this.#iterator = null
    this.#signal?.removeEventListener('abort', this.#abort)
    for (const [engine, part] of parts) engine.reader.end(part)
  }
}

/** What one socket knows of the group. */
class Part implements Taker {
  readonly #group: Group
  readonly #engine: Engine

  constructor(group: Group, engine: Engine) {
    this.#group = group
    this.#engine = engine
  }

  get pending(): boolean {
    return this.#group.pending
  }

  get more(): boolean {
    return this.#group.more
  }

  turn(woken: Reader): Reader | null {
    return this.#group.turn(woken)
  }

  give(batch: AnyBatch): void {
    this.#group.give(batch, this.#engine)
  }

  finish(): void {
    this.#group.drop(this.#engine)
  }

  fail(error: Error): void {
    this.#group.fail(error)
  }
}
