'use strict'

// recvmmsg.js STYLE [--no-gso] …: this package, sending in one of the styles below.

const path = require('node:path')
const { ADDRESS, SIZE, announce, payloads, to, went } = require('./turns')

const root = path.resolve(__dirname, '..', '..', '..')
const { PacketBatch, UdpSocket } = require(root)

const [style] = process.argv.slice(2)
const gso = !process.argv.includes('--no-gso')
const socket = UdpSocket.bind({ address: ADDRESS, gso })

/** Items, made once. */
function items() {
  const packets = payloads.map((data) => ({ data, port: to, address: ADDRESS }))
  return { packets, options: { start: 0 }, count: packets.length }
}

/** A batch as it was received, 40 datagrams to a message, and sent on to one place. */
function batch() {
  const receiver = UdpSocket.bind({ address: ADDRESS, recvBufferSize: 4 << 20 })
  const packets = new PacketBatch()
  const data = Buffer.alloc(40 * SIZE, 'x')
  const messages = Array.from({ length: packets.capacity }, () => ({ data, port: receiver.address().port }))
  socket.sendBatch(messages, { segmentSize: SIZE })
  receiver.recv(packets, { timeout: 1000 })
  receiver.close()
  return { packets, options: { to: { port: to, address: ADDRESS }, start: 0 }, count: packets.length }
}

/** One large buffer that is cut into datagrams. */
function segments() {
  const packets = [{ data: Buffer.concat(payloads), port: to, address: ADDRESS }]
  return { packets, options: { segmentSize: SIZE, start: 0 }, count: payloads.length }
}

/** Sends the same again and again, each time all of it. */
async function sendBatches({ packets, options, count }, end) {
  while (performance.now() < end) {
    const result = socket.sendBatch(packets, options)
    if (result.error) throw result.error
    went(result.sent)
    options.start = result.next % count
    if (options.start > 0) await socket.writable()
  }
}

/** One call per datagram. */
async function sendSingly(end) {
  while (performance.now() < end) {
    for (const payload of payloads) {
      if (socket.send(payload, to, ADDRESS)) went(1)
      else await socket.writable()
    }
  }
}

const styles = { items, batch, segments }
const sending = styles[style]?.()
announce(socket.address().port, sending ? (end) => sendBatches(sending, end) : sendSingly)
