'use strict'

// What the senders in JavaScript have in common: `… SHOWN WINDOW PORT MS MS`.
//
// A sender prints one line of JSON with the port that it sends from. On SIGUSR2 it sends to PORT for so many
// milliseconds, at the next one for the next number, and tells how many datagrams went and in what time. It looks at what
// the sink has received, which the file SHOWN has, so that no more than WINDOW are under way. A deadline ends it, whatever
// becomes of who started it.

const fs = require('node:fs')

const DEADLINE_MS = 60_000
const NAP_MS = 0.2
const SIZE = 64
const ADDRESS = '127.0.0.1'

const [shown, ...numbers] = process.argv.slice(-5)
const [window, to, ...turns] = numbers.map(Number)
/** What is sent, made once. As many as one system call takes. */
const payloads = Array.from({ length: 1024 }, () => Buffer.allocUnsafe(SIZE).fill('x'))

const file = fs.openSync(shown)
const received = Buffer.alloc(8)
const nobody = new Int32Array(new SharedArrayBuffer(4))
/** Sent so far, and how many may be. In a typed array: neither is an object. */
const counts = new Float64Array(2)

/** Counts what was sent, and waits until the sink has received so much that there may be more: rarely. */
function went(datagrams) {
  counts[0] += datagrams
  while (counts[0] >= counts[1]) {
    fs.readSync(file, received, 0, 8, 0)
    counts[1] = Number(received.readBigUInt64LE()) + window
    if (counts[0] >= counts[1]) Atomics.wait(nobody, 0, 0, NAP_MS)
  }
}

/** Tells that the sender is bound to `port`; `send(end)` sends until then, by performance.now(). */
function announce(port, send) {
  process.on('SIGUSR2', async () => {
    const [before] = counts
    const start = performance.now()
    await send(start + turns.shift())
    const seconds = (performance.now() - start) / 1000
    console.log(JSON.stringify({ datagrams: counts[0] - before, seconds }))
  })
  setTimeout(() => process.exit(3), DEADLINE_MS)
  console.log(JSON.stringify({ ports: [port] }))
}

module.exports = { ADDRESS, SIZE, announce, payloads, to, went }
