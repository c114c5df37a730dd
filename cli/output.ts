import type { PacketBatch } from '../index'
import type { Formatter } from './datagrams'
import { print } from './stdio'
import { wallClock } from './time'

/** Characters that are put together for one write: a quarter of what a pipe holds by default. */
const PIECE = 16_384

/**
 * Datagrams on standard output. One piece of text is on its way at a time, and until it is taken nothing more is made,
 * or received: however much arrives, what is buffered stays small.
 */
export class Output {
  readonly #format: Formatter
  readonly #beforeWrite: () => void
  #ended = false
  #giveUp: () => void = () => {}
  #written = 0
  #shown = 0

  /** `beforeWrite` is called before each write. `graceMs` after `signal` it waits no longer for whoever reads. */
  constructor(format: Formatter, beforeWrite: () => void, signal: AbortSignal, graceMs: number) {
    this.#format = format
    this.#beforeWrite = beforeWrite
    const giveUp = () => {
      this.#ended = true
      this.#giveUp()
    }
    signal.addEventListener('abort', () => setTimeout(giveUp, graceMs).unref())
  }

  /** Datagrams that were to be shown, and have not been taken. */
  get unwritten(): number {
    return this.#shown - this.#written
  }

  /** Writes the first `count` datagrams of `batch`; resolves when they are taken, or are not going to be. */
  async show(batch: PacketBatch, count: number): Promise<void> {
    const arrival = wallClock()
    this.#shown += count
    let piece = ''
    let first = 0
    for (let index = 0; index < count; index++) {
      piece += this.#format(batch, index, arrival)
      if (piece.length < PIECE && index < count - 1) continue
      await this.#write(piece, index + 1 - first)
      if (this.#ended) return
      piece = ''
      first = index + 1
    }
  }

  #write(piece: string, datagrams: number): Promise<void> {
    this.#beforeWrite()
    return new Promise((resolve, reject) => {
      this.#giveUp = resolve
      if (this.#ended) resolve()
      const taken = () => {
        this.#written += datagrams
        resolve()
      }
      print(piece).then(taken, reject)
    })
  }
}
