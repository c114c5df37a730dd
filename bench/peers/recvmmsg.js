'use strict'

// recvmmsg.js STYLE [--no-gro] [--coalesce] [--gc]: this package, read in one of the styles below.
//
// The sums of a batch are local variables, added to the totals once. A number that a closure captures becomes an object
// when it grows, 30 ns for each datagram: that would be measured instead of the receiving.

const path = require('node:path')
const { setImmediate: turn } = require('node:timers/promises')
const { countMinor } = require('./collections')
const { add, announce, arrived } = require('./totals')

const root = path.resolve(__dirname, '..', '..')
const { PacketBatch, UdpSocket } = require(root)

const [style] = process.argv.slice(2)
const gro = !process.argv.includes('--no-gro')
const coalesce = process.argv.includes('--coalesce') ? 1 : 0
const socket = UdpSocket.bind({ address: '127.0.0.1', recvBufferSize: 4 << 20, gro, coalesce })

/** Columns: no object at all. */
function columns(batch) {
  let sizes = 0
  let ports = 0
  for (let i = 0; i < batch.length; i++) {
    sizes += batch.sizeAt(i)
    ports += batch.portAt(i)
  }
  add(batch.length, sizes, ports)
}

/** Columns, and the first byte of each payload. */
function bytes(batch) {
  let sizes = 0
  let ports = 0
  const { bytes } = batch
  for (let i = 0; i < batch.length; i++) {
    seen ^= bytes[batch.offsetAt(i)]
    sizes += batch.sizeAt(i)
    ports += batch.portAt(i)
  }
  add(batch.length, sizes, ports)
}

/** The batch's own packet objects. */
function packets(batch) {
  let sizes = 0
  let ports = 0
  for (const packet of batch) {
    sizes += packet.size
    ports += packet.port
  }
  add(batch.length, sizes, ports)
}

/** Payload as a view, address as text, and port of each. */
function views(batch) {
  let sizes = 0
  let ports = 0
  for (const { data, address, port } of batch) {
    seen ^= address.length
    sizes += data.length
    ports += port
  }
  add(batch.length, sizes, ports)
}

/** Everything of each, for keeping, in one allocation a batch. */
function copies(batch) {
  let sizes = 0
  let ports = 0
  for (const { data, port } of batch.copy()) {
    sizes += data.length
    ports += port
  }
  add(batch.length, sizes, ports)
}

/** How long each was under way, from the stamp that its payload begins with. */
function latency(batch) {
  for (let i = 0; i < batch.length; i++) arrived(batch.bytes.readBigUInt64LE(batch.offsetAt(i)))
  columns(batch)
}

/** Used up, so that no compiler may leave its making out. */
let seen = 0

/** The synchronous call, waiting on this thread; the event loop has its turn when nothing came. */
async function recv() {
  const batch = new PacketBatch()
  const options = { timeout: 100 }
  for (;;) {
    if (socket.recv(batch, options) > 0) columns(batch)
    else await turn()
  }
}

async function forAwait() {
  for await (const batch of socket) columns(batch)
}

const styles = {
  recv,
  'for-await': forAwait,
  batch: () => socket.on('batch', columns),
  bytes: () => socket.on('batch', bytes),
  packets: () => socket.on('batch', packets),
  views: () => socket.on('batch', views),
  copies: () => socket.on('batch', copies),
  latency: () => socket.on('batch', latency),
}

const minor = process.argv.includes('--gc') ? countMinor() : () => undefined
announce([socket.address().port], () => {
  const { batches, kernelDrops } = socket.stats()
  return { calls: batches, drops: kernelDrops, minor: minor(), seen }
})
styles[style]()
