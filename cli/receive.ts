/** The listener: a socket, whoever ends it, and the loop between. */

import { UdpSocket } from '../index'
import * as formats from './datagrams'
import { onInterruption } from './interruption'
import type { Format, ListenOptions } from './listen-options'
import { Meter } from './meter'
import { Output } from './output'
import { Failure, reason } from './problem'
import { endpoint } from './report'
import { Status } from './status'
import { flushed } from './stdio'

/** How long who reads our output has, after the end, to take what was received before. */
const GRACE_MS = 500

const FORMATTERS: Record<Format, formats.Formatter> = {
  json: formats.json,
  'json text': formats.jsonText,
  hex: formats.hex,
  text: formats.text,
}

/** Receives until told to stop. */
export async function receive(options: ListenOptions): Promise<void> {
  const ending = new AbortController()
  onInterruption(() => ending.abort())
  const socket = bind(options, ending.signal)
  const meter = new Meter(socket)
  const status = new Status(options.jsonStatus)
  const output =
    options.format &&
    new Output(FORMATTERS[options.format], () => status.beforeOutput(), ending.signal, GRACE_MS)
  status.listening(socket)
  const ticking = setInterval(() => status.update(meter.rates()), status.intervalMs)
  const timer = Number.isFinite(options.duration)
    ? setTimeout(() => ending.abort(), options.duration * 1000)
    : undefined
  // After the socket, which has the signal, too, and closes: what follows is not to be measured.
  ending.signal.addEventListener('abort', () => {
    clearInterval(ticking)
    clearTimeout(timer)
    meter.stop()
  })
  try {
    await read(socket, options.count, meter, output)
  } finally {
    ending.abort()
  }
  const unwritten = output?.unwritten ?? 0
  status.summary(meter.summary(unwritten))
  // What a stalled pipe has not taken would keep the process alive until it does.
  if (!(await flushed(process.stderr, GRACE_MS)) || unwritten > 0) process.exit()
}

function bind({ port, address, capacity, gro, backend }: ListenOptions, signal: AbortSignal): UdpSocket {
  try {
    // An explicit `true` is the same as nothing said: where the system has no UDP_GRO it changes nothing.
    return UdpSocket.bind({ port, address, capacity, gro, backend, signal })
  } catch (error) {
    throw new Failure(`cannot listen on ${endpoint(address, port)}: ${reason(error)}`)
  }
}

async function read(socket: UdpSocket, most: number, meter: Meter, output: Output | null): Promise<void> {
  let left = most
  try {
    for await (const batch of socket) {
      const count = Math.min(batch.length, left)
      left -= count
      if (count < batch.length) meter.leaveOut(batch, count)
      if (output !== null) await output.show(batch, count)
      if (left === 0) return
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot receive: ${reason(error)}`)
  }
}
