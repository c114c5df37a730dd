/** The whole of a benchmark: all receivers, in rounds. */

import { Failure, reason } from '../problem'
import { Child } from './child'
import { type Load, Receiver, type Round } from './measure'
import { type Peer, peers } from './peers'

/** A receiver and what was measured of it. */
export interface Row {
  peer: Peer
  bufferBytes: number | null
  rounds: Round[]
  /** Why there is nothing to tell of it; `null` where there is. */
  missing: string | null
}

export interface Outcome {
  rows: Row[]
  /** How long each measurement sent, in milliseconds. */
  windowMs: number
}

/** As many as there is time for. */
const MOST_ROUNDS = 3
const WARM_MS = 300
/** Of a measurement, in milliseconds: shorter ones say little, longer ones no more. */
const SHORT = 300
const LONG = 3000
/** Where there is no time for one round. */
const SHORTEST = 100

interface Started extends Row {
  receiver: Receiver | null
}

/** Measures for about so many `seconds`, one round at least; with `signal` it comes to its end at once. */
export async function bench(
  load: Load,
  seconds: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Outcome> {
  const deadline = performance.now() + seconds * 1000
  signal.addEventListener('abort', () => Child.killAll())
  process.once('exit', () => Child.killAll())
  const rows = await Promise.all(peers().map(start))
  const warming = performance.now()
  await everyRow(rows, signal, async ({ peer }, receiver) => {
    say(`warming up ${peer.name}`)
    await receiver.measure(load, WARM_MS)
  })
  const count = rows.filter(({ receiver }) => receiver !== null).length
  // What a measurement takes beside its time of sending: mostly the sender's start.
  const beside = (performance.now() - warming) / count - WARM_MS
  const { rounds, windowMs } = plan((deadline - performance.now()) / count, beside)
  for (let round = 1, took = 0; round <= rounds && !signal.aborted; round++) {
    if (round > 1 && performance.now() + took > deadline) break
    const began = performance.now()
    await everyRow(rows, signal, async ({ peer, rounds: done }, receiver) => {
      say(`round ${round} of ${rounds}: ${peer.name}`)
      done.push(await receiver.measure(load, windowMs))
    })
    took = performance.now() - began
  }
  await Promise.all(rows.map(({ receiver }) => receiver?.end()))
  return { rows: signal.aborted ? complete(rows) : rows, windowMs }
}

/** How many rounds, of how long, where each receiver has so much time and each measurement takes `beside` more, in ms. */
export function plan(time: number, beside: number): { rounds: number; windowMs: number } {
  let rounds = MOST_ROUNDS
  while (rounds > 1 && time / rounds - beside < SHORT) rounds--
  const windowMs = Math.round(Math.min(Math.max(time / rounds - beside, SHORTEST), LONG))
  return { rounds, windowMs }
}

async function start(peer: Peer): Promise<Started> {
  const row: Started = { peer, bufferBytes: null, rounds: [], missing: null, receiver: null }
  if (peer.version === null) return { ...row, missing: 'it is not on PATH' }
  try {
    const receiver = await Receiver.start(peer.command, peer.args)
    return { ...row, bufferBytes: receiver.bound.bufferBytes, receiver }
  } catch (error) {
    return { ...row, missing: reason(error) }
  }
}

/** One after the other: only one is measured at a time. One that fails is out. */
async function everyRow(
  rows: Started[],
  signal: AbortSignal,
  deal: (row: Started, receiver: Receiver) => Promise<void>,
): Promise<void> {
  for (const row of rows) {
    if (row.receiver === null) continue
    try {
      await deal(row, row.receiver)
    } catch (error) {
      // It may have been ended with all others.
      if (signal.aborted) return
      row.missing = reason(error)
      row.rounds.length = 0
      await row.receiver.end()
      row.receiver = null
    }
  }
}

/** What an interrupted one has of whole rounds. */
function complete(rows: Started[]): Row[] {
  const rounds = Math.min(
    ...rows.map((row) => (row.missing === null ? row.rounds.length : Number.POSITIVE_INFINITY)),
  )
  if (rounds === 0 || rounds === Number.POSITIVE_INFINITY) {
    throw new Failure('interrupted before there was anything to tell')
  }
  return rows.map((row) => ({ ...row, rounds: row.rounds.slice(0, rounds) }))
}
