/** What `socketSendMany` tells of many datagrams. */

/** As `src/binding/send.rs` lays it out: numbers, then errors with their counts, then errors that were pending. */
const SENT = 0
const FAILED = 1
const NEXT = 2
const ERRNO = 3
const ROW = 4
const ERRORS = 5
const PASSING = 6
const HEAD = 7
const MOST = 8

export class Outcome {
  readonly words: Int32Array = new Int32Array(HEAD + 3 * MOST)

  get sent(): number {
    return this.words[SENT]!
  }

  get failed(): number {
    return this.words[FAILED]!
  }

  /** The first row that was not touched. */
  get next(): number {
    return this.words[NEXT]!
  }

  /** The negative errno of the first that failed, 0 for none. */
  get errno(): number {
    return -this.words[ERRNO]!
  }

  /** Its row. */
  get row(): number {
    return this.words[ROW]!
  }

  /** Negative errnos, each with how often it came. */
  errors(): [errno: number, count: number][] {
    return Array.from({ length: this.words[ERRORS]! }, (_, index) => [
      -this.words[HEAD + 2 * index]!,
      this.words[HEAD + 2 * index + 1]!,
    ])
  }

  /** How many errors of other datagrams were pending. */
  get pending(): number {
    return this.words[PASSING]!
  }

  /** Their negative errnos. */
  passing(): number[] {
    return Array.from({ length: this.words[PASSING]! }, (_, index) => -this.words[HEAD + 2 * MOST + index]!)
  }
}
