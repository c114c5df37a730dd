// UdpSocket: making it by bind and from a descriptor, its buffers, and its end.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { capabilities, PacketBatch, UdpSocket } from '../index'
import { bind, closeAll, type Row, track } from './support/matrix'
import {
  closeDgrams,
  collect,
  describeRows,
  dgramBindError,
  dgramSocket,
  thrown,
  unboundDgram,
} from './support/net'
import { testkit } from './support/testkit'

const numbers = testkit.constants()
const domains = { udp4: 'inet', udp6: 'inet6' } as const
/** Descriptors that a test has not handed over. */
const kept = new Set<number>()

function keep(fd: number): number {
  kept.add(fd)
  return fd
}

afterEach(() => {
  closeAll()
  closeDgrams()
  for (const fd of kept) testkit.closeFd(fd)
  kept.clear()
})

test('is made by bind and fromFd only', () => {
  const Constructor = UdpSocket as unknown as new (...values: unknown[]) => UdpSocket
  for (const values of [[], [Symbol('UdpSocket'), {}], [{}]]) {
    expect(thrown(() => new Constructor(...values))).toEqual(thrown(() => new AbortSignal()))
  }
  expect(UdpSocket.bind.name).toBe('bind')
})

describeRows('bind throws what node:dgram emits', (row) => {
  const foreign = { udp4: '198.51.100.7', udp6: '2001:db8::7' }[row.family]
  const bindError = (port: number, address: string) =>
    thrown(() => track(UdpSocket.bind({ port, address, backend: row.backend })))

  test('when the address is in use', async () => {
    const { port } = bind(row).address()
    const error = bindError(port, row.loopback)
    const expected = await dgramBindError(row, port, row.loopback)
    expect(error).toStrictEqual(expected)
    expect(Object.keys(error)).toEqual(Object.keys(expected))
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `bind EADDRINUSE ${row.loopback}:${port}`,
      errno: -os.constants.errno.EADDRINUSE,
      syscall: 'bind',
      address: row.loopback,
      port,
    })
  })

  test.each([0, 9])("when the address is not this host's, with port %i", async (port) => {
    const error = bindError(port, foreign)
    expect(error).toStrictEqual(await dgramBindError(row, port, foreign))
    expect(error.code).toBe('EADDRNOTAVAIL')
  })
})

describeRows('buffer sizes', (row) => {
  test("are set and told as by node:dgram's socket", async () => {
    const ours = bind(row)
    const theirs = await dgramSocket(row)
    for (const size of [1, 4096, 100_000, 2 ** 31 - 1]) {
      expect(ours.setRecvBufferSize(size)).toBeUndefined()
      expect(ours.setSendBufferSize(size)).toBeUndefined()
      theirs.setRecvBufferSize(size)
      theirs.setSendBufferSize(size)
      expect(ours.getRecvBufferSize()).toBe(theirs.getRecvBufferSize())
      expect(ours.getSendBufferSize()).toBe(theirs.getSendBufferSize())
    }
  })

  const outOfRange = [0, -1, 1.5, 2 ** 31, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY]

  test.each([...outOfRange, '4096', null, undefined, {}, 4096n])('are refused when %p', (size) => {
    const socket = bind(row)
    const before = socket.getRecvBufferSize()
    const expected = thrown(() => unboundDgram(row).setRecvBufferSize(-1))
    expect(thrown(() => socket.setRecvBufferSize(size as number))).toEqual(expected)
    expect(thrown(() => socket.setSendBufferSize(size as number))).toEqual(expected)
    expect(socket.getRecvBufferSize()).toBe(before)
  })
})

