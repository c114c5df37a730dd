'use strict'
// A listener for a market-data feed: datagrams with a sequence number, sent to a multicast group, on two lines that carry
// the same. What one line has lost the other one brings; what both have lost is a gap.
//
//   node examples/market-data.js 233.252.0.1:30001 233.252.0.2:30001 --interface 127.0.0.1
//
// A datagram begins with its number, 8 bytes, big-endian. Once a second, and at the end, it prints what it has seen.
// Where datagrams are lost matters here: on the wire they leave a gap and nothing else, at this host the kernel tells
// (`drops`), and `recvBufferSize` is what helps.

const { parseArgs } = require('node:util')
const { UdpSocket } = require('recvmmsg')

const { values, positionals } = parseArgs({
  options: { interface: { type: 'string', default: '0.0.0.0' } },
  allowPositionals: true,
})
if (positionals.length === 0) {
  console.error('usage: market-data.js GROUP:PORT [GROUP:PORT] [--interface ADDRESS]')
  process.exit(2)
}

/** Numbers in order of arrival, from any line; who is late is a repetition of what came by the other. */
class Sequence {
  /** The next that nobody has seen. */
  next = 0n
  /** Numbers below that are missing, and may still come. */
  missing = new Set()
  received = 0
  repeated = 0
  /** Given up: more than `MOST` are missing. */
  lost = 0
  static MOST = 100_000

  add(number) {
    if (number >= this.next) {
      // The first of all begins the stream, whatever its number.
      if (this.received > 0) this.#gap(this.next, number)
      this.next = number + 1n
    } else if (!this.missing.delete(number)) {
      this.repeated++
      return
    }
    this.received++
  }

  /** All from `first` on, and before `end`, are missing. */
  #gap(first, end) {
    // A number from nowhere must not keep the listener busy: of a long gap only the last ones may still come.
    const given = end - first - BigInt(Sequence.MOST)
    if (given > 0n) this.lost += Number(given)
    for (let number = given > 0n ? first + given : first; number < end; number++) this.#miss(number)
  }

  #miss(number) {
    this.missing.add(number)
    if (this.missing.size <= Sequence.MOST) return
    // A Set's first is its oldest.
    const [oldest] = this.missing
    this.missing.delete(oldest)
    this.lost++
  }
}

const sequence = new Sequence()
const lines = positionals.map((text) => {
  const [, group, port] = /^(.+):(\d+)$/.exec(text) ?? []
  const line = { text, datagrams: 0, dropped: 0 }
  // Bound to the group: what is sent to the port at another address is not for us.
  const socket = UdpSocket.bind({
    address: group,
    port: Number(port),
    reuseAddr: true,
    recvBufferSize: 4 << 20,
    drops: true,
  })
  socket.addMembership(group, values.interface)
  socket.on('drop', ({ count }) => {
    line.dropped += count
  })
  socket.on('batch', (batch) => {
    const { bytes } = batch
    for (let index = 0; index < batch.length; index++) {
      if (batch.sizeAt(index) < 8) continue
      sequence.add(bytes.readBigUInt64BE(batch.offsetAt(index)))
    }
    line.datagrams += batch.length
  })
  line.socket = socket
  return line
})

function report() {
  const { received, repeated, missing, lost } = sequence
  const seen = lines.map(({ text, datagrams, dropped }) => ({ line: text, datagrams, dropped }))
  console.log(JSON.stringify({ received, repeated, missing: missing.size, lost, lines: seen }))
}

const timer = setInterval(report, 1000)
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    clearInterval(timer)
    for (const { socket } of lines) socket.close()
    report()
  })
}
console.log(JSON.stringify({ listening: positionals }))
