'use strict'

// Blocking receives that a signal interrupts every 10 ms: one that times out, one that a worker feeds.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { PacketBatch, address, bind, print } = require('./common')
const testkit = require(path.join(__dirname, '../../.build/testkit.node'))

const socket = bind()
const batch = new PacketBatch({ capacity: 1 })

function receive(timeout) {
  const begun = performance.now()
  const count = socket.recv(batch, { timeout })
  print({ count, elapsed: performance.now() - begun })
}

testkit.interruptSoon(testkit.constants().SIGUSR2, 10, 50)
receive(300)

const feed = `const { parentPort, workerData: { address, port } } = require('node:worker_threads')
  const socket = require('node:dgram').createSocket(address.includes(':') ? 'udp6' : 'udp4')
  setTimeout(() => socket.send('x', port, address, () => socket.close()), 50)
  parentPort.postMessage('ready')`
const worker = new Worker(feed, { eval: true, workerData: { address, port: socket.address().port } })
worker.once('message', () => {
  testkit.interruptSoon(testkit.constants().SIGUSR2, 10, 20)
  receive(10_000)
  socket.close()
})
