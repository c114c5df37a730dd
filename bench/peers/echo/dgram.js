'use strict'

// node:dgram, each datagram sent back as it comes. The `lookup` is why in send/dgram.js.

const dgram = require('node:dgram')
const { add, announce } = require('../totals')

const lookup = (address, _options, callback) => callback(null, address, 4)
const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, lookup })
/** In a typed array, as the totals. */
const sent = new Float64Array(1)

function done(error) {
  if (error) throw error
  sent[0]++
}

socket.on('message', (data, { address, port }) => {
  add(1, data.length, port)
  socket.send(data, port, address, done)
})
socket.bind(0, '127.0.0.1', () => announce([socket.address().port], () => ({ sent: sent[0] })))
