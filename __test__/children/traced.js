'use strict'

// Tells its number, waits for a line, and only then loads the addon, whose first calls count, too. Sends to itself, and
// tells what its sockets have counted.

process.stdout.write(`${process.pid}\n`)
process.stdin.once('data', () => {
  const { PacketBatch, UdpSocket } = require('../..')
  const socket = UdpSocket.bind({ address: '127.0.0.1', backend: 'mmsg', gro: false, capacity: 4 })
  const { port } = socket.address()
  const batch = new PacketBatch({ capacity: 4 })
  let received = 0
  for (let round = 0; round < 50; round++) {
    // Of different sizes: one size would go out in one message.
    const packets = Array.from({ length: 1 + (round % 7) }, (_, index) => ({
      data: Buffer.alloc(9 - index),
      port,
    }))
    for (const packet of packets) packet.address = '127.0.0.1'
    socket.sendBatch(packets)
    for (let count = -1; count !== 0; received += count) count = socket.recv(batch)
  }
  const { batches, messages } = socket.stats()
  socket.close()
  process.stdout.write(`${JSON.stringify({ received, batches, messages })}\n`)
  process.stdin.destroy()
})
