'use strict'

// Answers questions in each of the ways that `settings` lists, without a word about where answers come from. An answer
// tells what the packet said of itself. Prints the ports.

const path = require('node:path')
const { UdpSocket, backend, print } = require('./common')
const testkit = require(path.join(__dirname, '../../.build/testkit.node'))

const SOL_SOCKET = 1
const SO_NO_CHECK = 11
const IPPROTO_IP = 0
const IP_MULTICAST_ALL = 49

/** Questions that are answered by one call, when there are so many. */
const TOGETHER = 50
const waiting = []

const answer = ({ destination, interfaceIndex }) => JSON.stringify({ destination, interfaceIndex })

const ways = {
  send: (socket, batch) => {
    for (const packet of batch) socket.send(answer(packet), packet)
  },
  copy: (socket, batch) => {
    for (const packet of batch.copy()) socket.send(answer(packet), packet)
  },
  items: (socket, batch) => socket.sendBatch(Array.from(batch, (to) => ({ data: answer(to), to }))),
  copies: (socket, batch) => socket.sendBatch(Array.from(batch.copy(), (to) => ({ data: answer(to), to }))),
  batch: (socket, batch) => socket.sendBatch(batch),
  to: (socket, batch) => {
    for (const to of batch) socket.sendBatch([{ data: answer(to) }], { to })
  },
  toCopy: (socket, batch) => {
    for (const to of batch.copy()) socket.sendBatch([{ data: answer(to) }], { to })
  },
  together(socket, batch) {
    waiting.push(...batch.copy())
    if (waiting.length < TOGETHER) return
    socket.sendBatch(waiting.splice(0).map((to) => ({ data: answer(to), to })))
  },
  // Somebody who is connected to the address that was asked hears one of them.
  mixed(socket, batch) {
    for (const to of batch.copy()) {
      const plain = { port: to.port, address: to.address }
      const packets = [
        { data: 'plain', to: plain },
        { data: answer(to), to },
      ]
      socket.sendBatch([...packets, { data: 'plain', to: plain }])
    }
  },
  many: (socket, batch) => socket.sendToMany(answer(batch.at(0)), batch),
}

const settings = JSON.parse(process.argv[2])
const ports = settings.map(({ way, multicastAll, noCheck, ...options }) => {
  const socket = UdpSocket.bind({ backend, ...options })
  // An IPv6 socket has to ask for what is sent to an IPv4 group of the host's.
  if (multicastAll) testkit.setsockoptInt(socket.fd, IPPROTO_IP, IP_MULTICAST_ALL, 1)
  // Without checksums the kernel refuses UDP_SEGMENT, on every system and device.
  if (noCheck) testkit.setsockoptInt(socket.fd, SOL_SOCKET, SO_NO_CHECK, 1)
  socket.on('batch', (batch) => {
    ways[way](socket, batch)
  })
  return socket.address().port
})
print(ports)
