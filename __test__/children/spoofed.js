'use strict'

// spoofed.js SOURCES: a datagram from each of so many addresses; what each comes to, and the heap on the way.

const { execFile } = require('node:child_process')
const path = require('node:path')
const { bind, print, until } = require('./common')

// Who may not have so large a buffer is warned, on standard error, and needs it less.
process.removeAllListeners('warning')
const sources = Number(process.argv[2])
const socket = bind({ recvBufferSize: 8 << 20, packetSize: 512 })
let datagrams = 0
let wrong = 0
let last = -1

/** 127.64.0.0 and on, in order. */
function addressOf(index) {
  return `127.${64 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}`
}

socket.on('batch', (batch) => {
  for (const { data, address } of batch) {
    // Some may be lost, none may come twice or from elsewhere than it says.
    const index = Number(data.readBigUInt64LE())
    if (index <= last || address !== addressOf(index)) wrong++
    last = index
    datagrams++
  }
})

function heap() {
  global.gc()
  return process.memoryUsage().heapUsed
}

const program = path.join(__dirname, '../../.build/sender')
const to = `127.0.0.1:${socket.address().port}`
const run = (messages) =>
  new Promise((resolve, reject) => {
    const args = ['--to', to, '--size', '64', '--sources', String(messages), '--messages', String(messages)]
    execFile(program, args, (error) => (error ? reject(error) : resolve()))
  })

async function main() {
  const warm = 20_000
  const arrived = (total) => until(() => datagrams + socket.stats().kernelDrops === total)
  await run(warm)
  await arrived(warm)
  last = -1
  const before = heap()
  await run(sources)
  await arrived(warm + sources)
  print({ wrong, grown: heap() - before, datagrams })
  socket.close()
}

main()
