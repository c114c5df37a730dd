/** Datagrams from a file: a line each, however long the file is. */

import { closeSync, createReadStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { isNode } from '../lib/runtime'
import { Failure, reason } from './problem'
import type { Run, Source } from './source'

/** More than any datagram can hold, and a CR; what is beyond is not kept. The kernel refuses such a line (EMSGSIZE). */
const LONGEST = 65_537

/** What everybody's network takes whole. Longer lines go alone, so that it is known which of them was refused. */
const SAFE = 1472

const LF = 10
const CR = 13
const EMPTY: Buffer = Buffer.alloc(0)

/** Opens a file for `Lines`; `-` is standard input. */
export function open(path: string): Readable {
  if (path === '-') return process.stdin
  try {
    // Where nobody writes to a FIFO yet this waits, and signals end the process as they do by default.
    const fd = openSync(path, 'r')
    const stat = fstatSync(fd)
    if (stat.isDirectory()) {
      closeSync(fd)
      throw new Failure(`cannot read ${path}: it is a directory`)
    }
    // A read(2) of a FIFO in a thread would keep the process from ending. But net.Socket is no way to one elsewhere.
    return stat.isFIFO() && isNode
      ? new Socket({ fd, readable: true, writable: false })
      : createReadStream('', { fd })
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot read ${path}: ${reason(error)}`)
  }
}

export class Lines implements Source {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #signal: AbortSignal
  #lines: Buffer[] = []
  #next = 0
  /** Ends a read that is under way: not in every runtime does the end of its stream. */
  #giveUp = () => {}
  /** The beginning of a line whose end has not come. */
  #rest = EMPTY

  /** Reads no more once `signal` is aborted. */
  constructor(stream: Readable, signal: AbortSignal) {
    this.#chunks = stream[Symbol.asyncIterator]()
    this.#signal = signal
    signal.addEventListener('abort', () => {
      stream.destroy()
      this.#giveUp()
    })
  }

  ready(): boolean | Promise<boolean> {
    return this.#next < this.#lines.length || this.#read()
  }

  take(most: number): Run {
    const first = this.#next
    const end = Math.min(first + most, this.#lines.length)
    let next = first + 1
    if (this.#lines[first]!.length <= SAFE) while (next < end && this.#lines[next]!.length <= SAFE) next++
    this.#next = next
    const packets = this.#lines.slice(first, next).map((data) => ({ data }))
    const bytes = (from: number, to: number) =>
      packets.slice(from, to).reduce((sum, { data }) => sum + data.length, 0)
    return { length: packets.length, packets, segmentSize: undefined, bytes }
  }

  /** Reads until there is a line; `false` at the end. */
  async #read(): Promise<boolean> {
    this.#lines = []
    this.#next = 0
    while (this.#lines.length === 0) {
      const chunk = await this.#chunk()
      if (chunk !== null) this.#split(chunk)
      else if (this.#rest.length === 0) return false
      else {
        // The last line may lack its end.
        this.#lines = [this.#rest]
        this.#rest = EMPTY
      }
    }
    return true
  }

  /** The next piece of the file; `null` at the end. */
  async #chunk(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.#fromStream()
      return done ? null : value
    } catch (error) {
      if (this.#signal.aborted) return null
      throw new Failure(`cannot read the file: ${reason(error)}`)
    }
  }

  /** The stream's next piece, or its end once the signal is there. */
  #fromStream(): Promise<IteratorResult<Buffer>> {
    return new Promise((resolve, reject) => {
      this.#giveUp = () => resolve({ done: true, value: undefined })
      this.#chunks.next().then(resolve, reject)
    })
  }

  #split(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = this.#join(chunk.subarray(start, end))
      this.#lines.push(line.at(-1) === CR ? line.subarray(0, -1) : line)
      this.#rest = EMPTY
      start = end + 1
    }
    this.#rest = this.#join(chunk.subarray(start))
  }

  #join(part: Buffer): Buffer {
    const { length } = this.#rest
    if (length === 0) return part.subarray(0, LONGEST)
    if (length === LONGEST || part.length === 0) return this.#rest
    return Buffer.concat([this.#rest, part.subarray(0, LONGEST - length)])
  }
}
