'use strict'

// Callbacks of one tick, two of which throw; somebody catches what nobody caught.

const { address, backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const called = []
let caught = 0
process.on('uncaughtException', (error) => {
  if (error.message !== 'thrown') throw error
  caught++
})

const family = address.includes(':') ? 'udp6' : 'udp4'
const socket = createSocket({ type: family, backend })
socket.bindSync({ address })
const { port } = socket.address()
for (let index = 0; index < 5; index++) {
  socket.send(String(index), port, address, () => {
    called.push(index)
    if (called.length === 5) {
      setImmediate(() => {
        print({ called, caught })
        socket.close()
      })
    }
    if (index % 2 === 1) throw new Error('thrown')
  })
}
