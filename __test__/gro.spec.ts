// UDP_GRO: what the kernel coalesced arrives as the datagrams that were sent.

import { capabilities, PacketBatch, UdpSocket } from '../index'
import { bind, closeAll, matrix, type Row, track } from './support/matrix'
import { testkit } from './support/testkit'

const { gro, gso } = capabilities()
const suite = gro && gso ? describe.each(matrix) : describe.skip.each(matrix)
const reason = gro && gso ? '' : ' [skipped: needs UDP_GRO and UDP_SEGMENT]'

afterEach(closeAll)

/** Payload whose bytes tell where they belong. */
function payload(size: number, seed = 0): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + seed) & 0xff))
}

function sendSegments(from: UdpSocket, to: UdpSocket, data: Buffer, segment: number): void {
  const { address, port } = to.address()
  expect(testkit.sendGso(from.fd, address, port, data, segment)).toBe(data.length)
}

/** A datagram in a form that is quick to compare. */
interface Told {
  data: string
  from: string
}

const text = (data: Uint8Array) => Buffer.from(data).toString('latin1')

/** The datagrams that `data` was cut into. */
function cut(data: Buffer, segment: number): string[] {
  const parts: string[] = []
  for (let start = 0; start < data.length; start += segment)
    parts.push(text(data.subarray(start, start + segment)))
  return parts
}

/** Everything the batch says of its payloads and senders, in each way of reading; the ways must agree. */
function read(batch: PacketBatch): Told[] {
  const packets = Array.from(batch, ({ data, size, address, port }): Told => {
    expect(data.length).toBe(size)
    return { data: text(data), from: `${address} ${port}` }
  })
  const columns = packets.map((_, i): Told => {
    const offset = batch.offsetAt(i)
    const data = text(batch.bytes.subarray(offset, offset + batch.sizeAt(i)))
    expect(text(batch.dataAt(i))).toBe(data)
    return { data, from: `${batch.addressAt(i)} ${batch.portAt(i)}` }
  })
  expect(columns).toEqual(packets)
  const at = packets.map((_, i): Told => {
    const packet = batch.at(i - packets.length)!
    return { data: text(packet.data), from: `${packet.address} ${packet.port}` }
  })
  expect(at).toEqual(packets)
  const copies = batch
    .copy()
    .map(({ data, address, port }) => ({ data: text(data), from: `${address} ${port}` }))
  expect(copies).toEqual(packets)
  const json: { data: number[]; address: string; port: number }[] = JSON.parse(JSON.stringify(batch))
  expect(
    json.map(({ data, address, port }) => ({ data: text(Buffer.from(data)), from: `${address} ${port}` })),
  ).toEqual(packets)
  return packets
}

function pair(row: Row, options: Parameters<typeof bind>[1] = {}) {
  const receiver = bind(row, { recvBufferSize: 4 << 20, ...options })
  const sender = bind(row)
  const { address, port } = sender.address()
  return { receiver, sender, from: `${address} ${port}` }
}

