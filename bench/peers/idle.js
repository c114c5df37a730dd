'use strict'

// idle.js SOCKETS: when asked, so many sockets that are read and to which nobody sends. The memory before is the
// runtime's own.

const path = require('node:path')

const { UdpSocket } = require(path.resolve(__dirname, '..', '..'))

const DEADLINE_MS = 60_000

const sockets = []

process.on('SIGUSR2', () => {
  while (sockets.length < Number(process.argv[2])) {
    sockets.push(UdpSocket.bind({ address: '127.0.0.1' }).on('batch', () => {}))
  }
  console.log(JSON.stringify({ open: sockets.length }))
})
setTimeout(() => process.exit(3), DEADLINE_MS)
console.log(JSON.stringify({ ports: [] }))
