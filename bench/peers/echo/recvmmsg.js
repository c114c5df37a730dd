'use strict'

// recvmmsg.js [--no-segments]: this package, each batch sent back as it is. --no-segments is without UDP_GRO and
// UDP_SEGMENT.

const path = require('node:path')
const { add, announce } = require('../totals')

const { UdpSocket } = require(path.resolve(__dirname, '..', '..', '..'))

const segments = !process.argv.includes('--no-segments')
const options = { address: '127.0.0.1', recvBufferSize: 4 << 20, gro: segments, gso: segments }
const socket = UdpSocket.bind(options)
/** In a typed array, as the totals. */
const sent = new Float64Array(1)

socket.on('batch', (batch) => {
  let sizes = 0
  let ports = 0
  for (let i = 0; i < batch.length; i++) {
    sizes += batch.sizeAt(i)
    ports += batch.portAt(i)
  }
  add(batch.length, sizes, ports)
  // What finds no room is not sent, and missed by who adds up.
  sent[0] += socket.sendBatch(batch).sent
})
announce([socket.address().port], () => {
  const { batches, kernelDrops } = socket.stats()
  return { calls: batches, drops: kernelDrops, sent: sent[0] }
})
