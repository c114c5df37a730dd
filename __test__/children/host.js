'use strict'

// Sockets that somebody else holds: `support/host.ts` says what they are to do, a JSON value a line on standard input, and
// gets a line for each, in order: `{ value }`, or `{ error }` for what was thrown.

const { createInterface } = require('node:readline')
const { PacketBatch, UdpSocket, print, until } = require('./common')

/** Every byte tells its place: what was cut, moved or mixed up is seen. */
const pattern = Buffer.from(Uint8Array.from({ length: 65_536 }, (_, index) => index % 251))
const payload = (data) => (typeof data === 'number' ? pattern.subarray(0, data) : data)

/** By number, each with what it has told. */
let sockets = []

function note(socket) {
  const told = { packets: [], icmp: [], drop: [], error: [], drain: 0, close: 0 }
  socket.on('icmp', (error) => told.icmp.push(error))
  socket.on('drop', (drop) => told.drop.push(drop))
  socket.on('error', ({ code, syscall }) => told.error.push({ code, syscall }))
  socket.on('drain', () => told.drain++)
  socket.on('close', () => told.close++)
  return { socket, told }
}

function fields(packet) {
  const { data, ...copy } = packet.copy()
  return {
    ...copy,
    ecn: packet.ecn,
    realSize: packet.realSize,
    timestamp: copy.timestamp === null ? null : String(copy.timestamp),
    text: data.length < 64 ? data.toString('latin1') : '',
    whole: data.equals(pattern.subarray(0, data.length)),
  }
}

const actions = {
  bind(options) {
    const { port } = sockets[sockets.push(note(UdpSocket.bind(options))) - 1].socket.address()
    return { number: sockets.length - 1, port }
  },
  clock: () => Date.now(),
  closeAll() {
    for (const { socket } of sockets) socket.close()
    sockets = []
  },
}

const ofOne = {
  call: ({ socket }, name, ...args) => {
    const result = socket[name](...args)
    return result === socket ? null : result
  },
  send: ({ socket }, data, ...to) => socket.send(payload(data), ...to),
  sendBatch({ socket }, data, port, address) {
    const packets = data.map((each) => ({ data: payload(each) }))
    const to = port === undefined ? undefined : { port, address }
    const { error, ...result } = socket.sendBatch(packets, { to })
    return { ...result, code: error?.code ?? null }
  },
  /** Reads by the event loop from now on. */
  listen({ socket, told }) {
    socket.on('batch', (batch) => {
      for (const packet of batch) told.packets.push(fields(packet))
    })
  },
  /** Reads by calls that wait, so many datagrams; fewer where no more come. */
  recv({ socket }, count, { timeout = 5000, flags = 0, packetSize } = {}) {
    const batch = new PacketBatch({ packetSize })
    const packets = []
    while (packets.length < count && socket.recv(batch, { timeout, flags }) > 0)
      packets.push(...Array.from(batch, fields))
    return packets
  },
  /** Sends back so many datagrams, one by one. */
  answer({ socket }, count) {
    const batch = new PacketBatch()
    for (
      let answered = 0;
      answered < count && socket.recv(batch, { timeout: 5000 }) > 0;
      answered += batch.length
    )
      for (const packet of batch) socket.send(packet.data, packet)
    return null
  },
  /** Reads without waiting, until so many have come or been dropped; how many have come. */
  async account({ socket }, count) {
    const batch = new PacketBatch()
    await until(() => {
      while (socket.recv(batch) > 0);
      const { datagrams, kernelDrops } = socket.stats()
      return datagrams + kernelDrops === count
    })
    return socket.stats().datagrams
  },
  /** Waits until so many of one kind have been told: all of that kind. */
  async told({ told }, kind, count) {
    await until(() => told[kind].length >= count)
    return told[kind]
  },
  state: ({ socket, told }) => ({ ...told, stats: socket.stats() }),
}

async function act({ action, number, args }) {
  try {
    const value = await (number === undefined
      ? actions[action](...args)
      : ofOne[action](sockets[number], ...args))
    return { value: value ?? null }
  } catch (error) {
    return { error: { ...error, message: error.message } }
  }
}

let last = Promise.resolve()
createInterface(process.stdin).on('line', (line) => {
  last = last.then(() => act(JSON.parse(line))).then(print)
})
print('ready')
