/** The listener: a socket, whoever ends it, and the loop between. */

import { Capture } from './capture'
import { CaptureFile } from './capture-file'
import * as formats from './datagrams'
import { onInterruption } from './interruption'
import type { Format, ListenOptions } from './listen-options'
import { bindUdp, bindUnix } from './listen-socket'
import { Meter } from './meter'
import { Output } from './output'
import { Failure, reason } from './problem'
import type { ListenSocket, Sink } from './sink'
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
  const { signal } = ending
  try {
    const status = new Status(options.jsonStatus)
    const { socket, sinks } = await open(options, status, signal)
    onInterruption(() => ending.abort())
    const meter = new Meter(socket)
    status.listening(socket)
    const ticking = setInterval(() => status.update(meter.rates()), status.intervalMs)
    const timer = Number.isFinite(options.duration)
      ? setTimeout(() => ending.abort(), options.duration * 1000)
      : undefined
    // After the socket, which has the signal, too, and closes: what follows is not to be measured.
    signal.addEventListener('abort', () => {
      clearInterval(ticking)
      clearTimeout(timer)
      meter.stop()
    })
    await read(socket, options.count, meter, sinks)
    ending.abort()
    await finish(status, meter, sinks)
  } finally {
    ending.abort()
  }
}

/** The socket, and where what it receives goes. Signals end the process as they do by default while this waits. */
async function open(
  options: ListenOptions,
  status: Status,
  signal: AbortSignal,
): Promise<{ socket: ListenSocket; sinks: Sink[] }> {
  const { format, pcap, keep, unix } = options
  const sinks: Sink[] = []
  if (format !== null) {
    sinks.push(new Output(FORMATTERS[format], () => status.beforeOutput(), signal, GRACE_MS))
  }
  if (unix !== null) return { socket: bindUnix(unix, options, signal), sinks }
  // First: where it cannot be bound no file is made, or emptied.
  const socket = bindUdp(options, signal)
  if (pcap !== null) {
    const capture = new Capture(new CaptureFile(pcap), socket.address(), keep, signal, GRACE_MS)
    await capture.begin()
    sinks.unshift(capture)
  }
  return { socket, sinks }
}

async function read(socket: ListenSocket, most: number, meter: Meter, sinks: Sink[]): Promise<void> {
  let left = most
  try {
    for await (const batch of socket) {
      const count = Math.min(batch.length, left)
      left -= count
      if (count < batch.length) meter.leaveOut(batch, count)
      for (const sink of sinks) await sink.show(batch, count)
      if (left === 0) return
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure(`cannot receive: ${reason(error)}`)
  }
}

/** What there is to do once nothing more is received. */
async function finish(status: Status, meter: Meter, sinks: Sink[]): Promise<void> {
  for (const sink of sinks) await sink.end()
  const unwritten = Math.max(0, ...sinks.map((sink) => sink.unwritten))
  status.summary(meter.summary(unwritten))
  // What a stalled pipe has not taken would keep the process alive until it does.
  if (!(await flushed(process.stderr, GRACE_MS)) || unwritten > 0) process.exit()
}
