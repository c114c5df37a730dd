'use strict'

// One run at a time: programs bind ports such as 1 and 65535, and join groups.

const net = require('node:net')
const { setTimeout: delay } = require('node:timers/promises')

/** An abstract socket: of a network namespace, and gone with the process. */
const NAME = '\0recvmmsg-dgram-differential'

/** Waits until no other process of this network has it. Where the system has no abstract sockets nobody waits. */
async function lock() {
  if (process.platform !== 'linux') return
  while (!(await taken())) await delay(50)
}

function taken() {
  const server = net.createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(NAME, () => resolve(true)).unref()
  })
}

module.exports = { lock }
