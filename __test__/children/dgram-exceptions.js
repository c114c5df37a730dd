'use strict'

// What ticks and jobs of a 'message' listener throw, with somebody who catches what nobody caught.

const { AsyncLocalStorage } = require('node:async_hooks')
const { address, backend, print } = require('./common')
const dgram = process.argv[2] === 'theirs' ? require('node:dgram') : require('../../dgram.js')

const COUNT = 9
const storage = new AsyncLocalStorage()
const log = []
let seen = 0

function note(text) {
  log.push(text)
  if (seen < COUNT || log.length < 4 * COUNT) return
  print(log)
  process.exit()
}

process.on('uncaughtException', (error) => note(`caught ${error.message}`))

const options = process.argv[2] === 'theirs' ? { type: 'udp4' } : { type: 'udp4', backend }
const socket = storage.run('made', () => dgram.createSocket(options))
socket.on('message', (data) => {
  seen++
  note(`message ${data} in ${storage.getStore()}`)
  storage.enterWith(`left by ${data}`)
  process.nextTick(() => {
    throw new Error(`tick ${data}`)
  })
  process.nextTick(() => note(`tick ${data}`))
  socket.send('', 9, address, () => {
    throw new Error(`callback ${data}`)
  })
})
socket.bind(0, address, () => {
  const from = dgram.createSocket(options)
  for (let index = 0; index < COUNT; index++) from.send(String(index), socket.address().port, address)
})
