/** What was called, in numbers. */

import { errorName } from './decode'
import type { Call } from './pairing'

/** Of all calls, or of those of one process. */
export interface Counts {
  calls: number
  /** Messages that went through. */
  datagrams: number
  /** Calls that gave some. */
  batches: number
  /** Calls that gave none, and nothing was wrong: nothing to be received, or no room to send. */
  empty: number
  /** Failed calls by the error's name. */
  errors: Record<string, number>
}

/** The calls of one kind that a process made. */
export interface Row extends Counts {
  /** The name of the thread that was last seen. */
  processName: string
  /** `null` for all processes beyond those that have a row. */
  processId: number | null
  name: string
}

/** Rows that are kept, as a bound for a machine that starts many processes. */
const MOST = 10_000

export class Tally {
  readonly total: Counts = none()
  readonly #rows = new Map<string, Row>()

  add({ name, processId, processName, returnValue }: Call): void {
    const row = this.#row(name, processId)
    row.processName = processName
    for (const counts of [this.total, row]) count(counts, returnValue)
  }

  /** Those with the most calls first. */
  rows(): Row[] {
    return [...this.#rows.values()].sort((a, b) => b.calls - a.calls)
  }

  #row(name: string, processId: number): Row {
    const full = this.#rows.size >= MOST
    return this.#find(name, processId, !full) ?? this.#find(name, null, true)!
  }

  #find(name: string, processId: number | null, make: boolean): Row | undefined {
    const key = `${name} ${processId}`
    const known = this.#rows.get(key)
    if (known !== undefined || !make) return known
    const row = { processName: '', processId, name, ...none() }
    this.#rows.set(key, row)
    return row
  }
}

function none(): Counts {
  return { calls: 0, datagrams: 0, batches: 0, empty: 0, errors: {} }
}

function count(counts: Counts, returnValue: number): void {
  counts.calls++
  const error = errorName(returnValue)
  if (error === 'EAGAIN' || returnValue === 0) counts.empty++
  else if (error !== null) counts.errors[error] = (counts.errors[error] ?? 0) + 1
  else {
    counts.batches++
    counts.datagrams += returnValue
  }
}
