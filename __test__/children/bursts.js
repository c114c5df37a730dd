'use strict'

// Sends what it is told to on standard input, a JSON value a line, and prints what became of it and the errors that the
// socket told: `{ size, count }` is a batch, `{ items }` one as it stands, `{ single }` one datagram; `{ wait }` waits
// until there is something to be received, an error mostly.

const path = require('node:path')
const { createInterface } = require('node:readline')
const { UdpSocket, backend, print } = require('./common')
const testkit = require(path.join(__dirname, '../../.build/testkit.node'))

const SOL_SOCKET = 1
const SO_NO_CHECK = 11

const { connected = false, noCheck = false, port, target, ...options } = JSON.parse(process.argv[2])
const socket = UdpSocket.bind({ backend, ...options })
// Without checksums the kernel refuses UDP_SEGMENT, on every system and device.
if (noCheck) testkit.setsockoptInt(socket.fd, SOL_SOCKET, SO_NO_CHECK, 1)
if (connected) socket.connect(port, target)
const events = []
socket.on('error', ({ code }) => events.push(code))

const told = ({ code, index, syscall }) => ({ code, index, syscall })

async function run({ size, count, items, single, wait }) {
  if (wait) return socket.readable()
  const to = connected ? undefined : { port, address: target }
  try {
    if (single) return socket.send(Buffer.alloc(single), to)
    const packets = items
      ? items.map(({ bytes = 100, ...place }) => ({ data: Buffer.alloc(bytes), ...place }))
      : Array.from({ length: count }, () => ({ data: Buffer.alloc(size), to }))
    const { error, ...result } = socket.sendBatch(packets)
    return { ...result, error: error && told(error) }
  } catch (error) {
    return { thrown: told(error) }
  }
}

createInterface(process.stdin).on('line', async (line) => {
  const result = await run(JSON.parse(line))
  print({ result, events: events.splice(0), errors: socket.stats().errors })
})
