'use strict'
// Three things that are said of recvmmsg(2) here and there, and what it does. Each line of output is one.
//
//   node examples/claims.js
//
// With GRO off, for a message to be a datagram, as it is for who calls recvmmsg(2) from C.

const { PacketBatch, UdpSocket, merge, recvMmsg } = require('recvmmsg')

const bind = (options) =>
  UdpSocket.bind({ address: '127.0.0.1', gro: false, recvBufferSize: 1 << 20, ...options })
const sender = bind()

/** Sends `count` datagrams of `size` bytes to a socket. */
function fill(socket, count, size) {
  const { port, address } = socket.address()
  const items = Array.from({ length: count }, () => ({ data: Buffer.alloc(size) }))
  return sender.sendBatch(items, { to: { port, address } }).sent
}

/** Claimed: it receives "from different sockets". */
function severalSockets() {
  const [first, second] = [bind(), bind()]
  for (const socket of [first, second]) fill(socket, 2, 64)
  const batch = new PacketBatch()
  const received = recvMmsg(first, batch)
  batch.clear()
  // It has one descriptor for an argument. Reading many is poll(2) and a call for each, which is what merge() does.
  const rest = merge([first, second]).recv(batch, { timeout: 1000 })
  for (const socket of [first, second]) socket.close()
  return { claim: 'one call reads several sockets', sent: 4, received, rest }
}

/** Claimed: a non-blocking call fails where fewer messages wait than were asked for. */
function fewerThanAsked() {
  const socket = bind()
  fill(socket, 3, 64)
  const batch = new PacketBatch({ capacity: 64 })
  const received = socket.recv(batch) // with MSG_DONTWAIT, as every call here
  const again = socket.recv(batch) // EAGAIN, which is 0 here: only where there is nothing at all
  socket.close()
  return { claim: 'a non-blocking call fails for fewer messages than asked', asked: 64, received, again }
}

/** Claimed: it is not for small messages, where its overhead outweighs what it saves. */
function smallMessages() {
  const [burst, bursts, blocks] = [16, 200, 12]
  /** Receives some bursts; what each datagram took of the CPU, and how many system calls all of it was. */
  const block = (socket, batch, size) => {
    const total = { datagrams: 0, calls: 0, ns: 0 }
    for (let round = 0; round < bursts; round++) {
      fill(socket, burst, size)
      const before = process.cpuUsage()
      const count = socket.recv(batch)
      const { user, system } = process.cpuUsage(before)
      total.datagrams += count
      total.calls += socket.backend === 'mmsg' ? 1 : count
      total.ns += (user + system) * 1000
    }
    return { calls: total.calls, ns: Math.round(total.ns / total.datagrams) }
  }
  const row = (size) => {
    const sockets = ['mmsg', 'portable'].map((backend) => bind({ backend }))
    const batch = new PacketBatch({ capacity: burst, packetSize: 16_384 })
    const best = [Infinity, Infinity]
    const calls = [0, 0]
    // In turn, and the best of each: who else is busy on this machine disturbs both alike.
    for (let nth = 0; nth < blocks; nth++) {
      for (const [index, socket] of sockets.entries()) {
        const done = block(socket, batch, size)
        best[index] = Math.min(best[index], done.ns)
        calls[index] += done.calls
      }
    }
    for (const socket of sockets) socket.close()
    const [recvmmsg, recvmsg] = best.map((ns, index) => ({ calls: calls[index], ns }))
    return { recvmmsg, recvmsg, saved: `${Math.round(100 * (1 - recvmmsg.ns / recvmsg.ns))} %` }
  }
  const datagrams = burst * bursts * blocks
  return { claim: 'it is not for small messages', datagrams, bytes64: row(64), bytes8000: row(8000) }
}

for (const show of [severalSockets, fewerThanAsked, smallMessages]) console.log(JSON.stringify(show()))
sender.close()
