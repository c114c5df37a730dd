/** When how many datagrams are due. */

/** What is late by more is not caught up: a process that was stopped for an hour must not send an hour's worth. */
const MOST_LATE_MS = 1000

/** What goes at once where it is late, in seconds of the rate: a receive buffer should have room for it. */
const BURST_S = 0.005

/**
 * The shortest sleep, in milliseconds: waking costs more than sending. It is as long as this many datagrams take, which a
 * receive buffer has room for, within bounds.
 */
const SLEEP_DATAGRAMS = 100
const LEAST_SLEEP_MS = 2
const MOST_SLEEP_MS = 4

/** How long a sender without a rate keeps the event loop, in milliseconds. */
const TURN_MS = 5

export interface Pace {
  /** Datagrams that may go now. */
  due(): number
  /** So many have gone. */
  sent(datagrams: number): void
  /** Waits, while `due` is 0; not beyond the end. */
  wait(): Promise<void>
  /** Nothing is late: there was nothing to send until now. */
  restart(): void
}

/** As fast as it goes. */
export class Unpaced implements Pace {
  #turn = performance.now()

  due(): number {
    return performance.now() - this.#turn < TURN_MS ? Number.POSITIVE_INFINITY : 0
  }

  sent(): void {}

  restart(): void {}

  async wait(): Promise<void> {
    await new Promise(setImmediate)
    this.#turn = performance.now()
  }
}

/** By the clock: datagram n is due n/rate seconds after the start, whenever those before it went. */
export class Paced implements Pace {
  readonly #rate: number
  readonly #burst: number
  readonly #sleepMs: number
  #start = performance.now()
  #gone = 0
  #left: number
  #stop = () => {}

  /** `rate` datagrams a second. Waiting ends with `signal`. */
  constructor(rate: number, signal: AbortSignal) {
    this.#rate = rate
    this.#burst = Math.ceil(rate * BURST_S)
    const sleep = (SLEEP_DATAGRAMS / rate) * 1000
    this.#sleepMs = Math.max(LEAST_SLEEP_MS, Math.min(sleep, MOST_SLEEP_MS))
    this.#left = this.#burst
    signal.addEventListener('abort', () => this.#stop())
  }

  due(): number {
    return Math.min(this.#left, this.#owed())
  }

  sent(datagrams: number): void {
    this.#gone += datagrams
    this.#left -= datagrams
  }

  restart(): void {
    this.#forgive(0)
  }

  async wait(): Promise<void> {
    await (this.#owed() >= this.#burst ? new Promise(setImmediate) : this.#sleep())
    // Not what becomes due while that goes: it would go in ones and twos.
    this.#left = Math.min(this.#burst, this.#owed())
  }

  /** Until the next one is due, or longer. */
  #sleep(): Promise<void> {
    const ms = this.#start + this.#goneMs - performance.now()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(Math.ceil(ms), this.#sleepMs))
      this.#stop = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** How long the rate takes for what has gone. */
  get #goneMs(): number {
    return (this.#gone / this.#rate) * 1000
  }

  #owed(): number {
    this.#forgive(MOST_LATE_MS)
    const seconds = (performance.now() - this.#start) / 1000
    // The first one is due at once.
    return Math.floor(seconds * this.#rate) + 1 - this.#gone
  }

  /** Moves the start so that nothing is late by more. */
  #forgive(ms: number): void {
    this.#start = Math.max(this.#start, performance.now() - this.#goneMs - ms)
  }
}
