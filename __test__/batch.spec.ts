// PacketBatch: its shape, what a fill shows, and each way of reading it.

import { inspect } from 'node:util'
import { bytesToCacheLine } from '../binding'
import { PacketBatch } from '../index'
import { bind, closeAll } from './support/matrix'
import { collect, describeRows, fill, thrown } from './support/net'

afterEach(closeAll)

describe('a new batch', () => {
  test('has 64 slots of 65,536 bytes and holds nothing', () => {
    const batch = new PacketBatch()
    expect(batch).toMatchObject({ capacity: 64, packetSize: 65_536, length: 0, socket: null })
    expect(batch.bytes.length).toBe(64 * 65_536)
    expect([...batch]).toEqual([])
    expect(batch.copy()).toEqual([])
  })

  test.each([
    [{}, 64, 65_536],
    [undefined, 64, 65_536],
    [{ capacity: undefined, packetSize: undefined }, 64, 65_536],
    [{ capacity: 1, packetSize: 1 }, 1, 1],
    [{ capacity: 16_384, packetSize: 512 }, 16_384, 512],
  ])('of %j has capacity %i and packetSize %i', (options, capacity, packetSize) => {
    const batch = new PacketBatch(options)
    expect(batch).toMatchObject({ capacity, packetSize, length: 0 })
    expect(batch.bytes.length).toBe(capacity * packetSize)
  })

  // One cache line less for a small datagram: 5 % of its cost.
  test('has slots that begin with a cache line', () => {
    for (const capacity of [1, 2, 64, 300]) {
      const { bytes } = new PacketBatch({ capacity })
      expect(bytesToCacheLine(bytes)).toBe(0)
      expect(bytesToCacheLine(bytes.subarray(1))).toBe(63)
    }
  })

  test.each(['capacity', 'packetSize'])('refuses a bad %s', (name) => {
    const most = { capacity: 16_384, packetSize: 65_536 }[name]!
    const code = (value: unknown) => thrown(() => new PacketBatch({ [name]: value })).code
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, most + 1]) {
      expect([value, code(value)]).toEqual([value, 'ERR_OUT_OF_RANGE'])
    }
    for (const value of ['64', null, true, 64n, {}, [64]]) {
      expect([value, code(value)]).toEqual([value, 'ERR_INVALID_ARG_TYPE'])
    }
    expect(thrown(() => new PacketBatch({ [name]: 0 })).message).toBe(
      `The value of "options.${name}" is out of range. It must be >= 1 && <= ${most}. Received 0`,
    )
  })

  test.each([null, 64, 'capacity', [], () => {}])('refuses %p for options', (options) => {
    const { code, message } = thrown(() => new PacketBatch(options as never))
    expect(code).toBe('ERR_INVALID_ARG_TYPE')
    expect(message).toMatch(/^The "options" argument must be of type object\. Received /)
  })

  test.each([
    ['capasity', /did you mean 'capacity'\?/],
    ['packetsize', /did you mean 'packetSize'\?/],
    ['packetSizes', /did you mean 'packetSize'\?/],
    ['vlen', /^The property 'options\.vlen' is not an option\. Received 8$/],
  ])('refuses the unknown option %s', (name, sentence) => {
    const { code, message } = thrown(() => new PacketBatch({ [name]: 8 }))
    expect(code).toBe('ERR_INVALID_ARG_VALUE')
    expect(message).toMatch(sentence)
  })
})

