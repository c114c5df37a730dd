'use strict'

// Fills the send buffer in each of the ways to send, and waits for room in each of the ways to wait; what came of each.

const { once } = require('node:events')
const { UdpSocket, backend, print } = require('./common')

const { own, target, port, bytes, names, all, connected } = JSON.parse(process.argv[2])
const socket = UdpSocket.bind({ backend, address: own, sendBufferSize: 16_384 })
const data = Buffer.alloc(bytes)
const to = connected ? undefined : { port, address: target }
if (connected) socket.connect(port, target)
const PLENTY = 1000
let sent = 0
let drains = 0
const errors = []
socket.on('drain', () => drains++)
socket.on('error', ({ code }) => errors.push(code))

/** Datagrams that were sent until there was no room. */
function fill(send) {
  for (let count = 0; count < PLENTY; count++) {
    if (!send()) return count
    sent++
  }
  return PLENTY
}

/** The wait, and which part of it the process was busy. */
async function waited(wait) {
  const begun = performance.now()
  const before = process.cpuUsage()
  const result = await wait()
  const { user, system } = process.cpuUsage(before)
  return { result, milliseconds: performance.now() - begun, busy: (user + system) / 1000 }
}

const drain = () => once(socket, 'drain').then(() => 'drain')

const ways = {
  send: () => fill(() => (connected ? socket.send(data) : socket.send(data, port, target))),
  sourced: () => fill(() => socket.send(data, { ...to, destination: own })),
  batch() {
    const result = socket.sendBatch(Array(PLENTY).fill({ data, to }))
    sent += result.sent
    if (result.failed > 0 || result.error !== null || result.sent !== result.next) throw result
    return result.next
  },
  many() {
    const result = socket.sendToMany(data, Array(PLENTY).fill(to))
    sent += result.sent
    return result.next
  },
}

async function main() {
  for (const [name, way] of Object.entries(ways)) {
    if (!names.includes(name)) continue
    for (const wait of [drain, () => socket.writable()]) {
      const before = drains
      const filled = way()
      const { result, milliseconds, busy } = await waited(wait)
      print({
        name,
        short: filled < PLENTY,
        result,
        drains: drains - before,
        milliseconds,
        busy,
      })
    }
  }
  if (all) {
    const { sent: more, failed, next } = await socket.sendAll(Array(PLENTY).fill({ data, to }))
    sent += more
    print({ name: 'all', sent: more, failed, next })
  }
  print({ sent, drains, errors: [...new Set(errors)] })
  socket.close()
}

main()
