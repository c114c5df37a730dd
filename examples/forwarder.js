'use strict'
// Sends what it receives on to others, each datagram to one of them, or to all with --all; without any, back to where it
// came from (an echo).
//
//   node examples/forwarder.js 9000                               an echo
//   node examples/forwarder.js 9000 127.0.0.1:9001 127.0.0.1:9002 --all
//
// A received batch is sent on as it lies: no payload is copied in JavaScript, and what came coalesced (UDP_GRO) leaves in
// as few messages (UDP_SEGMENT). While a send buffer is full nothing is read: the kernel's receive buffer is the queue, and
// what does not fit there is dropped, and counted.

const { parseArgs } = require('node:util')
const { UdpSocket } = require('recvmmsg')

const { values, positionals } = parseArgs({
  options: { all: { type: 'boolean', default: false }, address: { type: 'string', default: '127.0.0.1' } },
  allowPositionals: true,
})
const [port, ...others] = positionals
if (!/^\d+$/.test(port ?? '')) {
  console.error('usage: forwarder.js PORT [ADDRESS:PORT …] [--all] [--address ADDRESS]')
  process.exit(2)
}
const targets = others.map((text) => {
  const [, address, number] = /^\[?(.+?)\]?:(\d+)$/.exec(text) ?? []
  return { address, port: Number(number) }
})

const socket = UdpSocket.bind({
  address: values.address,
  port: Number(port),
  recvBufferSize: 4 << 20,
  sendBufferSize: 4 << 20,
})
let turn = 0
let failed = 0

/** Sends a batch, waiting for room as often as it takes. */
async function send(batch, to) {
  const result = await socket.sendAll(batch, { to })
  failed += result.failed
}

async function main() {
  console.log(JSON.stringify({ listening: socket.address() }))
  // The batch is not filled again before the body is done.
  for await (const batch of socket) {
    if (targets.length === 0) await send(batch)
    else if (values.all) for (const to of targets) await send(batch, to)
    else await send(batch, targets[turn++ % targets.length])
  }
  const { datagrams, bytes, kernelDrops } = socket.stats()
  console.log(JSON.stringify({ datagrams, bytes, failed, kernelDrops }))
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => socket.close())
main()
