'use strict'

// node:dgram. `--latency` notes how long each datagram was under way.

const dgram = require('node:dgram')
const { add, announce, arrived } = require('./totals')

const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
if (process.argv.includes('--latency')) {
  socket.on('message', (data, { port }) => {
    arrived(data.readBigUInt64LE(0))
    add(1, data.length, port)
  })
} else {
  socket.on('message', (data, { port }) => add(1, data.length, port))
}
socket.bind(0, '127.0.0.1', () => announce([socket.address().port]))
