'use strict'

// busy.js SOCKETS: so many sockets with a 'batch' listener that burns 100 ns for each datagram, and a timer of 1 ms
// beside them. Tells what each socket received, and the timer's worst lag since it was last asked.

const path = require('node:path')
const { announce } = require('./totals')

const { UdpSocket } = require(path.resolve(__dirname, '..', '..'))

const BURN_NS = 100
const TIMER_MS = 1

let state = 1

/** Does nothing useful, in a way that cannot be left out. */
function spin(times) {
  let x = state
  for (let i = 0; i < times; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0
  state = x
}

/** Turns of `spin` that take 100 ns. */
function calibrated() {
  const turns = 20_000_000
  spin(turns) // compiles it
  const start = process.hrtime.bigint()
  spin(turns)
  return Math.max(1, Math.round((turns * BURN_NS) / Number(process.hrtime.bigint() - start)))
}

const turns = calibrated()
const counts = []

function open(index) {
  const socket = UdpSocket.bind({ address: '127.0.0.1', recvBufferSize: 4 << 20 })
  counts[index] = { datagrams: 0, sizes: 0, ports: 0 }
  socket.on('batch', (batch) => {
    let sizes = 0
    let ports = 0
    for (let i = 0; i < batch.length; i++) {
      sizes += batch.sizeAt(i)
      ports += batch.portAt(i)
      spin(turns)
    }
    const own = counts[index]
    own.datagrams += batch.length
    own.sizes += sizes
    own.ports += ports
  })
  return socket.address().port
}

let worst = 0

function arm() {
  const armed = performance.now()
  setTimeout(() => {
    worst = Math.max(worst, performance.now() - armed - TIMER_MS)
    arm()
  }, TIMER_MS)
}

const ports = Array.from({ length: Number(process.argv[2]) }, (_, index) => open(index))
announce(ports, () => {
  const lag = worst
  worst = 0
  return { lag, sockets: structuredClone(counts), turns }
})
arm()
