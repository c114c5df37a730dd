'use strict'

// node:dgram; with `--ours` this package's in its place, `--no-gro` without UDP_GRO. `--latency` notes how long each
// datagram was under way.

const path = require('node:path')
const { add, announce, arrived } = require('./totals')

const ours = process.argv.includes('--ours')
const dgram = require(ours ? path.resolve(__dirname, '..', '..', 'dgram') : 'node:dgram')
const gro = !process.argv.includes('--no-gro')
const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, ...(ours && { gro }) })
if (process.argv.includes('--latency')) {
  socket.on('message', (data, { port }) => {
    arrived(data.readBigUInt64LE(0))
    add(1, data.length, port)
  })
} else {
  // It looks at the payload and at the sender: what is not asked for might not be there.
  socket.on('message', (data, { port, size }) => add(1, data[0] === undefined ? 0 : size, port))
}
socket.bind(0, '127.0.0.1', () => announce([socket.address().port]))