suite(`GRO${reason}: $backend $family`, (row) => {
  test('forty datagrams with a short last one arrive as forty, in one message', () => {
    const { receiver, sender, from } = pair(row)
    const data = payload(39 * 1232 + 17)
    sendSegments(sender, receiver, data, 1232)
    const batch = new PacketBatch()
    expect(receiver.recv(batch)).toBe(40)
    expect(read(batch)).toEqual(cut(data, 1232).map((part) => ({ data: part, from })))
    expect(receiver.stats()).toMatchObject({
      datagrams: 40,
      messages: 1,
      batches: 1,
      bytes: data.length,
      overflow: 0,
    })
    expect(receiver.stats().batchSizes[5]).toBe(1)
  })

  test('128 datagrams of one byte fit in every slot', () => {
    const { receiver, sender } = pair(row)
    const capacity = 8
    for (let slot = 0; slot < capacity; slot++) sendSegments(sender, receiver, payload(128, slot), 1)
    const batch = new PacketBatch({ capacity })
    expect(receiver.recv(batch)).toBe(128 * capacity)
    const expected = Array.from({ length: capacity }, (_, slot) => cut(payload(128, slot), 1)).flat()
    expect(read(batch).map(({ data }) => data)).toEqual(expected)
    expect(receiver.stats()).toMatchObject({ messages: capacity, overflow: 0, truncated: 0 })
  })

  test('a capacity of one gives one message a call', () => {
    const { receiver, sender } = pair(row)
    sendSegments(sender, receiver, payload(400), 100)
    sendSegments(sender, receiver, payload(90), 30)
    const batch = new PacketBatch({ capacity: 1 })
    expect(receiver.recv(batch)).toBe(4)
    expect(receiver.recv(batch)).toBe(3)
    expect(receiver.recv(batch)).toBe(0)
  })

  test.each([1232, 2048, 65_535])('a socket with slots of %i bytes does not coalesce', (packetSize) => {
    const { receiver, sender } = pair(row, { packetSize })
    const data = payload(40 * 1232)
    sendSegments(sender, receiver, data, 1232)
    const batch = new PacketBatch({ packetSize })
    expect(receiver.recv(batch)).toBe(40)
    expect(read(batch).map((packet) => packet.data)).toEqual(cut(data, 1232))
    expect(receiver.stats()).toMatchObject({ messages: 40, truncated: 0 })
  })

  test.each([1232, 2048, 65_535])(
    'refuses slots of %i bytes on a socket that coalesces, and reads nothing',
    (packetSize) => {
      const { receiver, sender } = pair(row)
      sendSegments(sender, receiver, payload(40 * 1232), 1232)
      const refused = expect.objectContaining({
        code: 'ERR_BATCH_SLOT_TOO_SMALL',
        message: expect.stringContaining('packetSize of 65536'),
      })
      expect(() => receiver.recv(new PacketBatch({ packetSize }))).toThrow(refused)
      expect(receiver.recv(new PacketBatch({ packetSize: 65_536 }))).toBe(40)
    },
  )

  test('gro: false gives a message per datagram', () => {
    const { receiver, sender } = pair(row, { gro: false })
    sendSegments(sender, receiver, payload(400), 100)
    expect(receiver.recv(new PacketBatch())).toBe(4)
    expect(receiver.stats()).toMatchObject({ datagrams: 4, messages: 4 })
  })

  test('an empty, a longest and a coalesced datagram come in one batch', () => {
    const { receiver, sender, from } = pair(row)
    const longest = payload(65_507, 3)
    const coalesced = payload(1000, 5)
    sender.send('', receiver.address())
    sender.send(longest, receiver.address())
    sendSegments(sender, receiver, coalesced, 300)
    sender.send('', receiver.address())
    const batch = new PacketBatch()
    expect(receiver.recv(batch)).toBe(7)
    const expected = ['', text(longest), ...cut(coalesced, 300), '']
    expect(read(batch)).toEqual(expected.map((data) => ({ data, from })))
    expect(receiver.stats()).toMatchObject({ datagrams: 7, messages: 4, bytes: 66_507, truncated: 0 })
  })

  test('a descriptor that coalesces already is read as one that does', () => {
    const { SOL_UDP = 17, UDP_GRO } = testkit.constants()
    const fd = testkit.makeSocket(row.family === 'udp4' ? 'inet' : 'inet6', 'dgram')
    testkit.setsockoptInt(fd, SOL_UDP, UDP_GRO!, 1)
    testkit.bindAny(fd)
    const receiver = track(UdpSocket.fromFd(fd, { backend: row.backend }))
    sendSegments(bind(row), receiver, payload(400), 100)
    expect(receiver.recv(new PacketBatch())).toBe(4)
    expect(receiver.stats()).toMatchObject({ datagrams: 4, messages: 1 })
  })

  test('gro: true turns it on for a descriptor that did not', () => {
    const fd = testkit.makeSocket(row.family === 'udp4' ? 'inet' : 'inet6', 'dgram')
    testkit.bindAny(fd)
    const receiver = track(UdpSocket.fromFd(fd, { backend: row.backend, gro: true }))
    sendSegments(bind(row), receiver, payload(400), 100)
    expect(receiver.recv(new PacketBatch())).toBe(4)
    expect(receiver.stats().messages).toBe(1)
  })

  test('many flows in many batches lose and reorder nothing', () => {
    const { receiver } = pair(row)
    const flows = [bind(row), bind(row), bind(row)]
    for (let round = 0; round < 10; round++) {
      for (const [index, flow] of flows.entries())
        sendSegments(flow, receiver, payload(20 * 8, round + index), 8)
    }
    const ports = flows.map((flow) => flow.address().port)
    const seen = new Map<number, Buffer[]>(ports.map((port) => [port, []]))
    const batch = new PacketBatch({ capacity: 4 })
    while (receiver.recv(batch) > 0) {
      for (const packet of batch) seen.get(packet.port)!.push(Buffer.from(packet.data))
    }
    for (const [index, port] of ports.entries()) {
      const sent = Array.from({ length: 10 }, (_, round) => payload(160, round + index))
      expect(Buffer.concat(seen.get(port)!)).toEqual(Buffer.concat(sent))
      expect(seen.get(port)).toHaveLength(200)
    }
  })
})
