// Packets: what they tell of a datagram, and when they stop telling it.

import { inspect } from 'node:util'
import { constants, type Packet, PacketBatch } from '../index'
import { bind, closeAll, type Row } from './support/matrix'
import { collect, describeRows, fill, thrown } from './support/net'

const FIELDS = [
  'data',
  'size',
  'address',
  'port',
  'family',
  'truncated',
  'timestamp',
  'destination',
  'interfaceIndex',
  'tos',
  'ttl',
] as const

const names = { udp4: 'IPv4', udp6: 'IPv6' }

afterEach(closeAll)

function setUp(row: Row, options: object = {}) {
  return { receiver: bind(row, options), sender: bind(row), batch: new PacketBatch({ capacity: 4 }) }
}

describeRows('a packet', (row) => {
  const one = (payload: string | Uint8Array) => {
    const all = setUp(row)
    fill(all.receiver, all.batch, all.sender, [payload])
    return { ...all, packet: all.batch.at(0)! }
  }

  test('tells payload and sender, and null for what nobody asked the kernel for', () => {
    const { packet, sender } = one('hello')
    const expected = {
      data: Buffer.from('hello'),
      size: 5,
      address: row.loopback,
      port: sender.address().port,
      family: names[row.family],
      truncated: false,
      timestamp: null,
      destination: null,
      interfaceIndex: null,
      tos: null,
      ttl: null,
    }
    expect(packet.copy()).toStrictEqual(expected)
    for (const field of FIELDS) expect([field, packet[field]]).toEqual([field, expected[field]])
  })

  test('has a payload that is a Buffer over the memory of the batch', () => {
    const { packet, batch } = one('hello')
    expect(Buffer.isBuffer(packet.data)).toBe(true)
    expect(packet.data.buffer).toBe(batch.bytes.buffer)
    packet.data[0] = 'J'.charCodeAt(0)
    expect(batch.dataAt(0).toString()).toBe('Jello')
    batch.bytes.write('C', batch.offsetAt(0))
    expect(packet.data.toString()).toBe('Cello')
  })

  test('can be read only', () => {
    const { packet } = one('hello')
    for (const field of FIELDS) {
      expect(() => Object.assign(packet, { [field]: 1 })).toThrow(TypeError)
    }
  })

  test.each(['', 'x', 'x'.repeat(1200)])(
    'copies a payload (%#) into memory of its own, and no more',
    (payload) => {
      const { packet, batch } = one(payload)
      const copy = packet.copy()
      expect(copy.data.buffer.byteLength).toBe(payload.length)
      batch.bytes.fill(0)
      expect(copy.data.toString()).toBe(payload)
      expect(Buffer.isBuffer(copy.data)).toBe(true)
      expect(Object.keys(copy)).toEqual(FIELDS)
    },
  )

  test('says what it is to console.log and JSON', () => {
    const { packet, sender } = one('hello')
    const shown = inspect(packet)
    expect(shown).toMatch(/^Packet \{/)
    for (const field of FIELDS) expect(shown).toContain(`${field}: `)
    expect(inspect({ deep: [packet] }, { depth: 0 })).toBe('{ deep: [Array] }')
    expect(JSON.parse(JSON.stringify(packet))).toMatchObject({
      data: { type: 'Buffer', data: [...Buffer.from('hello')] },
      size: 5,
      address: row.loopback,
      port: sender.address().port,
      timestamp: null,
    })
  })

  test.each([
    ['shorter than', 3, false],
    ['as long as', 4, false],
    ['longer than', 5, true],
    ['much longer than', 1000, true],
  ])('%s its slot is truncated or not', (_what, size, truncated) => {
    const { receiver, sender } = setUp(row, { packetSize: 4 })
    const batch = new PacketBatch({ capacity: 4, packetSize: 4 })
    fill(receiver, batch, sender, [Buffer.alloc(size, 'x'), 'ok'])
    expect(Array.from(batch, (packet) => packet.truncated)).toEqual([truncated, false])
    expect(Array.from(batch, (packet) => packet.data.toString())).toEqual([
      'x'.repeat(Math.min(size, 4)),
      'ok',
    ])
    expect(batch.at(0)?.copy()).toMatchObject({ truncated, size: Math.min(size, 4) })
    const { datagrams, truncated: counted } = receiver.stats()
    expect(counted).toBe(truncated ? datagrams / 2 : 0)
  })
})

describeRows('a batch whose memory was transferred away', (row) => {
  test('is refused by recv, which leaves the datagram where it is', () => {
    const { receiver, sender, batch } = setUp(row)
    fill(receiver, batch, sender, ['first'])
    const packet = batch.at(0)!
    const { byteOffset } = batch.bytes
    const memory = batch.bytes.buffer as ArrayBuffer
    const moved = structuredClone(memory, { transfer: [memory] })
    expect(Buffer.from(moved, byteOffset, 5).toString()).toBe('first')
    sender.send('second', receiver.address())
    const calls = [
      () => receiver.recv(batch),
      () => batch.dataAt(0),
      () => packet.data,
      () => packet.copy(),
      () => batch.copy(),
    ]
    for (const call of calls) {
      expect(thrown(call)).toMatchObject({ name: 'Error', code: 'ERR_BATCH_DETACHED' })
    }
    expect(batch.bytes.length).toBe(0)
    expect(collect(receiver, new PacketBatch(), 1)[0]?.data.toString()).toBe('second')
  })

  test('can still be printed', () => {
    const { receiver, sender, batch } = setUp(row)
    fill(receiver, batch, sender, ['first'])
    const memory = batch.bytes.buffer as ArrayBuffer
    structuredClone(memory, { transfer: [memory] })
    expect(inspect(batch)).toMatch(/^PacketBatch/)
    expect(inspect(batch.at(0))).toMatch(/^Packet/)
  })
})

describeRows('strict mode', (row) => {
  const stale = { name: 'Error', code: 'ERR_BATCH_STALE' }
  const expectStale = (packet: Packet) => {
    for (const field of FIELDS) {
      expect([field, thrown(() => packet[field])]).toMatchObject([field, stale])
    }
    expect(thrown(() => packet.copy())).toMatchObject(stale)
    expect(thrown(() => JSON.stringify(packet))).toMatchObject(stale)
    expect(inspect(packet)).toContain('stale')
  }

  test('takes packets and views away with the next fill, and shows that one', () => {
    const { receiver, sender, batch } = setUp(row, { strict: true })
    fill(receiver, batch, sender, ['one', 'two'])
    const packets = [...batch]
    const views = [packets[0]!.data, batch.dataAt(1), batch.bytes]
    const copies = batch.copy()
    fill(receiver, batch, sender, ['three'])
    expect(views.map(({ length }) => length)).toEqual([0, 0, 0])
    for (const packet of packets) expectStale(packet)
    expect(batch.at(0)).not.toBe(packets[0])
    expect(batch.copy()).toMatchObject([{ data: Buffer.from('three'), size: 5, address: row.loopback }])
    expect(batch).toMatchObject({ length: 1, capacity: 4, packetSize: 65_536, socket: receiver })
    expect(copies.map(({ data }) => data.toString())).toEqual(['one', 'two'])
  })

  test('takes them away although nothing comes', () => {
    const { receiver, sender, batch } = setUp(row, { strict: true })
    fill(receiver, batch, sender, ['one'])
    const packet = batch.at(0)!
    const { data } = packet
    expect(receiver.recv(batch)).toBe(0)
    expect([batch.length, batch.at(0), data.length]).toEqual([0, undefined, 0])
    expectStale(packet)
    expect(receiver.recv(batch)).toBe(0)
    fill(receiver, batch, sender, ['two'])
    expect(batch.at(0)?.data.toString()).toBe('two')
    expectStale(packet)
  })

  test('takes them away with MSG_PEEK, too', () => {
    const { receiver, sender, batch } = setUp(row, { strict: true })
    fill(receiver, batch, sender, ['one'])
    const packet = batch.at(0)!
    sender.send('two', receiver.address())
    expect(receiver.recv(batch, { flags: constants.MSG_PEEK, timeout: 1000 })).toBe(1)
    expectStale(packet)
    expect(collect(receiver, batch, 1)[0]?.data.toString()).toBe('two')
  })

  test('ends an iteration that a recv within it has overtaken', () => {
    const { receiver, sender, batch } = setUp(row, { strict: true })
    fill(receiver, batch, sender, ['one', 'two'])
    const iterator = batch[Symbol.iterator]()
    iterator.next()
    fill(receiver, batch, sender, ['three', 'four'])
    expect(thrown(() => iterator.next())).toMatchObject(stale)
  })

  test('does not take a stale packet for a target', () => {
    const { receiver, sender, batch } = setUp(row, { strict: true })
    fill(receiver, batch, sender, ['one'])
    const packet = batch.at(0)!
    fill(receiver, batch, sender, ['two'])
    expect(thrown(() => receiver.send('answer', packet))).toMatchObject(stale)
    expect(receiver.send('answer', batch.at(0)!)).toBe(true)
  })

  test('works for a batch of each shape, and for two of them by turns', () => {
    const { receiver, sender } = setUp(row, { strict: true, gro: false })
    const shapes = [{ capacity: 2 }, { capacity: 3, packetSize: 2048 }]
    const batches = shapes.map((shape) => new PacketBatch(shape))
    for (const round of ['a', 'b', 'c']) {
      for (const [index, batch] of batches.entries()) {
        // Nothing comes into the other shape, for which memory lies ready then.
        expect(receiver.recv(new PacketBatch(shapes[1 - index]))).toBe(0)
        fill(receiver, batch, sender, [round])
        expect(batch.at(0)?.data.toString()).toBe(round)
        expect(batch).toMatchObject(shapes[index]!)
      }
    }
  })

  describe('follows RECVMMSG_STRICT', () => {
    const saved = process.env.RECVMMSG_STRICT
    afterEach(() => {
      process.env.RECVMMSG_STRICT = saved
      if (saved === undefined) delete process.env.RECVMMSG_STRICT
    })

    test.each([
      ['1', undefined, true],
      ['1', false, false],
      ['0', undefined, false],
      ['', undefined, false],
      ['0', true, true],
    ])('%j, with the option %p', (value, strict, expected) => {
      process.env.RECVMMSG_STRICT = value
      const { receiver, sender, batch } = setUp(row, { strict })
      fill(receiver, batch, sender, ['one'])
      const { data } = batch.at(0)!
      fill(receiver, batch, sender, ['two'])
      expect(data.length === 0).toBe(expected)
    })
  })
})
