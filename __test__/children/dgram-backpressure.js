'use strict'

// Sends more than the device takes at once, waits until all has left, and closes while more waits.

const { backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const [own, target, port] = process.argv.slice(2)
const COUNT = 300
const socket = createSocket({ type: 'udp4', backend, sendBufferSize: 16_384 })
const data = Buffer.alloc(500)

/** Sends all; what becomes of each. */
function flood(done) {
  const results = []
  for (let index = 0; index < COUNT; index++) {
    socket.send(data, Number(port), target, (error, bytes) => {
      results.push({ index, code: error?.code, bytes })
      if (results.length === COUNT) done(results)
    })
  }
}

socket.bind(0, own, () => {
  let waited = false
  const looking = setInterval(() => {
    const [count, size] = [socket.getSendQueueCount(), socket.getSendQueueSize()]
    if (count * data.length !== size) throw new Error(`${count} datagrams of ${size} bytes`)
    waited ||= count > 0
  }, 1)
  flood((results) => {
    clearInterval(looking)
    const errors = results.filter(({ bytes }) => bytes !== data.length)
    const inOrder = results.every(({ index }, nth) => index === nth)
    print({ waited, errors, inOrder, left: socket.getSendQueueCount() })
    flood((more) => {
      const codes = [...new Set(more.map(({ code }) => code).filter(Boolean))]
      print({ canceled: more.some(({ code }) => code === 'ECANCELED'), codes })
    })
    // Some of it has left by then.
    setImmediate(() => socket.close())
  })
})
