'use strict'

// Bun.udpSocket. It has no option for the receive buffer, see c/buffer.c.

const { add, announce } = require('./totals')

Bun.udpSocket({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    data(_socket, data, port) {
      add(1, data.length, port)
    },
  },
}).then((socket) => announce([socket.port]))
