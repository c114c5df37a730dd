'use strict'

// A worker that waits a minute for a datagram which does not come.

const { parentPort } = require('node:worker_threads')
const { PacketBatch, bind } = require('./common')

const socket = bind()
parentPort.postMessage('waiting')
socket.recv(new PacketBatch({ capacity: 1 }), { timeout: 60_000 })
