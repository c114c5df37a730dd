'use strict'

// Every third message makes the listener throw; somebody catches what nobody caught.

const { address, backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const COUNT = 20
const seen = []
let errors = 0

process.on('uncaughtException', (error) => {
  if (error.message !== 'thrown') throw error
  errors++
  end()
})

const socket = createSocket({ type: 'udp4', backend })
const other = createSocket({ type: 'udp4', backend })

function end() {
  if (seen.length < COUNT || errors < Math.ceil(COUNT / 3)) return
  print({ seen, errors })
  socket.close()
  other.close()
}

socket.on('message', (data) => {
  seen.push(String(data))
  // The slots are another's meanwhile.
  from.send('meanwhile', other.address().port, address)
  end()
  if ((seen.length - 1) % 3 === 0) throw new Error('thrown')
})

other.bindSync({ address })
socket.bindSync({ address })
const from = createSocket({ type: 'udp4', backend })
from.unref()
for (let index = 0; index < COUNT; index++) from.send(String(index), socket.address().port, address)