describeRows('a filled batch', (row) => {
  const payloads = ['a', 'bb', '', 'dddd']
  const setUp = (options: object = {}) => {
    const receiver = bind(row, { strict: false })
    const sender = bind(row)
    const batch = new PacketBatch({ capacity: 8, ...options })
    fill(receiver, batch, sender, payloads)
    return { receiver, sender, batch }
  }

  test('gives with at() what an array of its packets gives', () => {
    const { batch } = setUp()
    const array = [...batch]
    expect(array.map((packet) => packet.data.toString())).toEqual(payloads)
    const indexes = [
      0,
      1,
      3,
      4,
      -1,
      -4,
      -5,
      -0,
      0.9,
      -0.9,
      1.5,
      -1.5,
      Number.NaN,
      2 ** 31,
      2 ** 32,
      -(2 ** 32),
    ]
    const others = [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      undefined,
      null,
      '1',
      '-1',
      'x',
      true,
      [2],
    ]
    for (const index of [...indexes, ...others] as number[]) {
      expect([index, batch.at(index)]).toEqual([index, array.at(index)])
      expect(batch.at(index)).toBe(array.at(index))
    }
    for (const index of [1n, Symbol('1')] as never[]) {
      expect(() => array.at(index)).toThrow(TypeError)
      expect(() => batch.at(index)).toThrow(TypeError)
    }
  })

  test('gives one packet per index, always the same', () => {
    const { batch } = setUp()
    expect(new Set(batch).size).toBe(payloads.length)
    expect([...batch].every((packet, index) => packet === batch.at(index))).toBe(true)
    expect(batch.at(-1)).toBe(batch.at(3))
  })

  test('can be iterated twice at once, and by hand', () => {
    const { batch } = setUp()
    const pairs: string[] = []
    for (const a of batch) for (const b of batch) pairs.push(`${a.size}${b.size}`)
    expect(pairs).toEqual([1, 2, 0, 4].flatMap((a) => [1, 2, 0, 4].map((b) => `${a}${b}`)))
    const iterator = batch[Symbol.iterator]()
    expect(iterator[Symbol.iterator]()).toBe(iterator)
    expect(Array.from(iterator).length).toBe(4)
    expect(iterator.next()).toEqual({ value: undefined, done: true })
  })

  test('tells size, sender, place and payload of each index', () => {
    const { batch, sender } = setUp()
    const { address, port } = sender.address()
    for (const [index, payload] of payloads.entries()) {
      expect(batch.sizeAt(index)).toBe(payload.length)
      expect(batch.addressAt(index)).toBe(address)
      expect(batch.portAt(index)).toBe(port)
      const offset = batch.offsetAt(index)
      expect(batch.bytes.toString('utf8', offset, offset + batch.sizeAt(index))).toBe(payload)
      const data = batch.dataAt(index)
      expect(data.toString()).toBe(payload)
      expect([data.buffer, data.byteOffset]).toEqual([batch.bytes.buffer, batch.bytes.byteOffset + offset])
    }
  })

  const columns = ['sizeAt', 'portAt', 'addressAt', 'offsetAt', 'dataAt'] as const

  test.each(columns)('refuses with %s an index that is none of its own', (column) => {
    const { batch, receiver } = setUp()
    const refusal = (index: unknown) => thrown(() => batch[column](index as number))
    for (const index of [4, -1, 8, 64, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, -(2 ** 32)]) {
      expect([index, refusal(index).code]).toEqual([index, 'ERR_OUT_OF_RANGE'])
    }
    for (const index of ['0', undefined, null, 0n, true, {}, [0]]) {
      expect([index, refusal(index).code]).toEqual([index, 'ERR_INVALID_ARG_TYPE'])
    }
    expect(refusal(4)).toMatchObject({
      name: 'RangeError',
      message: 'The value of "index" is out of range. It must be an integer >= 0 && < 4. Received 4',
    })
    receiver.recv(batch)
    expect(refusal(0).code).toBe('ERR_OUT_OF_RANGE')
  })

  test('shows the next fill and nothing of the one before', () => {
    const { receiver, sender, batch } = setUp()
    const [first] = batch
    fill(receiver, batch, sender, ['xyz', 'uv'])
    expect(Array.from(batch, ({ data }) => data.toString())).toEqual(['xyz', 'uv'])
    expect(batch.length).toBe(2)
    expect(batch.at(2)).toBeUndefined()
    // It is the packet of its index, and the index has another datagram now.
    expect(first).toBe(batch.at(0))
    expect(first?.size).toBe(3)
  })

  test('is empty after a recv that gives 0', () => {
    const { receiver, batch } = setUp()
    expect(receiver.recv(batch)).toBe(0)
    expect(batch.length).toBe(0)
    expect([...batch]).toEqual([])
    expect(batch.at(0)).toBeUndefined()
  })

  test('is empty after clear(), and can be filled again', () => {
    const { receiver, sender, batch } = setUp()
    expect(batch.clear()).toBe(batch)
    expect([batch.length, batch.at(0), batch.copy()]).toEqual([0, undefined, []])
    fill(receiver, batch, sender, ['again'])
    expect(batch.at(-1)?.data.toString()).toBe('again')
  })

  test('tells which socket filled it last', () => {
    const { receiver, sender, batch } = setUp()
    expect(batch.socket).toBe(receiver)
    const other = bind(row)
    fill(other, batch, sender, ['x'])
    expect(batch.socket).toBe(other)
  })

  test('takes one message at a time with a capacity of 1', () => {
    const receiver = bind(row)
    const sender = bind(row)
    const batch = new PacketBatch({ capacity: 1 })
    for (const payload of payloads) sender.send(payload, receiver.address())
    for (const payload of payloads) {
      expect(receiver.recv(batch, { timeout: 1000 })).toBe(1)
      expect(batch.length).toBe(1)
      expect(batch.at(0)?.data.toString()).toBe(payload)
    }
  })

  test('takes no more messages than its capacity, and leaves the others for the next call', () => {
    const receiver = bind(row)
    const sender = bind(row)
    const batch = new PacketBatch({ capacity: 3 })
    for (let index = 0; index < 8; index++) sender.send(Buffer.of(index), receiver.address())
    const received: number[] = []
    while (received.length < 8) {
      expect(receiver.recv(batch, { timeout: 1000 })).toBeLessThanOrEqual(3)
      received.push(...Array.from(batch, ({ data }) => data[0]!))
      expect(batch.length).toBeGreaterThan(0)
    }
    expect(received).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('shows datagrams without payload as what they are', () => {
    const receiver = bind(row)
    const sender = bind(row)
    const batch = new PacketBatch()
    fill(receiver, batch, sender, ['', '', ''])
    const { port } = sender.address()
    const [expected] = [{ size: 0, port, address: row.loopback, truncated: false }]
    expect(batch.copy()).toMatchObject([expected, expected, expected])
    expect(receiver.stats().bytes).toBe(0)
  })

  test('copies no more than what arrived, and into memory of its own', () => {
    const { receiver, sender, batch } = setUp()
    const copies = batch.copy()
    expect(copies[0]?.data.buffer.byteLength).toBe(7)
    fill(receiver, batch, sender, ['XXXX', 'XXXX', 'XXXX', 'XXXX'])
    batch.bytes.fill(0)
    expect(copies.map(({ data }) => data.toString())).toEqual(payloads)
    expect(copies.map(({ size, port }) => [size, port])).toEqual(
      payloads.map(({ length }) => [length, sender.address().port]),
    )
  })

  test('says what it holds to console.log and JSON', () => {
    const { batch, sender } = setUp()
    const shown = inspect(batch)
    expect(shown).toMatch(/^PacketBatch\(4\) capacity 8 \[/)
    expect(shown.match(/Packet \{/g)).toHaveLength(4)
    expect(shown).toContain(`address: '${row.loopback}'`)
    const json = JSON.parse(JSON.stringify(batch))
    expect(json).toHaveLength(4)
    expect(json[3]).toMatchObject({ size: 4, address: row.loopback, port: sender.address().port })
    expect(inspect(batch, { depth: 0 })).toContain('PacketBatch(4)')
    expect(inspect(new PacketBatch())).toBe('PacketBatch(0) capacity 64 []')
    expect(JSON.stringify(new PacketBatch())).toBe('[]')
  })

  test('receives into slots of one byte', () => {
    const receiver = bind(row, { packetSize: 1 })
    const sender = bind(row)
    const batch = new PacketBatch({ packetSize: 1, capacity: 4 })
    for (const payload of payloads) sender.send(payload, receiver.address())
    expect(collect(receiver, batch, 4).map(({ data }) => data.toString())).toEqual(['a', 'b', '', 'd'])
  })
})
