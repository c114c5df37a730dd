'use strict'

// What the receivers in JavaScript have in common: their sums, and how they tell them.
//
// A receiver prints one line of JSON with the ports that it is bound to, and on SIGUSR2 one with what it has received
// so far. A deadline ends it, whatever becomes of who started it.

const DEADLINE_MS = 60_000
const MOST_SAMPLES = 2 ** 20

/** Datagrams, sum of their sizes, sum of their senders' ports. Numbers in a typed array: none of them is an object. */
const totals = new Float64Array(3)

/** Adds a batch's sums, or a datagram's. */
function add(datagrams, sizes, ports) {
  totals[0] += datagrams
  totals[1] += sizes
  totals[2] += ports
}

const samples = new Float64Array(MOST_SAMPLES)
let taken = 0

/** Notes how long a datagram with this stamp (CLOCK_MONOTONIC at sending, in ns) was under way. */
function arrived(stamp) {
  if (taken < MOST_SAMPLES) samples[taken++] = Number(process.hrtime.bigint() - stamp)
}

/** Percentiles since they were last asked for. */
function percentiles() {
  if (taken === 0) return {}
  const sorted = samples.subarray(0, taken).sort()
  const summary = {
    samples: taken,
    p50: sorted[Math.floor(taken / 2)],
    p99: sorted[Math.floor((taken * 99) / 100)],
  }
  taken = 0
  return summary
}

/** Tells that the receiver is bound to `ports`, and whenever asked the sums and what `more()` gives. */
function announce(ports, more = () => ({})) {
  process.on('SIGUSR2', () => {
    const [datagrams, sizes, sum] = totals
    console.log(JSON.stringify({ datagrams, sizes, ports: sum, ...percentiles(), ...more() }))
  })
  setTimeout(() => process.exit(3), DEADLINE_MS)
  console.log(JSON.stringify({ ports }))
}

module.exports = { add, announce, arrived }
