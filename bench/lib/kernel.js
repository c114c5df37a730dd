'use strict'

// What the kernel tells of a bound UDP socket: /proc/net/udp.

const fs = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')

const QUIET_MS = 40
const PATIENCE_MS = 10_000

/** Bytes that wait at a port, and the messages dropped there so far. */
function socketAt(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  for (const line of fs.readFileSync('/proc/net/udp', 'utf8').split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[1]?.endsWith(`:${hex}`)) {
      return { waiting: Number.parseInt(fields[4].split(':')[1], 16), drops: Number(fields[12]) }
    }
  }
  throw new Error(`nothing is bound to port ${port}`)
}

/** Waits until nothing waits at the ports any more, and what was taken has been dealt with. */
async function untilQuiet(ports) {
  const end = performance.now() + PATIENCE_MS
  for (let empty = 0; empty < 2; ) {
    if (performance.now() > end) throw new Error('the receiver did not come to the end of its queue')
    await sleep(QUIET_MS)
    empty = ports.every((port) => socketAt(port).waiting === 0) ? empty + 1 : 0
  }
}

/** Messages dropped at each port. */
function dropsAt(ports) {
  return ports.map((port) => socketAt(port).drops)
}

module.exports = { dropsAt, untilQuiet }
