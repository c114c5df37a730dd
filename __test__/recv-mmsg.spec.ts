// What programs expect of recvmmsg, on each backend, over IPv4 and IPv6, with GRO and without.

import { constants, PacketBatch, recvMmsg, type UdpSocket } from '../index'
import { bind, closeAll, matrix } from './support/matrix'

const SLOTS = 32
const PACKET = 64

const table = matrix.flatMap((row) => [
  { ...row, gro: false },
  { ...row, gro: true },
])

afterEach(closeAll)

function sendMany(from: UdpSocket, to: UdpSocket, count: number): void {
  const target = to.address()
  for (let index = 0; index < count; index++) {
    expect(from.send(Buffer.alloc(PACKET, index), target)).toBe(true)
  }
}

/** Size and sender of each datagram, as told in each way there is. */
function senders(batch: PacketBatch): string[] {
  const told = Array.from(batch, (packet) => `${packet.size} ${packet.address} ${packet.port}`)
  const columns = told.map((_, i) => `${batch.sizeAt(i)} ${batch.addressAt(i)} ${batch.portAt(i)}`)
  expect(columns).toEqual(told)
  return told
}

function expected(count: number, from: UdpSocket): string[] {
  const { address, port } = from.address()
  return new Array(count).fill(`${PACKET} ${address} ${port}`)
}

describe.each(table)('recvMmsg: $backend $family gro $gro', (row) => {
  const setUp = () => ({
    receiver: bind(row, { gro: row.gro }),
    sender: bind(row),
    batch: new PacketBatch({ capacity: SLOTS }),
  })

  test('one call gives 31 datagrams of 31', () => {
    const { receiver, sender, batch } = setUp()
    sendMany(sender, receiver, SLOTS - 1)
    expect(recvMmsg(receiver, batch)).toBe(SLOTS - 1)
    expect(batch.length).toBe(SLOTS - 1)
    expect(senders(batch)).toEqual(expected(SLOTS - 1, sender))
    expect(Array.from(batch, (packet) => packet.data[0])).toEqual([...new Array(SLOTS - 1).keys()])
  })

  test('42 datagrams come as 32 and 10', () => {
    const { receiver, sender, batch } = setUp()
    sendMany(sender, receiver, 42)
    expect(recvMmsg(receiver, batch)).toBe(SLOTS)
    expect(senders(batch)).toEqual(expected(SLOTS, sender))
    batch.clear()
    expect(recvMmsg(receiver, batch)).toBe(10)
    expect(senders(batch)).toEqual(expected(10, sender))
    expect(batch.at(-1)?.data[0]).toBe(41)
  })

  test('a second call with nothing to come ends with its timeout', () => {
    const { receiver, sender, batch } = setUp()
    sendMany(sender, receiver, SLOTS)
    expect(recvMmsg(receiver, batch)).toBe(SLOTS)
    batch.clear()
    const start = performance.now()
    expect(recvMmsg(receiver, batch, { timeout: 120 })).toBe(0)
    const took = performance.now() - start
    expect(took).toBeGreaterThanOrEqual(119)
    expect(took).toBeLessThan(5000)
    expect(batch.length).toBe(0)
  })

  test('two senders of 31 and 33 come as 32 and 32, in order', () => {
    const { receiver, sender, batch } = setUp()
    const second = bind(row)
    sendMany(sender, receiver, SLOTS - 1)
    sendMany(second, receiver, SLOTS + 1)
    expect(recvMmsg(receiver, batch)).toBe(SLOTS)
    expect(senders(batch)).toEqual([...expected(SLOTS - 1, sender), ...expected(1, second)])
    batch.clear()
    expect(recvMmsg(receiver, batch)).toBe(SLOTS)
    expect(senders(batch)).toEqual(expected(SLOTS, second))
  })

  test('refuses a batch that still holds packets, and takes nothing', () => {
    const { receiver, sender, batch } = setUp()
    sendMany(sender, receiver, 3)
    expect(recvMmsg(receiver, batch, { vlen: 2 })).toBe(2)
    expect(() => recvMmsg(receiver, batch)).toThrow(expect.objectContaining({ code: 'ERR_BATCH_NOT_EMPTY' }))
    expect(batch.length).toBe(2)
    batch.clear()
    expect(recvMmsg(receiver, batch)).toBe(1)
  })

  test('vlen bounds the messages, and has bounds', () => {
    const { receiver, sender, batch } = setUp()
    sendMany(sender, receiver, 5)
    for (const vlen of [0, SLOTS + 1, 1.5, -1]) {
      expect(() => recvMmsg(receiver, batch, { vlen })).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
      )
    }
    expect(recvMmsg(receiver, batch, { vlen: 1 })).toBe(1)
    batch.clear()
    expect(recvMmsg(receiver, batch)).toBe(4)
  })

  test('waits for the first datagram and then for no other', () => {
    const { receiver, sender, batch } = setUp()
    sendMany(sender, receiver, 1)
    // Without MSG_WAITFORONE the system call itself would wait for all 32.
    expect(recvMmsg(receiver, batch, { flags: 0, timeout: 60_000 })).toBe(1)
  })

  test('MSG_DONTWAIT does not wait', () => {
    const { receiver, batch } = setUp()
    const flags = constants.MSG_DONTWAIT | constants.MSG_WAITFORONE
    expect(recvMmsg(receiver, batch, { flags, timeout: Number.POSITIVE_INFINITY })).toBe(0)
  })

  test('an error waits behind the datagrams before it, and comes once', () => {
    const { receiver, sender, batch } = setUp()
    const gone = bind(row)
    const { port, address } = gone.address()
    // Connected to a port that nobody has: each send is answered by ICMP. What was queued before is still queued.
    const peer = sender.address()
    sendMany(sender, receiver, 2)
    gone.close()
    receiver.connect(port, address)
    receiver.send('to nobody')
    expect(() => recvMmsg(receiver, batch)).toThrow(
      expect.objectContaining({ code: 'ECONNREFUSED', syscall: 'recvmmsg' }),
    )
    expect(recvMmsg(receiver, batch)).toBe(2)
    expect(batch.portAt(0)).toBe(peer.port)
    expect(receiver.stats().errors).toEqual({ ECONNREFUSED: 1 })
  })
})

test('refuses what is no socket and what is no batch', () => {
  const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })
  expect(() => recvMmsg({} as UdpSocket, new PacketBatch())).toThrow(refused)
  expect(() => recvMmsg(bind(matrix[0]!), {} as PacketBatch)).toThrow(refused)
})
