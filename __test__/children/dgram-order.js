'use strict'

// What listeners queue, in order; `without` the function by which a runtime lets ticks run in between.

if (process.argv[2] === 'without') process._tickCallback = undefined

const { address, backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const COUNT = 10
const log = []
const socket = createSocket({ type: 'udp4', backend })
socket.on('message', (data) => {
  log.push(`message ${data}`)
  process.nextTick(() => log.push(`tick ${data}`))
  Promise.resolve().then(() => log.push(`job ${data}`))
  if (Number(data) < COUNT - 1) return
  setImmediate(() => {
    print(log)
    socket.close()
  })
})
socket.bindSync({ address })
const from = createSocket({ type: 'udp4', backend }).unref()
for (let index = 0; index < COUNT; index++) from.send(String(index), socket.address().port, address)
