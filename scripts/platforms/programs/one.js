'use strict'

// Receives one datagram, or prints why not; for flags.js.

async function main() {
  const { UdpSocket } = require('../../../index.js')
  const socket = UdpSocket.bind({ address: '127.0.0.1' })
  socket.send('hello', socket.address())
  for await (const [packet] of socket) {
    console.log(packet.data.toString())
    return
  }
}

main().catch((error) => console.log(error.message))
