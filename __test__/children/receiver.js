'use strict'

// Receives, and prints its port. For each number on standard input it waits for so many datagrams and prints what came:
// in how many messages, and how many of each size. `close` and `open` do that, with the same port.

const { createInterface } = require('node:readline')
const { UdpSocket, backend, print } = require('./common')

const { address, ...options } = JSON.parse(process.argv[2])
const sizes = {}
let socket
let port = 0
let before = 0
let wanted = 0

function open() {
  socket = UdpSocket.bind({ backend, address, port, recvBufferSize: 8 << 20, ...options })
  port = socket.address().port
  before = 0
  socket.on('batch', (batch) => {
    for (const { size } of batch) sizes[size] = (sizes[size] ?? 0) + 1
    tell()
  })
}

function tell() {
  const count = Object.values(sizes).reduce((sum, each) => sum + each, 0)
  if (wanted === 0 || count < wanted) return
  const { messages } = socket.stats()
  print({ sizes, messages: messages - before })
  before = messages
  wanted = 0
  for (const size of Object.keys(sizes)) delete sizes[size]
}

createInterface(process.stdin).on('line', (line) => {
  if (line === 'open') open()
  else if (line === 'close') socket.close()
  else {
    wanted = Number(line)
    tell()
    return
  }
  print(line)
})
open()
print(port)
