'use strict'

// Exits while datagrams pour in: from a listener, on a timer, between two batches.

const { bind, send } = require('./common')

const sockets = Array.from({ length: 4 }, () => bind({ capacity: 2 }))
let batches = 0
for (const socket of sockets) {
  socket.on('batch', () => {
    send(socket, 'again', 'again'.slice(0, ++batches % 3))
    if (process.pid % 2 === 0 && batches > 300) process.exit(7)
  })
  send(socket, ...'many of them')
}
setTimeout(() => process.exit(7), 30)
