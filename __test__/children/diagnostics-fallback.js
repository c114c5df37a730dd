'use strict'
// Forbids recvmmsg(2) and sendmmsg(2) to this process, and tells what was published of them:
// `node diagnostics-fallback.js ERRNO all|fallback`, the channels that somebody subscribes to.

const diagnostics = require('node:diagnostics_channel')
const { join } = require('node:path')
const { PacketBatch, UdpSocket } = require('../../index.js')
const testkit = require(join(__dirname, '../../.build/testkit.node'))

const [errno, channels] = process.argv.slice(2)
const address = '127.0.0.1'
const sockets = { receiver: UdpSocket.bind({ address }), sender: UdpSocket.bind({ address, gso: false }) }
const { receiver, sender } = sockets
const told = []
for (const kind of channels === 'all' ? ['recv', 'send', 'fallback'] : ['fallback']) {
  diagnostics.subscribe(`recvmmsg:${kind}`, ({ socket, ...rest }) => {
    const whose = Object.keys(sockets).find((name) => sockets[name] === socket)
    told.push({ kind, whose, ...rest })
  })
}
testkit.denySyscalls(['recvmmsg', 'sendmmsg'], testkit.constants()[errno])
const items = Array.from({ length: 3 }, () => ({ data: 'data', to: receiver.address() }))
const { sent } = sender.sendBatch(items)
let received = 0
const batch = new PacketBatch()
for (let count = -1; count !== 0; received += count) count = receiver.recv(batch, { timeout: 200 })
sender.sendBatch(items.slice(1))
console.log(JSON.stringify({ told, sent, received, backend: receiver.backend }))
receiver.close()
sender.close()
