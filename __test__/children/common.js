'use strict'

// What the child programs share. Their mode is in the environment, their results are JSON values, a line each.

const fs = require('node:fs')
const path = require('node:path')
const { PacketBatch, UdpSocket } = require('../../index.js')

const { CHILD_BACKEND: backend, CHILD_ADDRESS: address } = process.env

/** Synchronous, so that nothing is lost however the process ends. */
function print(value) {
  fs.writeSync(1, `${JSON.stringify(value)}\n`)
}

function bind(options = {}) {
  return UdpSocket.bind({ address, backend, ...options })
}

let peer

function send(socket, ...payloads) {
  peer ??= bind().unref()
  for (const payload of payloads) peer.send(payload, socket.address().port, address)
}

async function until(condition, deadline = 10_000) {
  const end = performance.now() + deadline
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not true within ${deadline} ms: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** As in `support/loop.ts`. */
function busyTurns() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 200
}

/** As in `support/loop.ts`. */
async function idleTurns() {
  const turns = () => performance.nodeTiming?.uvMetricsInfo?.loopCount ?? busyTurns()
  let fewest = Number.POSITIVE_INFINITY
  for (let time = 0; time < 3; time++) {
    const before = turns()
    await new Promise((resolve) => setTimeout(resolve, 100))
    fewest = Math.min(fewest, turns() - before)
  }
  return fewest
}

/** Entries of a directory of /proc/self: `fd`, `task`. */
function count(directory) {
  return fs.readdirSync(path.join('/proc/self', directory)).length
}

module.exports = { PacketBatch, UdpSocket, address, backend, bind, count, idleTurns, print, send, until }
