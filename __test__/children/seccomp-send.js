'use strict'
// Forbids sendmmsg(2) to this process, before or after its first batch, and tells what arrived:
// `node seccomp-send.js before|after ERRNO`.

const { join } = require('node:path')
const { PacketBatch, UdpSocket, capabilities } = require('../../index.js')
const testkit = require(join(__dirname, '../../.build/testkit.node'))

const [when, errno] = process.argv.slice(2)
const address = '127.0.0.1'
const receiver = UdpSocket.bind({ address, recvBufferSize: 4 << 20 })
const socket = UdpSocket.bind({ address })
const batch = new PacketBatch({ capacity: 64 })
const received = []
const results = []
let next = 0

function send(count) {
  const items = Array.from({ length: count }, () => ({
    data: String(next++).padStart(8),
    to: receiver.address(),
  }))
  results.push(socket.sendBatch(items))
  while (receiver.recv(batch) > 0) for (const { data } of batch) received.push(Number(data.toString()))
}

if (when === 'after') send(100)
testkit.denySyscalls(['sendmmsg'], testkit.constants()[errno])
send(1500)
// A packet filter's refusal is still one of the datagram and not of the call.
const unfit = socket.sendBatch([{ data: 'x', port: 9, address: '2001:db8::1' }])
send(1)
const { sendmmsg, recvmmsg } = capabilities()
const { messages } = receiver.stats()
console.log(
  JSON.stringify({
    sent: next,
    received,
    refused: results.reduce((sum, { failed }) => sum + failed, 0),
    unfit: unfit.error.code,
    errors: socket.stats().errors,
    backend: socket.backend,
    messages,
    sendmmsg,
    recvmmsg,
  }),
)
