// Unix datagram sockets: names, what a message brings, errors. Files are in unix-file.spec.ts, waiting in unix-room.spec.ts.

import { readdirSync } from 'node:fs'
import { inspect } from 'node:util'
import { constants, merge, PacketBatch, recvMmsg, sendMmsg, UdpSocket, UnixDatagramSocket } from '../index'
import { withLetters } from '../lib/letters'
import { texts } from './support/loop'
import { thrown } from './support/net'
import { testkit } from './support/testkit'
import { backends, bind, closeAll, describeModes, newPath, removeAll, track } from './support/unix'

afterEach(closeAll)
afterAll(removeAll)

const abstract = process.platform === 'linux' ? test : test.skip

/** <asm-generic/socket.h> */
const [SOL_SOCKET, SO_PASSPIDFD] = [1, 76]
const noPidfd = (() => {
  if (process.platform !== 'linux') return ' [skipped: Linux]'
  const fd = testkit.makeSocket('unix', 'dgram')
  try {
    testkit.getsockoptInt(fd, SOL_SOCKET, SO_PASSPIDFD)
    return ''
  } catch {
    return ' [skipped: no SO_PASSPIDFD]'
  } finally {
    testkit.closeFd(fd)
  }
})()

/** All that is there, as texts. */
function received(socket: UnixDatagramSocket, batch = new PacketBatch()): string[] {
  const all: string[] = []
  while (socket.recv(batch) > 0) all.push(...texts(batch))
  return all
}

