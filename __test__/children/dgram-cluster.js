'use strict'

// Two workers that bind the same port with reusePort; the primary sends from many ports, and prints what each has got.

const cluster = require('node:cluster')
const { address, backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const SENDERS = 64

function worker() {
  const socket = createSocket({ type: 'udp4', backend, reusePort: true })
  socket.on('message', () => process.send('got'))
  socket.bind(Number(process.env.PORT), address, () => process.send('listening'))
}

function primary() {
  // Keeps the port from being anybody else's, and gets nothing: it is not read, and closed before the senders send.
  const holder = createSocket({ type: 'udp4', backend, reusePort: true })
  const { port } = holder.bindSync({ address })
  const workers = [0, 1].map(() => cluster.fork({ PORT: String(port) }))
  const counts = [0, 0]
  let listening = 0
  for (const [index, each] of workers.entries()) {
    each.on('message', (what) => {
      if (what === 'listening' && ++listening === workers.length) {
        holder.close()
        holder.once('close', () => send(port))
      } else if (what === 'got') {
        counts[index]++
        if (counts[0] + counts[1] < SENDERS) return
        print(counts)
        for (const one of workers) one.kill()
      }
    })
  }
}

function send(port) {
  for (let index = 0; index < SENDERS; index++) {
    const from = createSocket({ type: 'udp4', backend })
    from.send('x', port, address, () => from.close())
  }
}

if (cluster.isPrimary) primary()
else worker()
