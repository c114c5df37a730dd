// Sending many: items, batches, buffers cut into segments, one payload to many places.

import { isDeepStrictEqual } from 'node:util'
import {
  capabilities,
  constants,
  PacketBatch,
  type Sendable,
  type SendResult,
  sendMmsg,
  type UdpSocket,
} from '../index'
import { bind, closeAll } from './support/matrix'
import { collect, describeRows, freePort, shape, thrown, waitFor } from './support/net'
import { testkit } from './support/testkit'

afterEach(closeAll)

const all = (count: number): SendResult => ({ sent: count, failed: 0, error: null, next: count })
const numbers = (count: number, first = 0) => Array.from({ length: count }, (_, index) => `${first + index}`)

describeRows('sending many', (row) => {
  const texts = (socket: UdpSocket, count: number) =>
    collect(socket, new PacketBatch(), count).map(({ data }) => data.toString())
  const nothing = (socket: UdpSocket) => expect(socket.recv(new PacketBatch())).toBe(0)
  const other = row.family === 'udp4' ? '::1' : '127.0.0.1'
  const pair = (options = {}) => {
    const [from, to] = [bind(row, options), bind(row, { recvBufferSize: 4 << 20 })]
    const { port, address } = to.address()
    const items = (payloads: string[]): Sendable[] => payloads.map((data) => ({ data, port, address }))
    return { from, to, port, address, items }
  }

  describe('items', () => {
    test.each([0, 1, 2, 1023, 1024, 1025, 2500])('%i of them arrive in order', (count) => {
      const { from, to, items } = pair()
      const payloads = numbers(count)
      expect(from.sendBatch(items(payloads))).toEqual(all(count))
      expect(texts(to, count)).toEqual(payloads)
      expect(from.stats().errors).toEqual({})
    })

    test('may come from any iterable, once', () => {
      const { from, to, items } = pair()
      const payloads = numbers(1500)
      let ended = 0
      function* generate() {
        try {
          yield* items(payloads)
        } finally {
          ended++
        }
      }
      expect(from.sendBatch(generate())).toEqual(all(1500))
      expect(ended).toBe(1)
      expect(from.sendBatch(new Set(items(payloads.slice(0, 3))))).toEqual(all(3))
      expect(texts(to, 1503)).toEqual([...payloads, ...payloads.slice(0, 3)])
    })

    test('go where they say: port, port and address, a target, a packet, a copy', () => {
      const { from, to, port, address } = pair()
      to.send('hello', from.address())
      const batch = new PacketBatch()
      const [copy] = collect(from, batch, 1)
      to.send('hello', from.address())
      expect(from.recv(batch, { timeout: 1000 })).toBe(1)
      const packet = batch.at(0)!
      const sent = from.sendBatch([
        { data: 'port', port },
        { data: 'both', port, address },
        { data: 'to', to: to.address() },
        { data: 'port only', to: { port } },
        { data: 'packet', to: packet },
        { data: 'packet again', to: packet },
        { data: 'copy', to: copy! },
      ])
      expect(sent).toEqual(all(7))
      expect(texts(to, 7)).toEqual(['port', 'both', 'to', 'port only', 'packet', 'packet again', 'copy'])
    })

    test('go to many places by turns, each with its own', () => {
      const { from } = pair()
      const receivers = Array.from({ length: 5 }, () => bind(row))
      const items = numbers(200).map((data, index) => ({ data, to: receivers[index % 5]!.address() }))
      expect(from.sendBatch(items)).toEqual(all(200))
      for (const [nth, receiver] of receivers.entries()) {
        expect(texts(receiver, 40)).toEqual(numbers(200).filter((_, index) => index % 5 === nth))
      }
    })

    test('all go to one place with `to`', () => {
      const { from, to } = pair()
      const items = [{ data: 'a' }, { data: 'b', port: 9, address: other }]
      expect(from.sendBatch(items, { to: to.address() })).toEqual(all(2))
      expect(texts(to, 2)).toEqual(['a', 'b'])
    })

    test.each([0, 1, 1023, 1024, 1500, 2000])('begin with `start` %i', (start) => {
      const { from, to, items } = pair()
      const payloads = numbers(2000)
      const left = 2000 - start
      expect(from.sendBatch(items(payloads), { start })).toEqual({ ...all(left), next: 2000 })
      expect(texts(to, left)).toEqual(payloads.slice(start))
    })

    test('may be text, any view, or an array of these', () => {
      const { from, to } = pair()
      const bytes = Uint8Array.from({ length: 24 }, (_, index) => index + 65)
      const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(66)
      const data: [Sendable['data'], string][] = [
        ['žluť 🦆', 'žluť 🦆'],
        ['', ''],
        [Buffer.alloc(0), ''],
        [bytes.subarray(1, 3), 'BC'],
        [new Uint16Array(bytes.buffer, 2, 2), 'CDEF'],
        [new DataView(bytes.buffer, 5, 3), 'FGH'],
        [shared, 'BB'],
        [['a', Buffer.from('b'), bytes.subarray(2, 4), ''], 'abCD'],
        [[], ''],
      ]
      expect(from.sendBatch(data.map(([each]) => ({ data: each, to: to.address() })))).toEqual(
        all(data.length),
      )
      expect(texts(to, data.length)).toEqual(data.map(([, expected]) => expected))
    })

    test('may be as long as a datagram can be, and no longer', () => {
      const { from, to, port, address } = pair()
      const most = row.family === 'udp4' ? 65_507 : 65_527
      const sizes = [most, most + 1, 1, 1 << 20]
      const items = sizes.map((size) => ({ data: Buffer.alloc(size, size % 251), port, address }))
      const result = from.sendBatch(items)
      expect({ ...result, error: shape(result.error) }).toEqual({
        sent: 2,
        failed: 2,
        next: 4,
        error: {
          ...thrown(() => from.send(items[1]!.data, port, address)),
          syscall: 'sendmmsg',
          message: `sendmmsg EMSGSIZE ${address}:${port}`,
          index: 1,
        },
      })
      expect(from.stats().errors).toEqual({ EMSGSIZE: 3 })
      expect(collect(to, new PacketBatch(), 2).map(({ size, data }) => [size, data[0]])).toEqual([
        [most, most % 251],
        [1, 1],
      ])
    })
  })

  describe('a destination that cannot be', () => {
    test.each([[0], [1], [2], [0, 2], [0, 1, 2]])('does not stop the others: %p', (...bad) => {
      // 192.0.2.1 on an IPv6 socket of loopback has no route, an IPv6 address on an IPv4 socket no meaning.
      const { from, to, port, address } = pair()
      const unfit = row.family === 'udp4' ? '2001:db8::1' : '192.0.2.1'
      const items = numbers(3).map((data, index) => ({
        data,
        port,
        address: bad.includes(index) ? unfit : address,
      }))
      const result = from.sendBatch(items)
      expect(result).toMatchObject({ sent: 3 - bad.length, failed: bad.length, next: 3 })
      const { error } = result
      expect(error).toMatchObject({ syscall: 'sendmmsg', address: unfit, port, index: bad[0] })
      expect(error!.message).toBe(`sendmmsg ${error!.code} ${unfit}:${port}`)
      expect(from.stats().errors).toEqual({ [error!.code]: bad.length })
      expect(texts(to, 3 - bad.length)).toEqual(numbers(3).filter((_, index) => !bad.includes(index)))
    })
  })

  describe('a batch', () => {
    test('goes back to its senders', () => {
      const to = bind(row)
      const senders = Array.from({ length: 3 }, () => bind(row))
      for (const [index, sender] of senders.entries()) {
        for (const text of numbers(4, index * 10)) sender.send(text, to.address())
      }
      const batch = new PacketBatch()
      let count = 0
      while (count < 12) {
        expect(to.recv(batch, { timeout: 1000 })).toBeGreaterThan(0)
        expect(to.sendBatch(batch)).toEqual(all(batch.length))
        count += batch.length
      }
      for (const [index, sender] of senders.entries())
        expect(texts(sender, 4)).toEqual(numbers(4, index * 10))
    })

    test('is forwarded with `to`, coalesced messages included, from `start` on', () => {
      const { from, to, items } = pair()
      const last = bind(row)
      const payloads = numbers(300, 1000)
      from.sendBatch(items(payloads))
      const batch = new PacketBatch({ capacity: 512 })
      expect(to.recv(batch)).toBe(300)
      expect(to.sendBatch(batch, { to: last.address() })).toEqual(all(300))
      expect(to.sendBatch(batch, { to: last.address(), start: 298 })).toEqual({ ...all(2), next: 300 })
      expect(to.sendBatch(batch, { to: last.address(), start: 300 })).toEqual({ ...all(0), next: 300 })
      expect(texts(last, 302)).toEqual([...payloads, ...payloads.slice(298)])
    })

    test('that holds nothing sends nothing; one whose memory is gone is refused', () => {
      const { from, to, items } = pair()
      const batch = new PacketBatch()
      expect(to.sendBatch(batch)).toEqual(all(0))
      from.sendBatch(items(['x']))
      collect(to, batch, 1)
      const { buffer } = batch.bytes
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
      expect(() => to.sendBatch(batch)).toThrow(expect.objectContaining({ code: 'ERR_BATCH_DETACHED' }))
    })

    test('shows what it showed', () => {
      const { from, to, items } = pair()
      from.sendBatch(items(numbers(5)))
      const batch = new PacketBatch()
      expect(to.recv(batch)).toBe(5)
      const before = batch.copy()
      to.sendBatch(batch)
      to.sendBatch(batch, { to: from.address() })
      expect(isDeepStrictEqual(batch.copy(), before)).toBe(true)
    })
  })

  describe('segmentSize', () => {
    const data = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251))

    test.each([1, 7, 100, 1200, 9_999, 10_000, 10_001, 65_507])(
      'cuts a buffer into datagrams of %i',
      (segmentSize) => {
        const { from, to } = pair()
        const count = Math.ceil(data.length / segmentSize)
        expect(from.sendBatch([{ data }], { to: to.address(), segmentSize })).toEqual(all(count))
        const pieces = collect(to, new PacketBatch({ capacity: 1024 }), count)
        for (const { size } of pieces.slice(0, -1)) expect(size).toBe(segmentSize)
        expect(Buffer.concat(pieces.map((piece) => piece.data)).equals(data)).toBe(true)
      },
    )

    test('counts datagrams over all items, from `start` on', () => {
      const { from, to, port, address } = pair()
      const items = [data.subarray(0, 250), data.subarray(0, 0), new Uint16Array(100)].map((each) => ({
        data: each,
        port,
        address,
      }))
      expect(from.sendBatch(items, { segmentSize: 100 })).toEqual(all(6))
      expect(collect(to, new PacketBatch(), 6).map(({ size }) => size)).toEqual([100, 100, 50, 0, 100, 100])
      expect(from.sendBatch(items, { segmentSize: 100, start: 2 })).toEqual({ ...all(4), next: 6 })
      expect(collect(to, new PacketBatch(), 4).map(({ size }) => size)).toEqual([50, 0, 100, 100])
    })
  })

  describe('one payload to many', () => {
    test('arrives at each, in order', () => {
      const { from } = pair()
      const receivers = Array.from({ length: 4 }, () => bind(row))
      const targets = receivers.map((receiver) => receiver.address())
      expect(from.sendToMany('news', targets)).toEqual(all(4))
      for (const receiver of receivers) expect(texts(receiver, 1)).toEqual(['news'])
      expect(from.sendToMany('more', targets, { start: 3 })).toEqual({ ...all(1), next: 4 })
      expect(texts(receivers[3]!, 1)).toEqual(['more'])
      nothing(receivers[0]!)
    })

    test('more than one call takes, one of them wrong', () => {
      const { from, to } = pair()
      const targets = Array.from({ length: 2500 }, () => to.address())
      targets[1700] = { ...targets[0]!, address: row.family === 'udp4' ? '2001:db8::1' : '192.0.2.1' }
      const result = from.sendToMany(Buffer.from('x'), targets)
      expect(result).toMatchObject({ sent: 2499, failed: 1, next: 2500, error: { index: 1700 } })
      expect(texts(to, 2499)).toHaveLength(2499)
    })
  })

  describe('on a connected socket', () => {
    test('goes to the peer, and to nobody else', () => {
      const { from, to } = pair()
      from.connect(to.address().port, row.loopback)
      expect(from.sendBatch([{ data: 'a' }, { data: 'b' }])).toEqual(all(2))
      expect(from.sendBatch([{ data: Buffer.alloc(6) }], { segmentSize: 2 })).toEqual(all(3))
      expect(texts(to, 5).slice(0, 2)).toEqual(['a', 'b'])
      const connected = expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' })
      const target = to.address()
      expect(() => from.sendBatch([{ data: 'x', port: target.port }])).toThrow(connected)
      expect(() => from.sendBatch([{ data: 'x', to: target }])).toThrow(connected)
      expect(() => from.sendBatch([{ data: 'x' }], { to: target })).toThrow(connected)
      expect(() => from.sendToMany('x', [target])).toThrow(connected)
      nothing(to)
    })

    test('a pending ICMP error is told beside, and everything is sent', async () => {
      const socket = bind(row)
      socket.connect(freePort(row), row.loopback)
      const errors: string[] = []
      socket.on('error', (error) => errors.push((error as NodeJS.ErrnoException).code!))
      expect(socket.sendBatch([{ data: 'a' }])).toEqual(all(1))
      expect(socket.sendBatch([{ data: 'b' }, { data: 'c' }])).toEqual(all(2))
      await waitFor('the error', () => errors.length > 0)
      expect(new Set(errors)).toEqual(new Set(['ECONNREFUSED']))
      expect(socket.stats().errors.ECONNREFUSED).toBe(errors.length)
    })
  })

  describe('sendMmsg', () => {
    test('is the same as a function', () => {
      const { from, to, items } = pair()
      expect(sendMmsg(from, items(['a', 'b']))).toEqual(all(2))
      expect(sendMmsg(from, items(['c']), { flags: constants.MSG_DONTWAIT })).toEqual(all(1))
      expect(texts(to, 3)).toEqual(['a', 'b', 'c'])
    })

    test('refuses other flags, and what is no socket', () => {
      const { from } = pair()
      const refused = (code: string) => expect.objectContaining({ code })
      for (const flags of [constants.MSG_PEEK, 1 << 20, 1.5, Number.NaN])
        expect(() => sendMmsg(from, [], { flags })).toThrow(refused('ERR_INVALID_ARG_VALUE'))
      expect(() => sendMmsg(from, [], { flags: '0' as never })).toThrow(refused('ERR_INVALID_ARG_TYPE'))
      for (const socket of [null, {}, 3])
        expect(() => sendMmsg(socket as never, [])).toThrow(refused('ERR_INVALID_ARG_TYPE'))
    })
  })

  describe('refuses', () => {
    test.each<[string, unknown, string]>([
      ['a string', 'x', 'ERR_INVALID_ARG_TYPE'],
      ['a Buffer', Buffer.from('x'), 'ERR_INVALID_ARG_TYPE'],
      ['nothing', undefined, 'ERR_INVALID_ARG_TYPE'],
      ['null', null, 'ERR_INVALID_ARG_TYPE'],
      ['an object', { data: 'x', port: 9 }, 'ERR_INVALID_ARG_TYPE'],
      ['null for an item', [null], 'ERR_INVALID_ARG_TYPE'],
      ['text for an item', ['x'], 'ERR_INVALID_ARG_TYPE'],
      ['an item without data', [{ port: 9 }], 'ERR_INVALID_ARG_TYPE'],
      ['a number for data', [{ data: 5, port: 9 }], 'ERR_INVALID_ARG_TYPE'],
      ['arrays of arrays', [{ data: [['x']], port: 9 }], 'ERR_INVALID_ARG_TYPE'],
      ['an item without port', [{ data: 'x' }], 'ERR_SOCKET_BAD_PORT'],
      ['port 0', [{ data: 'x', port: 0 }], 'ERR_SOCKET_BAD_PORT'],
      ['port 65536', [{ data: 'x', to: { port: 65_536 } }], 'ERR_SOCKET_BAD_PORT'],
      ['a host name', [{ data: 'x', port: 9, address: 'localhost' }], 'ERR_INVALID_IP_ADDRESS'],
      ['a number for an address', [{ data: 'x', port: 9, address: 5 }], 'ERR_INVALID_ARG_TYPE'],
      ['text for a target', [{ data: 'x', to: 'localhost' }], 'ERR_INVALID_ARG_TYPE'],
      ['null for a target', [{ data: 'x', to: null }], 'ERR_INVALID_ARG_TYPE'],
    ])('%s', (_what, packets, code) => {
      const { from, to, port, address } = pair()
      const refused = expect.objectContaining({ code })
      expect(() => from.sendBatch(packets as never)).toThrow(refused)
      // Whatever is wrong is found before anything of a call is sent.
      const good = { data: 'good', port, address }
      if (Array.isArray(packets)) expect(() => from.sendBatch([good, ...packets])).toThrow(refused)
      nothing(to)
    })

    test.each<[object, string]>([
      [{ start: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ start: 1.5 }, 'ERR_OUT_OF_RANGE'],
      [{ start: '0' }, 'ERR_INVALID_ARG_TYPE'],
      [{ segmentSize: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ segmentSize: 65_528 }, 'ERR_OUT_OF_RANGE'],
      [{ segmentSize: '9' }, 'ERR_INVALID_ARG_TYPE'],
      [{ to: 9 }, 'ERR_INVALID_ARG_TYPE'],
      [{ to: {} }, 'ERR_SOCKET_BAD_PORT'],
      [{ segment: 9 }, 'ERR_INVALID_ARG_VALUE'],
    ])('%j', (options, code) => {
      expect(() => bind(row).sendBatch([], options)).toThrow(expect.objectContaining({ code }))
    })

    test('to cut a batch, or text', () => {
      const { from, port, address } = pair()
      const cut = { segmentSize: 10 }
      const refused = (code: string) => expect.objectContaining({ code })
      expect(() => from.sendBatch(new PacketBatch(), cut)).toThrow(refused('ERR_INVALID_ARG_VALUE'))
      expect(() => from.sendBatch([{ data: 'text', port, address }], cut)).toThrow(
        refused('ERR_INVALID_ARG_TYPE'),
      )
    })

    test('on a closed socket, whatever is sent', async () => {
      const socket = bind(row).close()
      const closed = expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
      expect(() => socket.sendBatch([])).toThrow(closed)
      expect(() => socket.sendBatch(new PacketBatch())).toThrow(closed)
      expect(() => socket.sendToMany('x', [])).toThrow(closed)
      expect(() => sendMmsg(socket, [])).toThrow(closed)
      await expect(socket.sendAll([])).rejects.toEqual(closed)
      expect(await socket.writable()).toBe(false)
    })

    test('a descriptor that is gone: the call fails, and nobody else is sent to', () => {
      const { from, items } = pair()
      testkit.closeFd(from.fd)
      expect(shape(trying(() => from.sendBatch(items(['x']))))).toMatchObject({
        message: 'sendmmsg EBADF',
        code: 'EBADF',
        syscall: 'sendmmsg',
      })
    })
  })

  describe('reads its arguments before it sends', () => {
    test('payloads as they were when they were read', () => {
      const { from, to, port, address } = pair()
      const data = Buffer.from('first')
      const items = [
        { data, port, address },
        {
          get data() {
            data.fill('x')
            structuredClone(data.buffer.slice(0))
            return 'second'
          },
          port,
          address,
        },
      ]
      expect(from.sendBatch(items)).toEqual(all(2))
      expect(texts(to, 2)).toEqual(['first', 'second'])
    })

    test('a getter may transfer an earlier payload away', () => {
      const { from, to, port, address } = pair()
      const data = new Uint8Array(3).fill(65)
      const item = {
        port,
        address,
        get data() {
          structuredClone(data.buffer, { transfer: [data.buffer] })
          return 'second'
        },
      }
      expect(from.sendBatch([{ data, port, address }, item])).toEqual(all(2))
      expect(texts(to, 2)).toEqual(['AAA', 'second'])
    })

    test('a getter may send, receive, or close', () => {
      const { from, to, port, address } = pair()
      const during = (run: () => unknown): Sendable => ({
        port,
        address,
        get data() {
          run()
          return 'outer'
        },
      })
      const nested = () => from.sendBatch([{ data: 'inner', port, address }])
      expect(from.sendBatch([{ data: 'before', port, address }, during(nested)])).toEqual(all(2))
      expect(texts(to, 3)).toEqual(['inner', 'before', 'outer'])
      const closed = expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
      expect(() => from.sendBatch([during(() => from.close())])).toThrow(closed)
      nothing(to)
    })

    test('a segmented buffer that a later getter takes away was sent before', () => {
      const { from, to, port, address } = pair()
      const data = new Uint8Array(4)
      const item = {
        port,
        address,
        get data() {
          structuredClone(data.buffer, { transfer: [data.buffer] })
          return Buffer.alloc(2)
        },
      }
      expect(from.sendBatch([{ data, port, address }, item], { segmentSize: 2 })).toEqual(all(3))
      expect(texts(to, 3)).toHaveLength(3)
    })

    test('what was aimed at others does not go to a peer that a getter connects to', () => {
      const { from, to, port, address } = pair()
      const peer = bind(row)
      const item = {
        get data() {
          from.connect(peer.address().port, row.loopback)
          return 'x'
        },
        port,
        address,
      }
      const connected = expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' })
      expect(() => from.sendBatch([{ data: 'x', port, address }, item])).toThrow(connected)
      nothing(to)
      nothing(peer)
    })

    test('a socket that is closed on the way tells what was sent', () => {
      const { from, to, items } = pair()
      function* closing() {
        yield* items(numbers(1500))
        from.close()
        yield* items(numbers(1))
      }
      expect(from.sendBatch(closing())).toMatchObject({ sent: 1024, failed: 0, next: 1024 })
      expect(texts(to, 1024)).toHaveLength(1024)
    })

    test('a view is as long as it is, whatever it says', () => {
      const { from, to, port, address } = pair()
      class Longer extends Uint8Array {
        override get length() {
          return 20
        }
        override get byteLength() {
          return 20
        }
      }
      from.sendBatch([{ data: 'somebody else’s secret', port, address }])
      from.sendBatch([{ data: new Longer([65, 66]), port, address }])
      expect(texts(to, 2)[1]).toBe('AB')
    })

    test('a detached view has no bytes', () => {
      const { from, to, port, address } = pair()
      const data = new Uint8Array(9)
      structuredClone(data.buffer, { transfer: [data.buffer] })
      expect(from.sendBatch([{ data, port, address }])).toEqual(all(1))
      expect(texts(to, 1)).toEqual([''])
    })

    test('proxies are read once for each property', () => {
      const { from, to, port, address } = pair()
      const read: PropertyKey[] = []
      const item = new Proxy({ data: 'x', port, address } as Sendable, {
        get(target, name) {
          read.push(name)
          return Reflect.get(target, name)
        },
      })
      expect(from.sendBatch([item])).toEqual(all(1))
      expect(read.sort()).toEqual(['address', 'data', 'destination', 'port', 'to'])
      expect(texts(to, 1)).toEqual(['x'])
    })
  })

  describe('sendAll', () => {
    test('sends an array, an iterable, a batch', async () => {
      const { from, to, items } = pair()
      const payloads = numbers(2500)
      expect(await from.sendAll(items(payloads))).toEqual(all(2500))
      expect(texts(to, 2500)).toEqual(payloads)
      expect(await from.sendAll(new Set(items(payloads)))).toEqual(all(2500))
      expect(texts(to, 2500)).toEqual(payloads)
      from.sendBatch(items(['a', 'b']))
      const batch = new PacketBatch()
      expect(to.recv(batch)).toBe(2)
      expect(await to.sendAll(batch)).toEqual(all(2))
      expect(texts(from, 2)).toEqual(['a', 'b'])
      expect(await from.sendAll([{ data: Buffer.alloc(5) }], { to: to.address(), segmentSize: 2 })).toEqual(
        all(3),
      )
      expect(await from.sendAll([])).toEqual(all(0))
    })

    test('tells the first failure with its index in the whole', async () => {
      const { from, to, items } = pair()
      const unfit = row.family === 'udp4' ? '2001:db8::1' : '192.0.2.1'
      const packets = items(numbers(2000))
      for (const index of [1500, 1600]) packets[index] = { data: 'bad', port: 9, address: unfit }
      const result = await from.sendAll(packets)
      expect(result).toMatchObject({ sent: 1998, failed: 2, next: 2000, error: { index: 1500 } })
      expect(texts(to, 1998)).toHaveLength(1998)
    })

    test('lets the event loop turn, and a signal end it', async () => {
      const { from, port, address } = pair()
      function* endless(): Generator<Sendable> {
        for (;;) yield { data: 'x', port, address }
      }
      const signal = AbortSignal.timeout(50)
      await expect(from.sendAll(endless(), { signal })).rejects.toMatchObject({ code: 'ABORT_ERR' })
    })

    test('rejects what sendBatch throws, and when aborted before', async () => {
      const { from, items } = pair()
      const code = (name: string) => expect.objectContaining({ code: name })
      await expect(from.sendAll('x' as never)).rejects.toEqual(code('ERR_INVALID_ARG_TYPE'))
      await expect(from.sendAll([{ data: 'x' }])).rejects.toEqual(code('ERR_SOCKET_BAD_PORT'))
      await expect(from.sendAll([], { start: 1 } as object)).rejects.toEqual(code('ERR_INVALID_ARG_VALUE'))
      const signal = AbortSignal.abort()
      await expect(from.sendAll(items(['x']), { signal })).rejects.toEqual(code('ABORT_ERR'))
    })
  })

  describe('writable', () => {
    test('is true where there is room, for all who ask', async () => {
      const socket = bind(row)
      expect(await Promise.all([socket.writable(), socket.writable()])).toEqual([true, true])
    })

    test('is false when the socket closes, and rejects when aborted', async () => {
      const socket = bind(row)
      const waiting = socket.writable()
      const controller = new AbortController()
      const aborted = socket.writable({ signal: controller.signal })
      controller.abort()
      await expect(aborted).rejects.toMatchObject({ code: 'ABORT_ERR' })
      socket.close()
      expect(await waiting).toBe(false)
      await expect(socket.writable({ signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'ABORT_ERR',
      })
    })
  })

  const { gso, gro } = capabilities()
  const together = gso && gro
  const reason = together ? '' : ' [skipped: needs UDP_SEGMENT and UDP_GRO]'
  ;(together ? describe : describe.skip)(`gso${reason}`, () => {
    test.each([true, false])('%p: datagrams of one size leave together, or singly', (on) => {
      const { from, to, items } = pair({ gso: on })
      const payloads = numbers(500, 1000)
      expect(from.sendBatch(items(payloads))).toEqual(all(500))
      expect(texts(to, 500)).toEqual(payloads)
      const { messages } = to.stats()
      if (on) expect(messages).toBeLessThan(50)
      else expect(messages).toBe(500)
    })

    test('what is apart in memory leaves together as well', () => {
      const { from, to } = pair()
      // One message a datagram, each in a slot of its own.
      const echo = bind(row, { gro: false })
      for (const text of numbers(40, 10)) from.send(text, echo.address())
      const batch = new PacketBatch()
      expect(echo.recv(batch)).toBe(40)
      expect(echo.sendBatch(batch, { to: to.address() })).toEqual(all(40))
      expect(texts(to, 40)).toEqual(numbers(40, 10))
      expect(to.stats().messages).toBeLessThan(5)
    })
  })
})

/** What `call` throws, as it is. */
function trying(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
