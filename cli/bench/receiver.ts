/**
 * A receiver that `recvmmsg bench` measures, in a process of its own: `receiver.js STYLE`. Node, Bun and Deno run this
 * same file, each with an API of its own.
 *
 * It prints a line of JSON with the port that it is bound to, and for each line on standard input one with what it has
 * received and the CPU time it has used so far. Each looks at the size, and at who sent, of every datagram: what is not
 * asked for might not be there.
 */

import process from 'node:process'

/** The figures of a receiver; counts are since its start. */
export interface Stock {
  datagrams: number
  bytes: number
  /** User and system, of the whole process. */
  cpuMicroseconds: number
}

/** What a receiver is bound to. */
export interface Bound {
  port: number
  /** Receive buffer in force; `null` where the runtime does not tell. */
  bufferBytes: number | null
}

declare const Bun: {
  udpSocket(options: {
    hostname: string
    port: number
    socket: { data(socket: unknown, data: Buffer, port: number): void }
  }): Promise<{ port: number }>
}

declare const Deno: {
  listenDatagram(options: {
    transport: 'udp'
    hostname: string
    port: number
  }): AsyncIterable<[Uint8Array, { port: number }]> & { addr: { port: number } }
}

/** What is asked for; where it is less that is told. */
const BUFFER_BYTES = 4 << 20
const HOST = '127.0.0.1'

/** Datagrams, their sizes, their senders' ports. In a typed array none of them becomes an object as it grows. */
const totals = new Float64Array(3)

function add(datagrams: number, sizes: number, ports: number): void {
  totals[0]! += datagrams
  totals[1]! += sizes
  totals[2]! += ports
}

function tell(line: Stock | Bound): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function bound(port: number, bufferBytes: number | null): void {
  process.stdin.on('data', () => {
    const { user, system } = process.cpuUsage()
    tell({ datagrams: totals[0]!, bytes: totals[1]!, cpuMicroseconds: user + system })
  })
  tell({ port, bufferBytes })
}

/** This package, by columns. */
function recvmmsg(gro: boolean): void {
  const { UdpSocket } = require('../../index') as typeof import('../../index')
  const socket = UdpSocket.bind({ address: HOST, recvBufferSize: BUFFER_BYTES, gro })
  socket.on('batch', (batch) => {
    let sizes = 0
    let ports = 0
    for (let index = 0; index < batch.length; index++) {
      sizes += batch.sizeAt(index)
      ports += batch.portAt(index)
    }
    add(batch.length, sizes, ports)
  })
  bound(socket.address().port, socket.getRecvBufferSize())
}

/** node:dgram, or this package's in its place. */
function dgram(module: string): void {
  const { createSocket } = require(module) as typeof import('node:dgram')
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES })
  socket.on('message', (data, { port, size }) => add(1, data[0] === undefined ? 0 : size, port))
  socket.bind(0, HOST, () => bound(socket.address().port, socket.getRecvBufferSize()))
}

async function bun(): Promise<void> {
  const data = (_: unknown, payload: Buffer, port: number) => add(1, payload.length, port)
  const { port } = await Bun.udpSocket({ hostname: HOST, port: 0, socket: { data } })
  bound(port, null)
}

async function deno(): Promise<void> {
  const socket = Deno.listenDatagram({ transport: 'udp', hostname: HOST, port: 0 })
  bound(socket.addr.port, null)
  for await (const [data, { port }] of socket) add(1, data.length, port)
}

const STYLES = {
  dgram: () => dgram('node:dgram'),
  recvmmsg: () => recvmmsg(true),
  'recvmmsg-no-gro': () => recvmmsg(false),
  'recvmmsg-dgram': () => dgram('../../dgram'),
  bun,
  deno,
}

export type Style = keyof typeof STYLES

// Whoever started it has ended, or wants it to.
process.stdin.on('end', () => process.exit())
process.stdin.resume()
void STYLES[process.argv[2] as Style]()
