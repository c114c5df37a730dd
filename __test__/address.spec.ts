// Addresses: as text, as the names of sockets, and as what is sent to.

import { once } from 'node:events'
import net from 'node:net'
import os from 'node:os'
import { inspect } from 'node:util'
import { interfaceName } from '../binding'
import { PacketBatch, type Payload, type UdpSocket } from '../index'
import { addressInfo, addressText } from '../lib/address'
import { ADDRESS, FAMILY, PORT, SCOPE_ID, SOCKADDR } from '../lib/layout'
import { bind, closeAll } from './support/matrix'
import {
  closeDgrams,
  collect,
  describeRows,
  dgramSendError,
  dgramSocket,
  freePort,
  thrown,
  unboundDgram,
} from './support/net'

afterEach(() => {
  closeAll()
  closeDgrams()
})

/** An address as native code writes it. */
function words(family: 4 | 6, address: readonly number[], scopeId = 0, port = 9): Uint32Array {
  const written = new Uint32Array(SOCKADDR)
  written[FAMILY] = family
  written[PORT] = port
  written[SCOPE_ID] = scopeId
  written.set(address, ADDRESS)
  return written
}

const text4 = (address: number) => addressText(words(4, [address]), 0)
const text6 = (groups: readonly number[], scopeId = 0) => {
  const pairs = [0, 2, 4, 6].map((at) => ((groups[at]! << 16) | groups[at + 1]!) >>> 0)
  return addressText(words(6, pairs, scopeId), 0)
}
const hex = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(':')

