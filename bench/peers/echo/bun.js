'use strict'

// Bun.udpSocket, each datagram sent back as it comes. It has no option for the receive buffer, see c/buffer.c.

const { add, announce } = require('../totals')

/** In a typed array, as the totals. */
const sent = new Float64Array(1)

Bun.udpSocket({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    data(socket, data, port, address) {
      add(1, data.length, port)
      if (socket.send(data, port, address)) sent[0]++
    },
  },
}).then((socket) => announce([socket.port], () => ({ sent: sent[0] })))
