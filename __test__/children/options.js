'use strict'

// One end of a cable of MTU 1,500, in a namespace: what options do there. A value for each question of argv, in order.

const { PacketBatch, UdpSocket, backend, print } = require('./common')

const { family, device, address, peer } = JSON.parse(process.argv[2])
const any = family === 'udp6' ? '::' : '0.0.0.0'
const group = family === 'udp6' ? 'ff05::8353' : '232.1.8.36'
const member = family === 'udp6' ? `::%${device}` : address
const batch = new PacketBatch()

const bind = (options = {}) => UdpSocket.bind({ address: any, backend, ...options })

function outcome(call) {
  try {
    return call()
  } catch ({ code }) {
    return code
  }
}

/** What has come: what is sent to one's own host has arrived when the call returns, but for a moment now and then. */
function received(socket) {
  return socket.recv(batch, { timeout: 200 })
}

// What is too large for the cable: alone, among others, in segments.
const sizes = [1400, 2000]
for (const options of [{}, { dontFragment: false }, { dontFragment: true }]) {
  const socket = bind(options)
  const one = () => sizes.map((size) => outcome(() => socket.send(Buffer.alloc(size), 9, peer)))
  const many = () => {
    const packets = [1400, 2000, 2000, 1300].map((size) => ({ data: Buffer.alloc(size) }))
    const { sent, failed, error } = socket.sendBatch(packets, { to: { port: 9, address: peer } })
    return [sent, failed, error?.code ?? null]
  }
  print([...one(), ...many()])
  if (options.dontFragment === undefined) continue
  socket.setDontFragment(!options.dontFragment)
  print(one())
  socket.close()
}

// One interface only: what is sent to an address comes, for the kernel, by the interface that has it.
for (const bindToDevice of ['lo', device]) {
  const socket = bind({ bindToDevice })
  const sender = bind()
  const counts = []
  for (const name of [bindToDevice, '', device, 'lo']) {
    socket.bindToDevice(name)
    sender.send('x', socket.address().port, address)
    counts.push(received(socket))
  }
  print(counts)
  socket.close()
  sender.close()
}

// Two sockets of one port, of which the other has joined.
for (const multicastAll of [undefined, true, false]) {
  const joined = bind({ reuseAddr: true })
  const { port } = joined.address()
  const other = bind({ reuseAddr: true, port, multicastAll })
  const sender = bind()
  sender.setMulticastInterface(member)
  joined.addMembership(group, member)
  const counts = []
  for (const set of [undefined, false, true]) {
    if (set !== undefined) other.setMulticastAll(set)
    sender.send('x', port, group)
    counts.push([received(joined), received(other)])
  }
  print(counts)
  for (const socket of [joined, other, sender]) socket.close()
}