describe('as text', () => {
  test.each(['0.0.0.0', '127.0.0.1', '255.255.255.255', '192.0.2.1', '128.0.0.0', '1.2.3.4'])(
    '%s',
    (text) => {
      const address = text.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
      expect(text4(address)).toBe(text)
      expect(addressInfo(words(4, [address], 0, 65_535))).toStrictEqual({
        address: text,
        family: 'IPv4',
        port: 65_535,
      })
    },
  )

  // Each group of zeros at each place, beside the two parsers of Node, which agree on them.
  /** An address for every choice of groups that are zero. */
  const choices = Array.from({ length: 256 }, (_, zeros) =>
    Array.from({ length: 8 }, (_, index) => (zeros & (1 << index) ? 0 : 0xa0 + index)),
  )

  test('an IPv6 address is compressed as by Node', () => {
    for (const groups of choices) {
      const own = new net.SocketAddress({ family: 'ipv6', address: hex(groups) }).address
      expect([hex(groups), text6(groups)]).toEqual([hex(groups), own])
    }
  })

  test('an IPv6 address is compressed as by the URL standard', () => {
    for (const groups of choices) {
      const text = text6(groups)
      expect(net.isIPv6(text)).toBe(true)
      const embedsIPv4 = text.includes('.')
      expect([hex(groups), new URL(`http://[${text}]`).hostname]).toEqual([
        hex(groups),
        embedsIPv4 ? new URL(`http://[${hex(groups)}]`).hostname : `[${text}]`,
      ])
    }
  })

  const examples: [text: string, groups: number[]][] = [
    ['::', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['::1', [0, 0, 0, 0, 0, 0, 0, 1]],
    ['::ffff:192.0.2.1', [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201]],
    ['::ffff:0.0.0.0', [0, 0, 0, 0, 0, 0xffff, 0, 0]],
    ['::192.0.2.1', [0, 0, 0, 0, 0, 0, 0xc000, 0x0201]],
    ['::0.1.0.2', [0, 0, 0, 0, 0, 0, 1, 2]],
    ['::ffff', [0, 0, 0, 0, 0, 0, 0, 0xffff]],
    ['::ffff:0:c000:201', [0, 0, 0, 0, 0xffff, 0, 0xc000, 0x0201]],
    ['64:ff9b::c000:201', [0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x0201]],
    ['2001:db8::1:0:0:1', [0x2001, 0xdb8, 0, 0, 1, 0, 0, 1]],
    ['2001:db8:0:1:1:1:1:1', [0x2001, 0xdb8, 0, 1, 1, 1, 1, 1]],
    ['2001:0:0:1::1', [0x2001, 0, 0, 1, 0, 0, 0, 1]],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', new Array(8).fill(0xffff)],
    ['fe80::1', [0xfe80, 0, 0, 0, 0, 0, 0, 1]],
  ]

  test.each(examples)('%s', (text, groups) => {
    expect(text6(groups)).toBe(text)
  })

  test.each(examples)('%s, as Node has it', (text, groups) => {
    expect(new net.SocketAddress({ family: 'ipv6', address: hex(groups) }).address).toBe(text)
  })

  test('a link-local address has its interface behind it, and no other has', () => {
    const name = interfaceName(1)!
    expect(Object.keys(os.networkInterfaces())).toContain(name)
    expect(text6([0xfe80, 0, 0, 0, 0, 0, 0, 1], 1)).toBe(`fe80::1%${name}`)
    expect(text6([0xfebf, 0, 0, 0, 0, 0, 0, 1], 1)).toBe(`febf::1%${name}`)
    expect(text6([0xfec0, 0, 0, 0, 0, 0, 0, 1], 1)).toBe('fec0::1')
    expect(text6([0x2001, 0, 0, 0, 0, 0, 0, 1], 1)).toBe('2001::1')
    // An interface that is gone has its number left.
    expect(text6([0xfe80, 0, 0, 0, 0, 0, 0, 1], 999_999)).toBe('fe80::1%999999')
    expect(text6([0xfe80, 0, 0, 0, 0, 0, 0, 1])).toBe('fe80::1')
  })

  test('is nothing where the kernel named no sender, also where that place had one before', () => {
    expect(addressText(new Uint32Array(SOCKADDR), 0)).toBe('')
    expect(text4(0)).toBe('0.0.0.0')
    expect(text6(new Array(8).fill(0))).toBe('::')
    expect(addressText(new Uint32Array(SOCKADDR), 0)).toBe('')
  })

  test('is right for 10,000 senders, twice, in both families', () => {
    const wrong: [string, string][] = []
    const check = (text: string, expected: string) => text === expected || wrong.push([text, expected])
    for (const _again of [1, 2]) {
      for (let index = 0; index < 10_000; index++) {
        const digits = index.toString(16)
        check(text4(0x0a000000 + index), `10.0.${index >> 8}.${index & 255}`)
        check(text6([0x2001, 0xdb8, 1, 1, 1, 1, 1, index]), `2001:db8:1:1:1:1:1:${digits}`)
        check(text6([0x2001, 0xdb8, index, 1, 1, 1, 1, 1]), `2001:db8:${digits}:1:1:1:1:1`)
        // The same first word as an IPv4 address's, and the same words with another scope.
        check(text6([0x0a00, index, 0, 0, 0, 0, 0, 0]), index === 0 ? 'a00::' : `a00:${digits}::`)
        check(text6([0xfe80, 0, 0, 0, 0, 0, 0, 1], 1_000_000 + index), `fe80::1%${1_000_000 + index}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describeRows('names of sockets', (row) => {
  test("are told as by node:dgram's", async () => {
    const theirs = await dgramSocket(row)
    const ours = bind(row)
    expect(ours.address()).toStrictEqual({ ...theirs.address(), port: ours.address().port })
    const peer = bind(row).address()
    const connected = once(theirs, 'connect')
    theirs.connect(peer.port, peer.address)
    await connected
    expect(ours.connect(peer.port, peer.address)).toBe(ours)
    expect(ours.remoteAddress()).toStrictEqual(theirs.remoteAddress())
    expect(ours.remoteAddress()).toStrictEqual(peer)
  })

  test('of peers are set and taken away by connect and disconnect, in the order of node:dgram', () => {
    const ours = bind(row)
    const theirs = unboundDgram(row)
    const notConnected = thrown(() => theirs.disconnect())
    expect(thrown(() => ours.disconnect())).toEqual(notConnected)
    expect(thrown(() => ours.remoteAddress())).toEqual(notConnected)
    theirs.connect(9, row.loopback)
    ours.connect(9, row.loopback)
    const connected = thrown(() => theirs.connect(9, row.loopback))
    expect(thrown(() => ours.connect(9, row.loopback))).toEqual(connected)
    for (const to of [
      [9],
      [9, row.loopback],
      [{ port: 9, address: row.loopback }],
      [undefined, row.loopback],
    ]) {
      expect(thrown(() => ours.send('x', ...(to as [number, string])))).toEqual(connected)
    }
    expect(ours.disconnect()).toBe(ours)
    expect(thrown(() => ours.remoteAddress())).toEqual(notConnected)
    expect(ours.connect(10).remoteAddress()).toMatchObject({ address: row.loopback, port: 10 })
  })

  test('are what console.log shows', () => {
    const socket = bind(row)
    const { address, port } = socket.address()
    expect(inspect(socket)).toBe(
      `UdpSocket { address: '${address}', port: ${port}, backend: '${row.backend}' }`,
    )
    expect(inspect(socket.connect(9))).toContain(`, peer: '${row.loopback}', peerPort: 9, `)
    expect(inspect(socket.close())).toBe('UdpSocket { closed }')
  })

  test('of peers decide whom it hears', () => {
    // Disconnecting takes a port away that the kernel had chosen, as it does with node:dgram.
    const [socket, peer, other] = [bind(row, { port: freePort(row) }), bind(row), bind(row)]
    socket.connect(peer.address().port)
    other.send('other', socket.address())
    peer.send('peer', socket.address())
    expect(socket.send('to the peer')).toBe(true)
    expect(collect(socket, new PacketBatch(), 1)[0]?.data.toString()).toBe('peer')
    expect(collect(peer, new PacketBatch(), 1)[0]).toMatchObject({ port: socket.address().port })
    expect(socket.recv(new PacketBatch())).toBe(0)
    socket.disconnect()
    other.send('other', socket.address())
    expect(collect(socket, new PacketBatch(), 1)[0]?.data.toString()).toBe('other')
  })

  test.each([0, 65_536, -1, 1.5, '', 'x', null, undefined, true])('with the port %p are refused', (port) => {
    const expected = thrown(() => unboundDgram(row).connect(port as number))
    expect(thrown(() => bind(row).connect(port as number))).toEqual(expected)
    expect(thrown(() => bind(row).connect(port as number, row.loopback))).toEqual(expected)
    expect(thrown(() => bind(row).send('x', port as number))).toEqual(expected)
    expect(thrown(() => bind(row).send('x', { port: port as number }))).toEqual(expected)
  })

  test('that are to be looked up are refused', () => {
    const calls = [
      () => bind(row).connect(9, 'localhost'),
      () => bind(row).send('x', 9, 'localhost'),
      () => bind(row).send('x', { port: 9, address: 'localhost' }),
    ]
    for (const call of calls) {
      expect(thrown(call)).toMatchObject({
        code: 'ERR_INVALID_IP_ADDRESS',
        message: expect.stringMatching(/localhost.*resolve it first/),
      })
    }
  })
})

describeRows('sending to an address', (row) => {
  const received = (send: (from: UdpSocket, to: UdpSocket) => unknown) => {
    const [from, to] = [bind(row), bind(row)]
    expect(send(from, to)).toBe(true)
    return collect(to, new PacketBatch(), 1)[0]!
  }
  const bytes = Uint8Array.from({ length: 24 }, (_, index) => index)
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)

  test.each<[string, Payload, Uint8Array]>([
    ['a string', 'žluť 🦆', new TextEncoder().encode('žluť 🦆')],
    ['an empty string', '', new Uint8Array()],
    ['a Buffer', Buffer.from('buffer'), Buffer.from('buffer')],
    ['an empty Buffer', Buffer.alloc(0), new Uint8Array()],
    ['a Uint8Array at an offset', bytes.subarray(3, 7), bytes.subarray(3, 7)],
    ['a Uint16Array at an offset', new Uint16Array(bytes.buffer, 2, 3), bytes.subarray(2, 8)],
    ['a BigInt64Array at an offset', new BigInt64Array(bytes.buffer, 8, 1), bytes.subarray(8, 16)],
    ['a DataView at an offset', new DataView(bytes.buffer, 5, 3), bytes.subarray(5, 8)],
    ['shared memory', shared, shared],
    ['an array of these', ['a', Buffer.from('b'), new Uint16Array([0x2020])], Buffer.from('ab  ')],
    ['an empty array', [], new Uint8Array()],
  ])('takes %s', (_what, data, expected) => {
    const { data: arrived } = received((from, to) => from.send(data, to.address()))
    expect(arrived).toEqual(Buffer.from(expected))
  })

  test.each([5, null, undefined, true, {}, [1, 2], [['x']], new ArrayBuffer(4), 1n])(
    'refuses to send %p',
    (data) => {
      expect(thrown(() => bind(row).send(data as string, 9))).toEqual({
        ...thrown(() => unboundDgram(row).send(5 as never, 9)),
        message: expect.stringMatching(
          /^The "data" argument must be of type string or an instance of Buffer, TypedArray, DataView, or an array of these\. Received /,
        ),
      })
    },
  )

  test.each<[string, (from: UdpSocket, to: UdpSocket) => unknown]>([
    ['a port on the same host', (from, to) => from.send('x', to.address().port)],
    ['a port in text', (from, to) => from.send('x', String(to.address().port) as never)],
    ['port and address', (from, to) => from.send('x', to.address().port, row.loopback)],
    ['a target', (from, to) => from.send('x', to.address())],
    ['a target without address', (from, to) => from.send('x', { port: to.address().port })],
    ['its peer', (from, to) => from.connect(to.address().port).send('x')],
  ])('reaches %s', (_what, send) => {
    expect(received(send)).toMatchObject({ size: 1, address: row.loopback })
  })

  test("reaches a packet's sender, from the packet and from its copy", () => {
    const [asking, answering] = [bind(row), bind(row)]
    const batch = new PacketBatch()
    for (const target of [() => batch.at(0)!, () => batch.at(0)!.copy()]) {
      asking.send('question', answering.address())
      collect(answering, batch, 1)
      expect(answering.send('answer', target())).toBe(true)
      const { port } = answering.address()
      expect(collect(asking, new PacketBatch(), 1)).toMatchObject([{ data: Buffer.from('answer'), port }])
    }
  })

  test('fails as node:dgram does when the payload is too long', async () => {
    const most = { udp4: 65_507, udp6: 65_527 }[row.family]
    const [socket, to] = [bind(row), bind(row).address()]
    expect(socket.send(Buffer.alloc(most), to)).toBe(true)
    const error = thrown(() => socket.send(Buffer.alloc(most + 1), to))
    const expected = await dgramSendError(row, Buffer.alloc(most + 1), to)
    expect(error).toStrictEqual(expected)
    expect(Object.keys(error)).toEqual(Object.keys(expected))
    expect(error).toMatchObject({
      code: 'EMSGSIZE',
      syscall: 'send',
      ...{ address: to.address, port: to.port },
    })
    expect(socket.stats().errors).toEqual({ EMSGSIZE: 1 })
  })

  test('fails as node:dgram does without a port, and for an address that is no string', () => {
    const [ours, theirs] = [bind(row), unboundDgram(row)]
    expect(thrown(() => ours.send('x'))).toEqual(thrown(() => theirs.send('x')))
    expect(thrown(() => ours.send('x', null as never)).code).toBe('ERR_SOCKET_BAD_PORT')
    expect(thrown(() => ours.send('x', 9, 5 as never))).toEqual(thrown(() => theirs.send('x', 9, 5 as never)))
  })
})
