import type { PacketBatch } from './batch'
import type { Reader, Taker } from './reader'

interface Pending<Socket> {
  resolve(result: IteratorResult<PacketBatch<Socket>, undefined>): void
  reject(error: Error): void
}

/** Where an iterator's batches come from: one socket, or many. */
export interface Source {
  /** `iterator` becomes the reader; `false` where there is nothing to read any more. */
  begin(iterator: BatchIterator): boolean
  /** It waits for a batch. */
  demand(): void
  /** It has ended. */
  end(iterator: BatchIterator): void
}

const DONE = { value: undefined, done: true } as const

/**
 * `for await (const batch of socket)`, or of many. It is the socket's reader from the first `next()` to its end, and receives only
 * when asked for: while the loop's body awaits something, datagrams wait in the kernel.
 */
export class BatchIterator<Socket = unknown> implements AsyncIterableIterator<PacketBatch<Socket>>, Taker {
  readonly #source: Source
  #state: 'new' | 'reading' | 'ended' = 'new'
  #pending: Pending<Socket>[] = []
  #error: Error | null = null

  constructor(source: Source) {
    this.#source = source
  }

  /** Whether somebody waits for a batch. */
  get pending(): boolean {
    return this.#pending.length > 0
  }

  /** Of one socket, it is always that one's turn. */
  turn(woken: Reader): Reader {
    return woken
  }

  get more(): boolean {
    return false
  }

  next(): Promise<IteratorResult<PacketBatch<Socket>, undefined>> {
    return new Promise((resolve, reject) => {
      const began = this.#state === 'new'
      if (began) {
        // It throws, and so rejects, beside another reader.
        this.#state = this.#source.begin(this) ? 'reading' : 'ended'
      }
      if (this.#error !== null) {
        const error = this.#error
        this.#error = null
        return reject(error)
      }
      if (this.#state === 'ended') return resolve(DONE)
      const pending = { resolve, reject }
      this.#pending.push(pending)
      try {
        this.#source.demand()
      } catch (error) {
        this.#pending = this.#pending.filter((each) => each !== pending)
        if (began) {
          this.#state = 'new'
          this.#source.end(this)
        }
        throw error
      }
    })
  }

  return(): Promise<IteratorResult<PacketBatch<Socket>, undefined>> {
    this.finish()
    this.#source.end(this)
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** A batch has come, and somebody waits for it. */
  give(batch: PacketBatch<Socket>): void {
    this.#pending.shift()?.resolve({ value: batch, done: false })
  }

  /** The socket has closed. */
  finish(): void {
    this.#state = 'ended'
    const pending = this.#pending
    this.#pending = []
    for (const { resolve } of pending) resolve(DONE)
  }

  /** The socket has failed for good: whoever waits is told, or whoever asks next. */
  fail(error: Error): void {
    const first = this.#pending.shift()
    if (first !== undefined) first.reject(error)
    else this.#error = error
    this.finish()
  }
}
