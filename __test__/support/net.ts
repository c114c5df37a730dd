/** What specs with real sockets share: tables with their skips, waiting for a count, errors as plain objects. */

import dgram from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type PacketBatch, type PacketCopy, UdpSocket } from '../../index'
import { hasIpv6, matrix, type Row } from './matrix'

/** How long anything on the loopback interface may take. */
const DEADLINE = 5000

/** Runs `body` for every row as a `describe` of its own; a host without IPv6 shows what it skips, and why. */
export function describeRows(title: string, body: (row: Row) => void): void {
  describe.each(matrix)(`${title}: $backend $family`, body)
  if (!hasIpv6) {
    describe.skip(`${title}: udp6 [skipped: no IPv6]`, () => body({ ...matrix[0]!, family: 'udp6' }))
  }
}

/** As much of an error as its class, the realm it comes from and its stack leave to compare. */
export function shape(error: unknown): Record<string, unknown> {
  const { name, message } = error as Error
  return { ...(error as object), name, message }
}

/** The `shape` of what `call` throws. */
export function thrown(call: () => unknown): Record<string, unknown> {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    return shape(error)
  }
  throw new Error(`nothing was thrown, but given: ${String(result)}`)
}

/** Turns of the event loop until `found` gives something. */
export async function waitFor<T>(what: string, found: () => T | false | undefined): Promise<T> {
  const deadline = Date.now() + DEADLINE
  for (;;) {
    const result = found()
    if (result !== false && result !== undefined) return result
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Receives until `count` datagrams have come. */
export function collect(socket: UdpSocket, batch: PacketBatch, count: number): PacketCopy[] {
  const copies: PacketCopy[] = []
  while (copies.length < count) {
    if (socket.recv(batch, { timeout: DEADLINE }) === 0) break
    copies.push(...batch.copy())
  }
  if (copies.length === count) return copies
  throw new Error(`${copies.length} datagrams came, not ${count}`)
}

/** Sends `payloads` and receives them with one call. */
export function fill(
  socket: UdpSocket,
  batch: PacketBatch,
  sender: UdpSocket,
  payloads: readonly (string | Uint8Array)[],
): void {
  // The loopback interface delivers within the send, except when the kernel has put the work off for a moment.
  for (let round = 0; round < 20; round++) {
    for (const payload of payloads) sender.send(payload, socket.address())
    const count = socket.recv(batch, { timeout: DEADLINE })
    if (count === payloads.length) return
    collect(socket, batch, payloads.length - count)
  }
  throw new Error('the datagrams never came together')
}

/** A port that was free a moment ago, and that nobody listens on now. */
export function freePort(row: Row): number {
  const socket = UdpSocket.bind({ address: row.loopback })
  const { port } = socket.address()
  socket.close()
  return port
}

/** Has `socket` know of an ICMP error: it is connected to a port of its own host that nobody listens on. */
export async function refuse(socket: UdpSocket): Promise<void> {
  socket.send('refused')
  if (!(await socket.readable({ signal: AbortSignal.timeout(DEADLINE) }))) throw new Error('closed meanwhile')
}

const opened = new Set<dgram.Socket>()

/** node:dgram's socket, bound to the row's loopback address; `closeDgrams` closes it. */
export async function dgramSocket(
  row: Row,
  options: Partial<dgram.SocketOptions> = {},
): Promise<dgram.Socket> {
  const socket = unboundDgram(row, options)
  socket.bind(0, row.loopback)
  await once(socket, 'listening')
  return socket
}

/** The same, unbound. */
export function unboundDgram(
  row: Pick<Row, 'family'>,
  options: Partial<dgram.SocketOptions> = {},
): dgram.Socket {
  const socket = dgram.createSocket({ type: row.family, ...options })
  opened.add(socket)
  socket.once('close', () => opened.delete(socket))
  return socket
}

/** The `shape` of the error that binding node:dgram's socket ends in. */
export function dgramBindError(
  row: Pick<Row, 'family'>,
  port: number,
  address: string,
): Promise<Record<string, unknown>> {
  const socket = unboundDgram(row)
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => resolve(shape(error)))
    socket.once('listening', () => reject(new Error('node:dgram bound it')))
    socket.bind({ port, address, exclusive: true })
  })
}

/** The `shape` of the error that node:dgram's `send` ends in. */
export async function dgramSendError(
  row: Row,
  data: Uint8Array,
  to: AddressInfo,
): Promise<Record<string, unknown>> {
  const socket = await dgramSocket(row)
  return new Promise((resolve, reject) => {
    socket.send(data, to.port, to.address, (error) => {
      if (error) resolve(shape(error))
      else reject(new Error('node:dgram sent it'))
    })
  })
}

/** For `afterEach`. */
export function closeDgrams(): void {
  for (const socket of opened) socket.close()
  opened.clear()
}
