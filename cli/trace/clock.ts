import { wallClock } from '../time'

/** Beyond this the clock has been set, or the machine has slept; below it the two clocks drift apart. */
const STEP_MICROS = 1000
/** The longest that reading both may take, for it to tell anything: this process may have had to wait in between. */
const LONGEST_MICROS = 200

/** Times of the trace, which are those of CLOCK_MONOTONIC (trace_clock "mono"), as times of day. */
export class Clock {
  /** Microseconds between the two. */
  #offset: number

  constructor() {
    let measured = measure()
    for (let tries = 0; measured.took > LONGEST_MICROS && tries < 10; tries++) measured = measure()
    this.#offset = measured.offset
  }

  /** Looks whether the clock has been set. Between two steps the order of times is that of the trace. */
  refresh(): void {
    const { offset, took } = measure()
    if (took <= LONGEST_MICROS && Math.abs(offset - this.#offset) > STEP_MICROS) this.#offset = offset
  }

  /** Microseconds since the epoch. */
  epochMicros(micros: number): number {
    return micros + this.#offset
  }
}

function measure(): { offset: number; took: number } {
  const before = monotonic()
  const wall = Math.round(wallClock() * 1000)
  return { offset: wall - before, took: monotonic() - before }
}

/** In microseconds. */
function monotonic(): number {
  return Number(process.hrtime.bigint() / 1000n)
}
