'use strict'

// Bun.udpSocket, `sendMany`: an array with payload, port and address of one datagram after the other.

const { ADDRESS, announce, payloads, to, went } = require('./turns')

const packets = payloads.flatMap((payload) => [payload, to, ADDRESS])
let drained = () => {}

async function send(end) {
  while (performance.now() < end) {
    const sent = socket.sendMany(packets)
    went(sent)
    if (sent < payloads.length) {
      await new Promise((resolve) => {
        drained = resolve
      })
    }
  }
}

let socket
Bun.udpSocket({ hostname: ADDRESS, port: 0, socket: { drain: () => drained() } }).then((bound) => {
  socket = bound
  announce(socket.port, send)
})