describeRows('a closed socket', (row) => {
  const closed = () => {
    const sender = bind(row)
    const socket = bind(row)
    const batch = new PacketBatch()
    sender.send('kept', socket.address())
    collect(socket, batch, 1)
    const { fd } = socket
    expect(socket.close()).toBe(socket)
    return { socket, batch, fd }
  }

  test('stays closed, and says so once, on the next tick', async () => {
    const socket = bind(row)
    const { fd } = socket
    let events = 0
    socket.on('close', () => events++)
    for (const close of [() => socket.close(), () => socket.close(), () => socket[Symbol.dispose]()]) close()
    expect(events).toBe(0)
    expect(thrown(() => testkit.fdFlags(fd)).code).toBe('EBADF')
    await new Promise((resolve) => setImmediate(resolve))
    await socket[Symbol.asyncDispose]()
    expect(events).toBe(1)
  })

  test('refuses what needs a socket', () => {
    const { socket } = closed()
    const calls: (() => unknown)[] = [
      () => socket.recv(new PacketBatch()),
      () => socket.send('x', 9, row.loopback),
      () => socket.send('x', 9),
      () => socket.connect(9, row.loopback),
      () => socket.disconnect(),
      () => socket.address(),
      () => socket.remoteAddress(),
      () => socket.getRecvBufferSize(),
      () => socket.getSendBufferSize(),
      () => socket.setRecvBufferSize(4096),
      () => socket.setSendBufferSize(4096),
    ]
    for (const call of calls) {
      expect([String(call), thrown(call)]).toEqual([
        String(call),
        { name: 'Error', code: 'ERR_SOCKET_DGRAM_NOT_RUNNING', message: 'Not running' },
      ])
    }
  })

  test('answers everything else', async () => {
    const { socket, batch } = closed()
    expect(socket).toMatchObject({ fd: -1, backend: row.backend })
    for (const call of [socket.ref, socket.unref, socket.pause, socket.resume, socket.close]) {
      expect(call.call(socket)).toBe(socket)
    }
    expect(await socket.readable()).toBe(false)
    expect(socket.stats()).toMatchObject({ datagrams: 1, bytes: 4 })
    expect(batch.at(0)?.data.toString()).toBe('kept')
  })

  test('ends an iteration before it begins', async () => {
    const { socket } = closed()
    const pending = new Promise((resolve) => setImmediate(resolve, 'pending'))
    const next = socket[Symbol.asyncIterator]().next()
    expect(await Promise.race([next, pending])).toEqual({ value: undefined, done: true })
  })
})

describe('fromFd refuses', () => {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'recvmmsg-'))
  afterAll(() => fs.rmSync(directory, { recursive: true }))
  const fifo = () => {
    const name = join(directory, 'fifo')
    execFileSync('mkfifo', [name])
    return testkit.openFile(name)
  }

  test.each<[string, () => number]>([
    ['a file', () => testkit.openFile(__filename)],
    ['a directory', () => testkit.openFile(directory)],
    ['a device', () => testkit.openFile('/dev/null')],
    ['a pipe', fifo],
    ['a TCP socket', () => testkit.makeSocket('inet', 'stream')],
    ['a Unix stream socket', () => testkit.makeSocket('unix', 'stream')],
    ['a Unix datagram socket', () => testkit.makeSocket('unix', 'dgram')],
  ])('%s, in the words of node:dgram, and leaves it as it was', (_what, open) => {
    const fd = keep(open())
    const flags = testkit.fcntlGetFlags(fd)
    const expected = thrown(() => unboundDgram({ family: 'udp4' }).bind({ fd }))
    expect(expected.code).toBe('ERR_INVALID_FD_TYPE')
    for (const dup of [false, true]) expect(thrown(() => UdpSocket.fromFd(fd, { dup }))).toEqual(expected)
    expect(testkit.fcntlGetFlags(fd)).toBe(flags)
  })

  test('a number that no descriptor has', () => {
    expect(thrown(() => UdpSocket.fromFd(2 ** 20))).toEqual({
      name: 'Error',
      code: 'EBADF',
      errno: -os.constants.errno.EBADF,
      syscall: 'fcntl',
      message: 'fcntl EBADF',
    })
  })

  test('what is no descriptor', () => {
    for (const fd of [-1, 1.5, 2 ** 31, Number.NaN]) {
      expect([fd, thrown(() => UdpSocket.fromFd(fd)).code]).toEqual([fd, 'ERR_OUT_OF_RANGE'])
    }
    for (const fd of ['3', null, undefined, {}, 3n]) {
      expect([fd, thrown(() => UdpSocket.fromFd(fd as number)).code]).toEqual([fd, 'ERR_INVALID_ARG_TYPE'])
    }
  })
})

