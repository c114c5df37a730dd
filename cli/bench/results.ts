/** What is told of a benchmark. */

import os from 'node:os'
import type { Load, Round } from './measure'
import type { Outcome, Row } from './run'

/** One receiver's figures: medians of its rounds, and sums. */
export interface Result {
  name: string
  version: string | null
  /** Why it was not measured; `null` where it was. */
  missing: string | null
  /** CPU of its process for each datagram that it received, in nanoseconds. */
  nsPerDatagram: number | null
  /** That of node:dgram is so many times as much. */
  dgramTimes: number | null
  receivedPerSecond: number | null
  sent: number
  received: number
  lost: number
  bufferBytes: number | null
  rounds: Round[]
}

export interface Results {
  system: string
  cpu: string
  cpus: number
  load: Load
  /** Whether the system sends many datagrams as one message, and hands them over so. */
  gso: boolean
  gro: boolean
  windowSeconds: number
  receivers: Result[]
  notes: string[]
}

const NOTES = [
  'Sender and receivers share this machine, its caches and its memory, and the way is loopback: no network card, no ' +
    'driver, no interrupts. It compares receivers here and now, and says little of a network.',
  'The sender is as fast as it goes. A receiver that loses datagrams is busy all the time; one that keeps up pays for ' +
    'each wake-up as well. Lost: dropped by the kernel for want of room at the receiver.',
]
const SMALL = "Bun and Deno cannot ask for a receive buffer, and have the system's default."

export function results(outcome: Outcome, load: Load, able: { gso: boolean; gro: boolean }): Results {
  const { rows, windowMs } = outcome
  const base = nsOf(rows[0]!)
  const unasked = rows.some(({ missing, bufferBytes }) => missing === null && bufferBytes === null)
  const cpus = os.cpus()
  return {
    system: `${os.type()} ${os.release()}, ${process.arch}`,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cpus: cpus.length,
    load,
    gso: able.gso,
    gro: able.gro,
    windowSeconds: windowMs / 1000,
    receivers: rows.map((row) => result(row, base)),
    notes: unasked ? [...NOTES, SMALL] : NOTES,
  }
}

function result(row: Row, base: number | null): Result {
  const { peer, missing, bufferBytes, rounds } = row
  const ns = nsOf(row)
  const sum = (name: 'sent' | 'received' | 'lost') => rounds.reduce((total, round) => total + round[name], 0)
  return {
    name: peer.name,
    version: peer.version,
    missing,
    nsPerDatagram: ns,
    dgramTimes: base === null || ns === null ? null : base / ns,
    receivedPerSecond: median(rounds.map(({ received, seconds }) => received / seconds)),
    sent: sum('sent'),
    received: sum('received'),
    lost: sum('lost'),
    bufferBytes,
    rounds,
  }
}

function nsOf({ rounds }: Row): number | null {
  return median(rounds.flatMap(({ nsPerDatagram }) => (nsPerDatagram === null ? [] : [nsPerDatagram])))
}

/** The middle one; of an even number, the mean of the middle two. */
export function median(values: number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
