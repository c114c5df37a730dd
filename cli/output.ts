import type { Formatter } from './datagrams'
import { Outlet } from './outlet'
import type { ListenBatch, Sink } from './sink'
import { wallClock } from './time'

/** Characters that are put together for one write: a quarter of what a pipe holds by default. */
const PIECE = 16_384

/**
 * Datagrams on standard output. One piece of text is on its way at a time, and until it is taken nothing more is made,
 * or received: however much arrives, what is buffered stays small.
 */
export class Output implements Sink {
  readonly #format: Formatter
  readonly #beforeWrite: () => void
  readonly #outlet: Outlet
  #written = 0
  #shown = 0

  /** `beforeWrite` is called before each write. After `signal` it waits no longer for whoever takes nothing for `graceMs`. */
  constructor(format: Formatter, beforeWrite: () => void, signal: AbortSignal, graceMs: number) {
    this.#format = format
    this.#beforeWrite = beforeWrite
    this.#outlet = new Outlet(signal, graceMs)
  }

  get unwritten(): number {
    return this.#shown - this.#written
  }

  async show(batch: ListenBatch, count: number): Promise<void> {
    const arrival = wallClock()
    this.#shown += count
    let piece = ''
    let first = 0
    for (let index = 0; index < count; index++) {
      piece += this.#format(batch, index, arrival)
      if (piece.length < PIECE && index < count - 1) continue
      await this.#write(piece, index + 1 - first)
      if (this.#outlet.ended) return
      piece = ''
      first = index + 1
    }
  }

  async end(): Promise<void> {}

  #write(piece: string, datagrams: number): Promise<void> {
    this.#beforeWrite()
    return this.#outlet.write(piece, () => {
      this.#written += datagrams
    })
  }
}
