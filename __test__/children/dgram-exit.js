'use strict'

// A process that sends on a connected socket and exits at once; its parent, which is this as well, has what it sent.

const { spawn } = require('node:child_process')
const { address, backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const port = Number(process.argv[2])
const socket = createSocket({ type: 'udp4', backend })
if (port) {
  socket.connectSync(port, address)
  socket.send('first')
  socket.send('second')
  process.exit()
}

socket.bindSync({ address })
const messages = []
socket.on('message', (data) => {
  print(String(data))
  if (messages.push(data) === 2) socket.close()
})
const child = spawn(process.execPath, [__filename, String(socket.address().port)], { stdio: 'inherit' })
// Without its datagrams this would wait for ever.
child.on('exit', () => setTimeout(() => process.exit(1), 5000).unref())
