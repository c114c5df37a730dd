'use strict'

// Joins an IPv6 group on an interface, sends to it from the same host, leaves it, joins what one source sends there.

const { backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const [device, own] = process.argv.slice(2)
const GROUP = 'ff05::8352'
const SSM = 'ff35::8352'

const socket = createSocket({ type: 'udp6', backend, reuseAddr: true })
const from = createSocket({ type: 'udp6', backend })
const messages = []

function send(text, group) {
  from.send(text, socket.address().port, group, (error) => {
    if (error) throw error
  })
}

socket.on('message', (data) => {
  if (messages.push(String(data)) === 1) {
    socket.dropMembership(GROUP, `::%${device}`)
    send('left', GROUP)
    socket.addSourceSpecificMembership(own, SSM, `::%${device}`)
    send('joined a source', SSM)
  } else {
    print(messages)
    socket.close()
    from.close()
  }
})
socket.bind(() => {
  socket.addMembership(GROUP, `::%${device}`)
  from.bind(0, own, () => {
    from.setMulticastInterface(`::%${device}`)
    from.setMulticastLoopback(true)
    send('joined', GROUP)
  })
})
