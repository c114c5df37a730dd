'use strict'
// Forbids recvmmsg(2) to this process, before or after its first batch, with coalesced messages queued, and tells what
// arrived: `node seccomp.js before|after ERRNO recv|events auto|mmsg`.

const { join } = require('node:path')
const { PacketBatch, UdpSocket, capabilities } = require('../../index.js')
const testkit = require(join(__dirname, '../../.build/testkit.node'))

const [when, errno, how, backend] = process.argv.slice(2)
const SEGMENT = 100
const PER_MESSAGE = 40
const MESSAGES = 6

const socket = UdpSocket.bind({ address: '127.0.0.1', backend, recvBufferSize: 4 << 20 })
const sender = UdpSocket.bind({ address: '127.0.0.1' })
const { address, port } = socket.address()
const received = []
let next = 0

function queue() {
  for (let message = 0; message < MESSAGES; message++) {
    const data = Buffer.alloc(SEGMENT * PER_MESSAGE)
    for (let nth = 0; nth < PER_MESSAGE; nth++) data.writeUInt32LE(next++, nth * SEGMENT)
    testkit.sendGso(sender.fd, address, port, data, SEGMENT)
  }
}

const take = (batch) => {
  for (const { data, size } of batch) received.push(size === SEGMENT ? data.readUInt32LE(0) : -1)
}

async function main() {
  const backends = [socket.backend]
  if (when === 'after') {
    queue()
    const batch = new PacketBatch({ capacity: 2 })
    socket.recv(batch) // one batch of three, the rest stays queued
    take(batch)
  } else {
    queue()
  }
  testkit.denySyscalls(['recvmmsg'], testkit.constants()[errno])
  queue()
  if (how === 'recv') {
    const batch = new PacketBatch({ capacity: 2 })
    while (socket.recv(batch) > 0) take(batch)
  } else {
    const deadline = setTimeout(() => socket.close(), 10_000)
    for await (const batch of socket) {
      take(batch)
      if (received.length >= next) break
    }
    clearTimeout(deadline)
  }
  backends.push(socket.backend)
  const stats = socket.stats()
  const { recvmmsg } = capabilities()
  let refused = null
  try {
    UdpSocket.bind({ address: '127.0.0.1', backend: 'mmsg' }).close()
  } catch (error) {
    refused = error.code
  }
  const another = UdpSocket.bind({ address: '127.0.0.1' })
  console.log(
    JSON.stringify({ sent: next, received, backends, stats, recvmmsg, refused, later: another.backend }),
  )
  another.close()
  socket.close()
  sender.close()
}

main()
