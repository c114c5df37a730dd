/** Datagrams of one size that are told apart by their number. */

import type { Run, Source } from './source'

/** Bytes of a sequence number. */
const NUMBER = 8

export class Numbered implements Source {
  readonly #size: number
  readonly #bytes: Buffer
  #sequence = 0

  /** `most`: of one `take`. */
  constructor(size: number, most: number) {
    this.#size = size
    // The byte at each index is that index, modulo 256; the number takes the place of the first eight.
    this.#bytes = Buffer.from(Uint8Array.from({ length: size * most }, (_, index) => index % size))
  }

  ready(): boolean {
    return true
  }

  take(length: number): Run {
    const size = this.#size
    const bytes = (first: number, end: number) => (end - first) * size
    if (size === 0) {
      // Nothing cannot be cut into datagrams of nothing.
      const packets = Array.from({ length }, () => ({ data: this.#bytes }))
      return { length, packets, segmentSize: undefined, bytes }
    }
    const data = this.#bytes.subarray(0, length * size)
    if (size >= NUMBER) for (let offset = 0; offset < data.length; offset += size) this.#number(offset)
    return { length, packets: [{ data }], segmentSize: size, bytes }
  }

  #number(offset: number): void {
    const sequence = this.#sequence++
    // A `bigint` for each would cost more than all the rest.
    this.#bytes.writeUInt32LE(sequence >>> 0, offset)
    this.#bytes.writeUInt32LE(Math.floor(sequence / 2 ** 32), offset + NUMBER / 2)
  }
}
