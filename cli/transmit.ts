/** The sender: sockets, whoever ends it, and what it sends. */

import { UdpSocket } from '../index'
import { isNode } from '../lib/runtime'
import { onInterruption } from './interruption'
import { Lines, open } from './lines'
import { Numbered } from './numbered'
import { Paced, Unpaced } from './pace'
import { Failure, reason } from './problem'
import { resolve } from './resolve'
import { SendMeter } from './send-meter'
import type { SendOptions } from './send-options'
import { SendStatus } from './send-status'
import { Transmission } from './transmission'

/** How long who reads our output has, after the end, to take it. */
const GRACE_MS = 500

/** Datagrams of one call where each is a message of its own. */
const PER_CALL = 64

/** Payload bytes that one message holds. */
const MESSAGE = 65_507

/** How long what is late at the end of `--duration` has, to go all the same. */
const LATE_MS = 100

/** Sends until it has sent all, or is told to stop. */
export async function transmit(options: SendOptions): Promise<void> {
  const { file, rate } = options
  // Signals end the process as they do by default while this waits.
  const to = { ...(await resolve(options.host)), port: options.port }
  const stream = file === null ? null : open(file)
  const ending = new AbortController()
  const { signal } = ending
  onInterruption(() => ending.abort())
  const sockets = bind(options, to.family)
  const status = new SendStatus(options.json)
  status.sending(to, sockets, options)
  const most = together(options)
  const source = stream === null ? new Numbered(options.size, most) : new Lines(stream, signal)
  const pace = Number.isFinite(rate) ? new Paced(rate, signal) : new Unpaced()
  const meter = new SendMeter(to, sockets)
  const ticking = setInterval(() => status.update(meter.rates()), status.intervalMs)
  const { count, durationMs } = limits(options)
  const timer = Number.isFinite(durationMs) ? setTimeout(() => ending.abort(), durationMs) : undefined
  signal.addEventListener('abort', () => {
    clearInterval(ticking)
    clearTimeout(timer)
    meter.stop()
    for (const socket of sockets) socket.close()
  })
  try {
    await new Transmission(sockets, to, meter, signal).send(source, pace, most, count)
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot send: ${reason(error)}`)
  } finally {
    ending.abort()
  }
  status.summary(meter.summary())
  if (meter.failed > 0) process.exitCode = 1
  // What a stalled pipe has not taken would keep the process alive until it does, and so does elsewhere than in Node a
  // read of the input that is under way.
  const isReading = stream !== null && !isNode
  if (!(await status.flushed(GRACE_MS)) || isReading) process.exit()
}

/** When it ends. With a rate the duration is so many datagrams. */
function limits({ count, duration, rate }: SendOptions): { count: number; durationMs: number } {
  if (!Number.isFinite(rate)) return { count, durationMs: duration * 1000 }
  return { count: Math.min(count, Math.ceil(rate * duration)), durationMs: duration * 1000 + LATE_MS }
}

/** A socket for each flow. */
function bind({ flows, gso }: SendOptions, family: string): UdpSocket[] {
  const address = family === 'IPv6' ? '::' : '0.0.0.0'
  try {
    return Array.from({ length: flows }, () => UdpSocket.bind({ address, gso: gso > 1 }))
  } catch (error) {
    throw new Failure(`cannot open ${flows === 1 ? 'a socket' : `${flows} sockets`}: ${reason(error)}`)
  }
}

/** Datagrams of one call: those of a message, where datagrams share one, and no more than a flow's part. */
function together({ count, file, flows, gso, size }: SendOptions): number {
  const message = Math.max(1, Math.floor(MESSAGE / Math.max(1, file === null ? size : 1)))
  return Math.min(gso > 1 ? Math.min(gso, message) : PER_CALL, Math.ceil(count / flows))
}
