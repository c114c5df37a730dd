/** What is sent: who makes the datagrams, and how they are handed over. */

import type { Sendable } from '../index'

/** Datagrams that go with one call. Their memory is used again by the next `take`. */
export interface Run {
  length: number
  /** As `sendBatch` takes them, and its `segmentSize`. */
  packets: Sendable[]
  segmentSize: number | undefined
  /** Payload bytes of datagrams `first` to `end`, which is not among them. */
  bytes(first: number, end: number): number
}

export interface Source {
  /** Whether `take` gives something; `false` at the end. A promise where that has to be waited for. */
  ready(): boolean | Promise<boolean>
  /** The next datagrams: one at least, `most` at most. */
  take(most: number): Run
}
