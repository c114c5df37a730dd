'use strict'

// What the programs share. Each asks a server of its own, on the loopback interface, and prints the answers in a line of
// JSON: without ports, times and whatever else differs from run to run. The first argument is the family: udp4 or udp6.

const dgram = require('node:dgram')
const { once } = require('node:events')
const fs = require('node:fs')

/** For all of a program, until its process has ended. */
const DEADLINE = 60_000

const family = process.argv[2] ?? 'udp4'
const loopback = family === 'udp6' ? '::1' : '127.0.0.1'

/** Runs a program, which closes what it opens: then its process ends by itself. */
async function program(main) {
  const late = () => {
    console.error(`it has not ended within ${DEADLINE} ms, for ${process.getActiveResourcesInfo()}`)
    process.exit(1)
  }
  setTimeout(late, DEADLINE).unref()
  // What it has if nothing is left that could bring the answer.
  process.exitCode = 1
  const answer = await main()
  fs.writeSync(1, `${JSON.stringify(answer)}\n`)
  process.exitCode = 0
}

/** A bound socket, for what has a package only at its other end. */
async function boundSocket(options = {}) {
  const socket = dgram.createSocket({ type: family, ...options })
  socket.bind(0, loopback)
  await once(socket, 'listening')
  return socket
}

/** A UDP port that nobody has, for packages that can neither take any nor tell which they took. */
async function freePort() {
  const socket = await boundSocket()
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

/** What stays the same of the second argument of `'message'` listeners. */
function sender({ address, family, port, size }) {
  return { address, family, port: typeof port, size }
}

/** What a function with a callback gives that. */
function called(work) {
  return new Promise((resolve, reject) =>
    work((error, ...values) => (error ? reject(error) : resolve(values))),
  )
}

module.exports = { boundSocket, called, family, freePort, loopback, program, sender }
