'use strict'

// Datagrams that are sent in 'exit' handlers, registered before the first send and after; and one before.

const { backend } = require('./common')
const { createSocket } = require('../../dgram.js')

const socket = createSocket({ type: 'udp4', backend })
process.on('exit', () => socket.send('first'))
socket.connectSync(Number(process.argv[2]), process.env.CHILD_ADDRESS)
socket.send('zeroth')
process.on('exit', () => {
  socket.send('second')
  socket.send('third')
})
process.exit()