describeRows('fromFd', (row: Row) => {
  const { backend } = row
  const descriptor = () => {
    const fd = testkit.makeSocket(domains[row.family], 'dgram')
    return { fd: keep(fd), port: testkit.bindAny(fd) }
  }
  const nonBlocking = (fd: number) => (testkit.fcntlGetFlags(fd) & numbers.O_NONBLOCK!) !== 0

  test('takes the descriptor over, and closes it', () => {
    const { fd: original, port } = descriptor()
    const fd = testkit.dup(original)
    expect([nonBlocking(fd), testkit.fdFlags(fd)]).toEqual([false, 0])
    const socket = track(UdpSocket.fromFd(fd, { backend }))
    expect(socket).toMatchObject({ fd, backend })
    expect(socket.address()).toMatchObject({ address: row.loopback, port })
    expect([nonBlocking(fd), testkit.fdFlags(fd)]).toEqual([true, numbers.FD_CLOEXEC])
    bind(row).send('hello', port)
    expect(collect(socket, new PacketBatch(), 1)[0]?.data.toString()).toBe('hello')
    expect(socket.recv(new PacketBatch())).toBe(0)
    socket.close()
    expect(thrown(() => testkit.fdFlags(fd)).code).toBe('EBADF')
  })

  test('with dup leaves the descriptor to its owner, blocking as it was', () => {
    const { fd, port } = descriptor()
    const socket = track(UdpSocket.fromFd(fd, { dup: true, backend }))
    expect(socket.fd).not.toBe(fd)
    const { fd: own } = socket
    expect([nonBlocking(own), testkit.fdFlags(own)]).toEqual([true, numbers.FD_CLOEXEC])
    socket.close()
    expect(thrown(() => testkit.fdFlags(own)).code).toBe('EBADF')
    expect(nonBlocking(fd)).toBe(false)
    // It still is a bound socket.
    const peer = bind(row)
    testkit.sendTo(fd, row.loopback, peer.address().port, Buffer.from('alive'))
    expect(collect(peer, new PacketBatch(), 1)).toMatchObject([{ data: Buffer.from('alive'), port }])
  })

  test('leaves a descriptor non-blocking that came so', () => {
    const { fd } = descriptor()
    testkit.fcntlSetFlags(fd, testkit.fcntlGetFlags(fd) | numbers.O_NONBLOCK!)
    UdpSocket.fromFd(fd, { dup: true, backend }).close()
    expect(nonBlocking(fd)).toBe(true)
  })

  test('knows whom the descriptor is connected to', () => {
    const first = bind(row)
    const peer = bind(row)
    first.connect(peer.address().port, row.loopback)
    const second = track(UdpSocket.fromFd(first.fd, { dup: true, backend }))
    expect(second.remoteAddress()).toEqual(peer.address())
    expect(second.send('x')).toBe(true)
    expect(thrown(() => second.connect(1)).code).toBe('ERR_SOCKET_DGRAM_IS_CONNECTED')
    expect(collect(peer, new PacketBatch(), 1)[0]?.port).toBe(first.address().port)
  })

  test("does not close another file that has got the descriptor's number", () => {
    const { fd } = descriptor()
    const socket = UdpSocket.fromFd(fd, { backend })
    testkit.closeFd(fd)
    expect(testkit.openFile(__filename)).toBe(fd)
    expect(socket.fd).toBe(-1)
    expect(thrown(() => socket.recv(new PacketBatch()))).toMatchObject({ code: 'EBADF', syscall: 'recvmmsg' })
    socket.close()
    expect(testkit.inode(fd)).toBe(fs.statSync(__filename).ino)
  })

  const groTest = capabilities().gro && capabilities().gso ? test : test.skip
  const reason = capabilities().gro && capabilities().gso ? '' : ' [skipped: no UDP_GRO or UDP_SEGMENT]'
  const gro = (fd: number) => testkit.getsockoptInt(fd, numbers.IPPROTO_UDP!, numbers.UDP_GRO!)

  groTest(`reads a descriptor that coalesces as one that does${reason}`, () => {
    const { fd, port } = descriptor()
    testkit.setsockoptInt(fd, numbers.IPPROTO_UDP!, numbers.UDP_GRO!, 1)
    const refused = thrown(() => UdpSocket.fromFd(fd, { packetSize: 2048, backend }))
    expect(refused.code).toBe('ERR_BATCH_SLOT_TOO_SMALL')
    for (const value of [undefined, false, true]) {
      const socket = track(UdpSocket.fromFd(fd, { dup: true, gro: value, backend }))
      expect(thrown(() => socket.recv(new PacketBatch({ packetSize: 2048 }))).code).toBe(refused.code)
      testkit.sendGso(bind(row).fd, row.loopback, port, Buffer.from('aabbc'), 2)
      const payloads = collect(socket, new PacketBatch(), 3).map(({ data }) => data.toString())
      expect(payloads).toEqual(['aa', 'bb', 'c'])
    }
    expect(gro(fd)).toBe(1)
  })

  groTest(`turns UDP_GRO on only when asked${reason}`, () => {
    for (const [value, expected] of [
      [undefined, 0],
      [false, 0],
      [true, 1],
    ] as const) {
      const { fd } = descriptor()
      track(UdpSocket.fromFd(fd, { dup: true, gro: value, backend }))
      expect([value, gro(fd)]).toEqual([value, expected])
    }
  })
})
