'use strict'

// A worker that waits for a datagram of either of two sockets, a minute at most, and tells what came.

const { parentPort } = require('node:worker_threads')
const { PacketBatch, bind } = require('./common')
const { merge } = require('../../index.js')

const sockets = [bind(), bind()]
const batch = new PacketBatch({ capacity: 1 })
parentPort.postMessage(sockets.map((socket) => socket.address().port))
while (merge(sockets).recv(batch, { timeout: 60_000 }) > 0) {
  parentPort.postMessage([sockets.indexOf(batch.socket), batch.at(0).data.toString()])
}