describe.each(backends)('names: %s', (backend) => {
  test('tells the sender by its path, and answers it', () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    expect(client.send('question', server.path)).toBe(true)
    const batch = new PacketBatch()
    expect(server.recv(batch)).toBe(1)
    const packet = batch.at(0)!
    expect([packet.path, batch.pathAt(0), packet.size]).toEqual([client.path, client.path, 8])
    expect([packet.address, packet.port, packet.destination, packet.interfaceIndex]).toEqual([
      '',
      0,
      null,
      null,
    ])
    expect(server.send('one', packet)).toBe(true)
    expect(server.sendBatch([{ data: 'two', to: packet }, packet])).toMatchObject({ sent: 2, next: 2 })
    expect(server.sendBatch(batch)).toMatchObject({ sent: 1, next: 1 })
    expect(server.send('copied', packet.copy())).toBe(true)
    expect(received(client)).toEqual(['one', 'two', 'question', 'question', 'copied'])
  })

  abstract('has abstract names, NULs and all, and takes one of the kernel’s when it is given none', () => {
    const name = `\0recvmmsg-${process.pid}\0x`
    const server = track(UnixDatagramSocket.bind({ path: name, backend }))
    const client = track(UnixDatagramSocket.bind({ backend }))
    expect(server.address()).toEqual({ path: name })
    const { path } = client.address()
    expect(path).toMatch(/^\0[0-9a-f]{5}$/)
    client.send('x', server.address())
    const batch = new PacketBatch()
    expect(server.recv(batch)).toBe(1)
    expect(batch.at(0)?.path).toBe(path)
    expect(server.sendToMany('y', [...batch])).toMatchObject({ sent: 1 })
    expect(received(client)).toEqual(['y'])
  })

  test('says that a sender has no name, and that it cannot be answered', () => {
    const server = bind({ backend })
    testkit.sendRights(server.path, Buffer.from('anonymous'), [])
    const batch = new PacketBatch()
    expect(server.recv(batch)).toBe(1)
    expect([batch.at(0)?.path, batch.pathAt(0)]).toEqual([null, null])
    expect(thrown(() => server.send('x', batch.at(0)!))).toMatchObject({
      code: 'EDESTADDRREQ',
      syscall: 'send',
    })
    const { sent, failed, error, next } = server.sendBatch(batch)
    expect([sent, failed, error?.code, next]).toEqual([0, 1, 'EDESTADDRREQ', 1])
    expect(thrown(() => server.sendBatch([batch.copy()[0]!]))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  test('answers a sender whose name is no text', () => {
    const server = bind({ backend })
    // Not UTF-8; and bound by its bytes, which no string here could name.
    const odd = Buffer.concat([Buffer.from(newPath()), Buffer.from([0xff, 0xfe])])
    const fd = testkit.makeSocket('unix', 'dgram')
    testkit.bindUnix(fd, odd)
    const client = track(UnixDatagramSocket.fromFd(fd, { backend }))
    client.send('x', server.path)
    const batch = new PacketBatch()
    server.recv(batch)
    expect(batch.at(0)?.path).toContain('\ufffd\ufffd')
    expect(server.send('y', batch.at(0)!)).toBe(true)
    expect(received(client)).toEqual(['y'])
  })

  test('keeps the names of a full batch apart', () => {
    const server = bind({ backend })
    const clients = Array.from({ length: 5 }, () => bind({ backend }))
    clients.forEach((client, index) => {
      client.send(String(index), server.path)
    })
    const batch = new PacketBatch({ capacity: 5, packetSize: 16 })
    expect(server.recv(batch)).toBe(5)
    expect(Array.from(batch, ({ path }) => path)).toEqual(clients.map(({ path }) => path))
    expect(server.sendBatch(batch)).toMatchObject({ sent: 5 })
    expect(clients.map((client) => received(client))).toEqual([['0'], ['1'], ['2'], ['3'], ['4']])
  })

  test('sends to as many names at once as there are items', () => {
    const servers = Array.from({ length: 3 }, () => bind({ backend }))
    const client = bind({ backend })
    const items = [0, 1, 2, 2, 1, 0].map((nth) => ({ data: `to ${nth}`, path: servers[nth]!.path }))
    expect(sendMmsg(client, items)).toMatchObject({ sent: 6, failed: 0, next: 6 })
    expect(client.sendBatch([{ data: 'a' }, { data: 'b' }], { to: { path: servers[0]!.path } }).sent).toBe(2)
    expect(client.sendBatch([{ data: 'c' }], { to: { path: servers[1]!.path } }).sent).toBe(1)
    expect(client.sendToMany(['a', 'll'], servers).sent).toBe(3)
    expect(
      client.sendBatch([{ data: Buffer.from('abcde'), path: servers[1]!.path }], { segmentSize: 2 }).sent,
    ).toBe(3)
    expect(servers.map((server) => received(server))).toEqual([
      ['to 0', 'to 0', 'a', 'b', 'all'],
      ['to 1', 'to 1', 'c', 'all', 'ab', 'cd', 'e'],
      ['to 2', 'to 2', 'all'],
    ])
  })
})

describe.each(backends)('messages: %s', (backend) => {
  test('an empty datagram is one, and one longer than its slot is cut and says so', () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    for (const data of ['', 'x'.repeat(100)]) client.send(data, server.path)
    const batch = new PacketBatch({ packetSize: 10 })
    expect(recvMmsg(server, batch, { timeout: 5000 })).toBe(2)
    expect(Array.from(batch, ({ size, truncated }) => [size, truncated])).toEqual([
      [0, false],
      [10, true],
    ])
    expect(server.stats()).toMatchObject({ datagrams: 2, truncated: 1 })
  })

  test('sends what no UDP datagram could hold, all of it', () => {
    const [server, client] = [bind({ backend }), bind({ backend, sendBufferSize: 400_000 })]
    const data = Buffer.alloc(100_000, 'long')
    expect(client.send(data, server.path)).toBe(true)
    expect(client.sendBatch([{ data, path: server.path }])).toMatchObject({ sent: 1 })
    const batch = new PacketBatch()
    expect(server.recv(batch, { flags: constants.MSG_TRUNC })).toBe(2)
    const linux = process.platform === 'linux'
    expect(Array.from(batch, ({ size, truncated, realSize }) => [size, truncated, realSize])).toEqual(
      new Array(2).fill([65_536, true, linux ? 100_000 : null]),
    )
    expect(thrown(() => client.send(Buffer.alloc(2_000_000), server.path))).toMatchObject({
      code: 'EMSGSIZE',
      syscall: 'send',
      address: server.path,
    })
  })

  test('writes no payload that a row could not tell the length of', () => {
    // Of 4 GiB and 5 bytes a row of 32 bits would tell 5. Writing that many takes half a minute, so the bound is looked at.
    const longest = withLetters((letters) => letters.longest, true)
    expect(longest).toBeGreaterThan(2 ** 31 - 1)
    expect(longest + 256 * 1024).toBeLessThan(2 ** 32)
  })

  test('peeks at the first and leaves it', () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    for (const data of ['a', 'b']) client.send(data, server.path)
    const batch = new PacketBatch()
    expect(server.recv(batch, { flags: constants.MSG_PEEK })).toBe(1)
    expect(received(server)).toEqual(['a', 'b'])
    expect(server.stats().datagrams).toBe(2)
  })

  test('tells nothing that was not asked for', () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    client.send('x', server.path)
    const batch = new PacketBatch()
    server.recv(batch)
    expect([batch.at(0)?.credentials, batch.at(0)?.timestamp]).toEqual([null, null])
  })

  abstract('tells who sent it, and when', () => {
    const server = bind({ backend, credentials: true, timestamps: true })
    const client = bind({ backend })
    const before = BigInt(Date.now()) * 1_000_000n
    client.send('x', server.path)
    const after = BigInt(Date.now() + 1) * 1_000_000n
    const batch = new PacketBatch()
    server.recv(batch)
    const { credentials, timestamp } = batch.at(0)!
    expect(credentials).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
    expect(timestamp).toBeGreaterThanOrEqual(before)
    expect(timestamp).toBeLessThanOrEqual(after)
    const shown = inspect(batch.at(0))
    for (const part of [client.path, `pid: ${process.pid}`, `${timestamp}n`]) expect(shown).toContain(part)
    expect(shown).not.toContain('IPv4')
    expect(JSON.parse(JSON.stringify(batch))).toMatchObject([{ path: client.path, credentials }])
  })

  test('closes the descriptors that come with messages, and counts them', () => {
    const server = bind({ backend })
    const open = () => readdirSync('/dev/fd').length
    const before = open()
    const batch = new PacketBatch({ capacity: 4, packetSize: 16 })
    // 10,000 messages with 3 each: the kernel keeps as many as a queue holds.
    const [rounds, burst] = [2000, 5]
    for (let round = 0; round < rounds; round++) {
      for (let nth = 0; nth < burst; nth++) testkit.sendRights(server.path, Buffer.from('x'), [0, 1, 2])
      let taken = 0
      while (taken < burst) taken += server.recv(batch)
    }
    expect(open()).toBe(before)
    expect(server.stats()).toMatchObject({ datagrams: rounds * burst, descriptors: 3 * rounds * burst })
  }, 60_000)

  test('closes also those of a message that it only peeks at, and of one that has more than it has room for', () => {
    const server = bind({
      backend,
      ...(process.platform === 'linux' && { credentials: true, timestamps: true }),
    })
    const open = () => readdirSync('/dev/fd').length
    const before = open()
    testkit.sendRights(server.path, Buffer.from('x'), [0, 1])
    testkit.sendRights(server.path, Buffer.from('x'), new Array(253).fill(0))
    const batch = new PacketBatch()
    for (let times = 0; times < 3; times++) expect(server.recv(batch, { flags: constants.MSG_PEEK })).toBe(1)
    expect([open(), server.stats().descriptors]).toEqual([before, 0])
    expect(server.recv(batch)).toBe(2)
    const { descriptors, controlTruncated } = server.stats()
    expect(open()).toBe(before)
    // The kernel closes the rest, and says that there was one.
    expect(descriptors).toBeGreaterThan(2)
    expect(descriptors).toBeLessThan(255)
    expect(controlTruncated).toBe(1)
  })
})

