import { DATAGRAM, DETAIL, DROPPED_BEFORE, MESSAGE_INDEX } from './layout'
import type { Memory } from './memory'

/** Messages that the kernel dropped. */
export interface Drop {
  /** **Messages** since the last drop or since the socket was made; with UDP_GRO one is up to 128 datagrams. */
  count: number
  /** All of them, as `stats().dropped`. */
  total: number
  /** Index, in the batch that follows, of the first datagram behind the loss. */
  index: number
}

/** Where in the stream the kernel dropped messages. */
export class Drops {
  readonly #tell: (drop: Drop) => void
  /** Messages dropped so far, as told. */
  #total = 0

  constructor(tell: (drop: Drop) => void) {
    this.#tell = tell
  }

  /** Tells of those before messages of a batch. */
  before({ detailed, dropped, details, datagrams, length }: Memory): void {
    if (!detailed || dropped === 0) return
    let last = -1
    for (let index = 0; index < length; index++) {
      const message = datagrams[index * DATAGRAM + MESSAGE_INDEX]!
      if (message === last) continue
      last = message
      const count = details[message * DETAIL + DROPPED_BEFORE]!
      if (count === 0) continue
      this.#total += count
      this.#tell({ count, total: this.#total, index })
    }
  }

  reset(): void {
    this.#total = 0
  }
}