describeModes('the event loop', (backend) => {
  test('yields batches, and ends when closed', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    const all: string[] = []
    const sent = Array.from({ length: 200 }, (_, index) => String(index))
    const sending = client.sendAll(sent.map((data) => ({ data, path: server.path })))
    for await (const batch of server) {
      expect(batch.socket).toBe(server)
      for (const packet of batch) {
        expect(packet.path).toBe(client.path)
        all.push(packet.data.toString())
      }
      if (all.length === sent.length) server.close()
    }
    expect(all).toEqual(sent)
    expect(await sending).toMatchObject({ sent: 200, failed: 0 })
  })

  test('is merged with sockets of UDP', async () => {
    const [local, client] = [bind({ backend }), bind({ backend })]
    const udp = UdpSocket.bind({ address: '127.0.0.1', backend })
    try {
      client.send('local', local.path)
      udp.send('udp', udp.address().port, '127.0.0.1')
      const seen = new Map<unknown, string[]>()
      for await (const batch of merge<UdpSocket | UnixDatagramSocket>([local, udp])) {
        seen.set(batch.socket, texts(batch))
        if (seen.size === 2) break
      }
      expect(seen.get(local)).toEqual(['local'])
      expect(seen.get(udp)).toEqual(['udp'])
    } finally {
      udp.close()
    }
  })

  test('a batch of UDP is passed on to a path, and not to where it came from', () => {
    const [local, client] = [bind({ backend }), bind({ backend })]
    const udp = UdpSocket.bind({ address: '127.0.0.1', backend, gro: false })
    try {
      udp.send('on', udp.address().port, '127.0.0.1')
      const batch = new PacketBatch()
      expect(udp.recv(batch, { timeout: 5000 })).toBe(1)
      expect(client.sendBatch(batch, { to: local })).toMatchObject({ sent: 1 })
      expect(received(local)).toEqual(['on'])
      expect(client.sendBatch(batch).error).toMatchObject({ code: 'EINVAL' })
      client.send('back', local.path)
      expect(local.recv(batch)).toBe(1)
      expect(udp.sendBatch(batch).error).toMatchObject({ code: 'EINVAL' })
    } finally {
      udp.close()
    }
  })
})

describe.each(backends)('a connected socket: %s', (backend) => {
  test('has one peer', () => {
    const [server, client, other] = [bind({ backend }), bind({ backend }), bind({ backend })]
    expect(thrown(() => client.send('x'))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' })
    expect(client.connect(server.path)).toBe(client)
    expect(client.remoteAddress()).toEqual({ path: server.path })
    expect(client.send('one')).toBe(true)
    expect(client.sendBatch([{ data: 'two' }, { data: 'three' }])).toMatchObject({ sent: 2 })
    expect(received(server)).toEqual(['one', 'two', 'three'])
    for (const call of [
      () => client.send('x', server.path),
      () => client.sendBatch([{ data: 'x', path: server.path }]),
      () => client.sendBatch([{ data: 'x' }], { to: server }),
      () => client.sendToMany('x', [server]),
      () => client.connect(other.path),
    ]) {
      expect(thrown(call)).toMatchObject({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' })
    }
    // Who is connected hears of nobody else.
    expect(thrown(() => other.send('x', client.path))).toMatchObject({ code: 'EPERM', address: client.path })
    expect(client.disconnect()).toBe(client)
    expect(other.send('x', client.path)).toBe(true)
    expect(thrown(() => client.disconnect())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' })
    expect(thrown(() => client.remoteAddress())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' })
  })

  test('goes on with the one that has taken its peer’s place', () => {
    const first = bind({ backend })
    const { path } = first
    const client = bind({ backend }).connect(path)
    client.send('one')
    first.close()
    // More than once: the kernel forgets the peer with the first error.
    for (let times = 0; times < 3; times++) {
      expect(thrown(() => client.send('lost'))).toMatchObject({
        code: 'ENOENT',
        syscall: 'send',
        address: path,
      })
      expect(client.sendBatch([{ data: 'lost' }])).toMatchObject({ sent: 0, failed: 1, next: 1 })
    }
    const second = bind({ backend, path })
    expect(client.send('two')).toBe(true)
    expect(client.sendBatch([{ data: 'three' }])).toMatchObject({ sent: 1, failed: 0 })
    expect(received(second)).toEqual(['two', 'three'])
    second.close()
    const third = bind({ backend, path })
    expect(client.sendBatch([{ data: 'four' }, { data: 'five' }])).toMatchObject({ sent: 2, failed: 0 })
    expect(received(third)).toEqual(['four', 'five'])
  })
})

describe('errors', () => {
  test('tells of a name that nobody has, and of a file that is no such socket', () => {
    const client = bind()
    const nobody = newPath()
    expect(thrown(() => client.send('x', nobody))).toEqual({
      name: 'Error',
      message: `send ENOENT ${nobody}`,
      code: 'ENOENT',
      errno: -2,
      syscall: 'send',
      address: nobody,
    })
    const result = client.sendBatch([
      { data: 'a', path: nobody },
      { data: 'b', path: client.path },
    ])
    expect(result).toMatchObject({ sent: 1, failed: 1, next: 2 })
    expect(result.error).toMatchObject({ code: 'ENOENT', syscall: 'sendmmsg', address: nobody, index: 0 })
    expect(thrown(() => client.connect(nobody))).toMatchObject({
      code: 'ENOENT',
      syscall: 'connect',
      address: nobody,
    })
    expect(client.stats().errors).toEqual({ ENOENT: 3 })
  })

  test('refuses a name that is too long, wherever it is given', () => {
    const client = bind()
    for (const path of ['/'.padEnd(108, 'x'), '/'.padEnd(500, 'x')]) {
      expect(thrown(() => UnixDatagramSocket.bind({ path }))).toMatchObject({
        code: 'ENAMETOOLONG',
        address: path,
      })
      expect(thrown(() => client.send('x', path))).toMatchObject({ code: 'ENAMETOOLONG' })
      expect(thrown(() => client.connect(path))).toMatchObject({ code: 'ENAMETOOLONG' })
      const items = client.sendBatch([{ data: 'x', path }])
      expect(items.error).toMatchObject({ code: 'ENAMETOOLONG' })
      expect(client.sendBatch([{ data: 'x' }], { to: { path } }).error).toMatchObject({
        code: 'ENAMETOOLONG',
      })
    }
  })

  test('refuses what is no name', () => {
    const client = bind()
    const type = 'ERR_INVALID_ARG_TYPE'
    const value = 'ERR_INVALID_ARG_VALUE'
    const cases: [unknown, string][] = [
      [1, type],
      [null, type],
      [Buffer.from('/x'), type],
      ['', value],
      ['/a\0b', value],
    ]
    for (const [path, code] of cases) {
      expect(thrown(() => UnixDatagramSocket.bind({ path: path as string }))).toMatchObject({ code })
      expect(thrown(() => client.connect(path as string))).toMatchObject({ code })
      expect(thrown(() => client.send('x', { path: path as string }))).toMatchObject({ code })
      expect(thrown(() => client.sendBatch([{ data: 'x', path: path as string }]))).toMatchObject({ code })
    }
    expect(thrown(() => client.send('x', 8125 as unknown as string))).toMatchObject({ code: type })
    expect(thrown(() => client.send({} as unknown as string, '/x'))).toMatchObject({ code: type })
  })

  test('sends nothing of what its target’s getter has transferred away, or closed', () => {
    const [server, client] = [bind(), bind()]
    const data = new Uint8Array(8)
    const away = {
      get path() {
        structuredClone(data.buffer, { transfer: [data.buffer] })
        return server.path
      },
    }
    expect(thrown(() => client.send(data, away))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    const closing = {
      get path() {
        client.close()
        return server.path
      },
    }
    expect(thrown(() => client.send('x', closing))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
    expect(received(server)).toEqual([])
  })

  test('refuses options that are not its own, and says what was meant', () => {
    const options: [object, string][] = [
      [{ port: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [{ gro: true }, 'ERR_INVALID_ARG_VALUE'],
      [{ mode: 0o1000 }, 'ERR_OUT_OF_RANGE'],
      [{ mode: '666' }, 'ERR_INVALID_ARG_TYPE'],
      [{ mode: 0o666 }, 'ERR_INVALID_ARG_VALUE'],
      [{ path: '\0x', mode: 0o666 }, 'ERR_INVALID_ARG_VALUE'],
      [{ credentials: 1 }, 'ERR_INVALID_ARG_TYPE'],
    ]
    for (const [option, code] of options) {
      expect(thrown(() => UnixDatagramSocket.bind(option))).toMatchObject({ code })
    }
    expect(thrown(() => UnixDatagramSocket.bind({ pat: '/x' } as object)).message).toContain(
      "did you mean 'path'",
    )
    const aborted = AbortSignal.abort()
    const path = newPath()
    expect(thrown(() => UnixDatagramSocket.bind({ path, signal: aborted }))).toMatchObject({
      name: 'AbortError',
    })
  })

  test('says so when it is closed', () => {
    const socket = bind().close() as UnixDatagramSocket
    for (const call of [
      () => socket.send('x', '/x'),
      () => socket.sendBatch([]),
      () => socket.connect('/x'),
      () => socket.address(),
      () => socket.recv(new PacketBatch()),
    ]) {
      expect(thrown(call)).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
    }
    expect(inspect(socket)).toBe('UnixDatagramSocket { closed }')
  })

  test('has no constructor of its own', () => {
    const Illegal = UnixDatagramSocket as unknown as new () => object
    expect(thrown(() => new Illegal())).toMatchObject({ code: 'ERR_ILLEGAL_CONSTRUCTOR' })
  })
})

describe.each(backends)('a descriptor taken over: %s', (backend) => {
  test('is read as its own, and is the caller’s with dup', () => {
    const path = newPath()
    const fd = testkit.makeSocket('unix', 'dgram')
    testkit.bindUnix(fd, Buffer.from(path))
    const copy = track(UnixDatagramSocket.fromFd(fd, { backend, dup: true }))
    expect(copy.address()).toEqual({ path })
    bind({ backend }).send('x', path)
    expect(received(copy)).toEqual(['x'])
    copy.close()
    expect(testkit.fdFlags(fd)).toBeDefined()
    const own = track(UnixDatagramSocket.fromFd(fd, { backend }))
    bind({ backend }).send('y', path)
    expect(received(own)).toEqual(['y'])
    own.close()
    expect(thrown(() => testkit.fdFlags(fd))).toMatchObject({ code: 'EBADF' })
    // Who made the file removes it.
    expect(readdirSync(path.slice(0, path.lastIndexOf('/')))).toContain(path.slice(path.lastIndexOf('/') + 1))
  })

  test('knows whom it is connected to', () => {
    const server = bind({ backend })
    const client = bind({ backend }).connect(server.path)
    const again = track(UnixDatagramSocket.fromFd(client.fd, { backend, dup: true }))
    expect(again.remoteAddress()).toEqual({ path: server.path })
    expect(again.send('x')).toBe(true)
  })

  test('has a peer without a name, which cannot be found again', () => {
    const [fd, other] = testkit.socketPair()
    const socket = track(UnixDatagramSocket.fromFd(fd, { backend }))
    expect([socket.address(), socket.remoteAddress()]).toEqual([{ path: null }, { path: null }])
    expect(socket.send('x')).toBe(true)
    testkit.closeFd(other)
    const linux = process.platform === 'linux'
    expect(thrown(() => socket.send('x'))).toMatchObject({ code: linux ? 'ECONNREFUSED' : 'ECONNRESET' })
    for (let times = 0; times < 2; times++) {
      expect(thrown(() => socket.send('x'))).toMatchObject({ code: 'ENOTCONN' })
      expect(socket.sendBatch([{ data: 'x' }]).error).toMatchObject({ code: 'ENOTCONN' })
    }
  })

  const pidfd = noPidfd === '' ? test : test.skip
  pidfd(`closes the descriptors that the kernel adds where it is asked to${noPidfd}`, () => {
    const path = newPath()
    const fd = testkit.makeSocket('unix', 'dgram')
    testkit.bindUnix(fd, Buffer.from(path))
    testkit.setsockoptInt(fd, SOL_SOCKET, SO_PASSPIDFD, 1)
    const server = track(UnixDatagramSocket.fromFd(fd, { backend }))
    const client = bind({ backend })
    const batch = new PacketBatch()
    const open = () => readdirSync('/dev/fd').length
    const before = open()
    for (let times = 0; times < 100; times++) {
      client.send('x', path)
      expect(server.recv(batch)).toBe(1)
    }
    expect([open(), server.stats().descriptors]).toEqual([before, 100])
  })

  test('is refused where it is no such socket', () => {
    const kinds: ['inet' | 'unix', 'dgram' | 'stream', string][] = [
      ['inet', 'dgram', 'UDP'],
      ['inet', 'stream', 'TCP'],
      ['unix', 'stream', 'PIPE'],
    ]
    for (const [domain, type, kind] of kinds) {
      const fd = testkit.makeSocket(domain, type)
      try {
        const message = `Unsupported fd type: ${kind}`
        expect(thrown(() => UnixDatagramSocket.fromFd(fd))).toMatchObject({
          code: 'ERR_INVALID_FD_TYPE',
          message,
        })
      } finally {
        testkit.closeFd(fd)
      }
    }
    expect(thrown(() => UnixDatagramSocket.fromFd(2 ** 20))).toMatchObject({ code: 'EBADF' })
  })
})
