// What the kernel tells beside a datagram: time stamps, type of service, time to live, drops, ICMP errors.

import { capabilities, type Drop, type IcmpError, PacketBatch, UdpSocket } from '../index'
import { bind, closeAll, hasIpv6, type Row, track } from './support/matrix'
import { collect, describeRows, freePort, thrown, waitFor } from './support/net'
import { testkit } from './support/testkit'

const linux = process.platform === 'linux'
const notLinux = linux ? '' : ' [skipped: Linux only]'
const onLinux = linux ? test : test.skip

afterEach(closeAll)

const MS = 1_000_000n
const batch = new PacketBatch({ capacity: 64 })

/** The rows of the matrix, and a dual-stack socket whose peers are mapped. */
interface Path extends Row {
  /** Where the receiver is bound. */
  bound: string
}

function describePaths(title: string, body: (path: Path) => void): void {
  describeRows(title, (row) => body({ ...row, bound: row.loopback }))
  describeRows(`${title}, from a mapped peer`, (row) => {
    if (row.family === 'udp4' && hasIpv6) body({ ...row, bound: '::' })
    else test.skip('needs IPv4 and IPv6', () => {})
  })
}

/** Sends from a plain socket whose options are set by the test. */
function plain({ family }: Row): number {
  return testkit.makeSocket(family === 'udp6' ? 'inet6' : 'inet', 'dgram')
}

describePaths('what is told', (path) => {
  const receiver = (options: object) => bind({ ...path, loopback: path.bound }, options)
  const sender = () => bind(path)

  onLinux(
    `timestamps: the kernel's time, between the clock before and after sending${notLinux}`,
    async () => {
      const socket = receiver({ timestamps: true })
      const from = sender()
      // The kernel begins to stamp a moment after the first socket has asked for it.
      await waitFor('a first stamp', () => {
        from.send('x', socket.address().port, path.loopback)
        return collect(socket, batch, 1)[0]!.timestamp !== null
      })
      const now = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n
      for (let round = 0; round < 5; round++) {
        const before = now()
        from.send('x', socket.address().port, path.loopback)
        const [packet] = collect(socket, batch, 1)
        const after = now()
        // performance.now() and the wall clock drift apart.
        expect(packet!.timestamp).toBeGreaterThan(before - 500n * MS)
        expect(packet!.timestamp).toBeLessThan(after + 500n * MS)
        expect(packet).toMatchObject({ tos: null, ttl: null })
      }
    },
  )

  onLinux(`recvTtl: what the sender has set${notLinux}`, () => {
    const socket = receiver({ recvTtl: true })
    const from = sender()
    for (const ttl of [1, 77, 255]) {
      from.setTTL(ttl)
      from.send('x', socket.address().port, path.loopback)
      expect(collect(socket, batch, 1)).toMatchObject([{ ttl, tos: null, timestamp: null }])
    }
  })

  onLinux(`recvTos: type of service, and its ECN by name${notLinux}`, () => {
    const socket = receiver({ recvTos: true })
    const fd = plain(path)
    for (const [tos, ecn] of [
      [0, 'Not-ECT'],
      [0xb8, 'Not-ECT'],
      [0x01, 'ECT(1)'],
      [0x02, 'ECT(0)'],
      [0x2b, 'CE'],
    ] as const) {
      // IP_TOS, ip(7), and IPV6_TCLASS, ipv6(7), of Linux.
      if (path.family === 'udp6') testkit.setsockoptInt(fd, 41, 67, tos)
      else testkit.setsockoptInt(fd, 0, 1, tos)
      testkit.sendTo(fd, path.loopback, socket.address().port, Buffer.from('x'))
      expect(socket.recv(batch, { timeout: 5000 })).toBe(1)
      const packet = batch.at(0)!
      expect(packet).toMatchObject({ tos, ecn, ttl: null })
      expect(packet.copy().tos).toBe(tos)
    }
    testkit.closeFd(fd)
  })

  onLinux(`drops: where messages were lost, and how many${notLinux}`, () => {
    const socket = receiver({ drops: true, gro: false, recvBufferSize: 4096 })
    const from = sender()
    const { port } = socket.address()
    const drops: Drop[] = []
    socket.on('drop', (drop) => drops.push(drop))
    let received = 0
    const flood = () => {
      for (let index = 0; index < 50; index++) from.send(Buffer.alloc(1000), port, path.loopback)
      let sum = 0
      for (let count = socket.recv(batch, { timeout: 1000 }); count > 0; count = socket.recv(batch))
        sum += count
      received += sum
      return 50 - sum
    }
    const lost = flood()
    expect(lost).toBeGreaterThan(0)
    expect(drops).toEqual([])
    // Nobody knows yet; the next message tells.
    from.send('x', port, path.loopback)
    received += collect(socket, batch, 1).length
    expect(drops).toEqual([{ count: lost, total: lost, index: 0 }])
    const more = flood()
    from.send('y', port, path.loopback)
    received += collect(socket, batch, 1).length
    expect(drops).toEqual([
      { count: lost, total: lost, index: 0 },
      { count: more, total: lost + more, index: 0 },
    ])
    const stats = socket.stats()
    expect([stats.dropped, stats.kernelDrops, stats.datagrams]).toEqual([lost + more, lost + more, received])
  })
})

describeRows('what nobody asked for', (row) => {
  test('is not told', () => {
    const socket = bind(row)
    const from = bind(row)
    from.send('x', socket.address().port, row.loopback)
    expect(collect(socket, batch, 1)).toMatchObject([{ timestamp: null, tos: null, ttl: null }])
    expect(batch.at(0)!.ecn).toBe(null)
    expect(socket.stats().dropped).toBe(0)
  })

  test.each(['timestamps', 'recvTos', 'recvTtl', 'drops', 'errorQueue'])('%s is a boolean', (name) => {
    for (const value of [1, 'true', null]) {
      expect(thrown(() => bind(row, { [name]: value }))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    }
  })

  test.each(['timestamps', 'recvTos', 'recvTtl', 'drops', 'errorQueue'] as const)(
    '%s is refused where capabilities() says that there is none',
    (name) => {
      const outcomes = {
        true: () => expect(() => bind(row, { [name]: true })).not.toThrow(),
        false: () =>
          expect(thrown(() => bind(row, { [name]: true }))).toMatchObject({
            code: 'ERR_RECVMMSG_UNSUPPORTED',
            message: expect.stringContaining(name),
          }),
      }
      outcomes[`${capabilities()[name]}`]()
    },
  )

  onLinux(`a descriptor that is taken over is told to tell as well${notLinux}`, () => {
    const inner = bind(row)
    const socket = track(
      UdpSocket.fromFd(inner.fd, { dup: true, backend: row.backend, recvTtl: true, recvTos: true }),
    )
    const from = bind(row)
    from.setTTL(9)
    from.send('x', socket.address().port, row.loopback)
    expect(collect(socket, batch, 1)).toMatchObject([{ ttl: 9, tos: 0 }])
  })
})

describeRows('a truncated datagram', (row) => {
  const small = new PacketBatch({ capacity: 4, packetSize: 8 })

  test('is told and counted, and its length where MSG_TRUNC asks for it', () => {
    const socket = bind(row, { packetSize: 8 })
    const from = bind(row)
    const { port } = socket.address()
    for (const payload of ['12345678', '123456789', Buffer.alloc(1000)])
      from.send(payload, port, row.loopback)
    const sizes = (flags: number) => {
      const told: unknown[] = []
      while (told.length < 3 && socket.recv(small, { timeout: 5000, flags }) > 0) {
        for (const { size, truncated, realSize } of small) told.push([size, truncated, realSize])
      }
      return told
    }
    expect(sizes(0)).toEqual([
      [8, false, 8],
      [8, true, null],
      [8, true, null],
    ])
    expect(socket.stats().truncated).toBe(2)
    for (const payload of ['12345678', '123456789', Buffer.alloc(1000)])
      from.send(payload, port, row.loopback)
    // MSG_TRUNC, recvmsg(2).
    expect(sizes(linux ? 0x20 : 0)).toEqual([
      [8, false, 8],
      [8, true, linux ? 9 : null],
      [8, true, linux ? 1000 : null],
    ])
    expect(socket.stats().truncated).toBe(4)
  })
})

describeRows('the error queue', (row) => {
  const v6 = row.family === 'udp6'
  const refused = (port: number) => ({
    address: row.loopback,
    port,
    offender: row.loopback,
    type: v6 ? 1 : 3,
    code: v6 ? 4 : 3,
    errno: -111,
    name: 'ECONNREFUSED',
    mtu: null,
  })

  /** A socket with the queue, and what it has told. */
  function queued(): { socket: UdpSocket; told: IcmpError[]; errors: Error[] } {
    const socket = bind(row, { errorQueue: true })
    const told: IcmpError[] = []
    const errors: Error[] = []
    socket.on('icmp', (error) => told.push(error))
    socket.on('error', (error) => errors.push(error))
    return { socket, told, errors }
  }

  onLinux(`tells each error once, to whom it answers and who says so${notLinux}`, async () => {
    const { socket, told, errors } = queued()
    const ports = [freePort(row), freePort(row), freePort(row)]
    // What comes between is sent again, once: none is lost to another's error.
    for (const port of ports) expect(socket.send('x', port, row.loopback)).toBe(true)
    await waitFor('three errors', () => {
      expect(socket.recv(batch)).toBe(0)
      return told.length === 3
    })
    expect(told).toEqual(ports.map(refused))
    expect(errors).toEqual([])
    expect(socket.stats().errors).toEqual({ ECONNREFUSED: 3 })
    expect(socket.recv(batch)).toBe(0)
  })

  onLinux(`neither hides data nor ends a reader${notLinux}`, async () => {
    const { socket, told, errors } = queued()
    const from = bind(row)
    const dead = freePort(row)
    const texts: string[] = []
    socket.on('batch', (packets) => {
      for (const { data } of packets) texts.push(String(data))
    })
    for (let index = 0; index < 20; index++) {
      socket.send('x', dead, row.loopback)
      from.send(String(index), socket.address().port, row.loopback)
    }
    await waitFor('all', () => texts.length === 20 && told.length === 20)
    expect(texts).toEqual(Array.from({ length: 20 }, (_, index) => String(index)))
    expect(told).toEqual(Array(20).fill(refused(dead)))
    expect(errors).toEqual([])
  })

  onLinux(`a blocking receive goes on behind one${notLinux}`, () => {
    const { socket, told } = queued()
    const from = bind(row)
    socket.send('x', freePort(row), row.loopback)
    from.send('data', socket.address().port, row.loopback)
    expect(socket.recv(batch, { timeout: 5000 })).toBe(1)
    expect(told).toHaveLength(1)
    expect(String(batch.at(0)!.data)).toBe('data')
  })

  onLinux(`many that are sent in one call are all told, connected or not${notLinux}`, async () => {
    for (const connect of [false, true]) {
      const { socket, told, errors } = queued()
      const port = freePort(row)
      if (connect) socket.connect(port, row.loopback)
      const to = connect ? undefined : { port, address: row.loopback }
      const items = Array.from({ length: 10 }, (_, index) => ({ data: Buffer.alloc(1 + index), to }))
      const { sent, failed, next } = socket.sendBatch(items)
      expect([sent, failed, next]).toEqual([10, 0, 10])
      await waitFor('errors', () => {
        socket.recv(batch)
        return told.length >= 1
      })
      for (const error of told) expect(error).toEqual(refused(port))
      expect(errors).toEqual([])
      socket.close()
    }
  })

  onLinux(`a listener that closes the socket ends it${notLinux}`, () => {
    const { socket } = queued()
    socket.once('icmp', () => socket.close())
    socket.send('x', freePort(row), row.loopback)
    const closed = { code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }
    expect(thrown(() => socket.send('y', freePort(row), row.loopback))).toMatchObject(closed)
    const { socket: other } = queued()
    other.once('icmp', () => other.close())
    other.send('x', freePort(row), row.loopback)
    expect(thrown(() => other.recv(batch))).toMatchObject(closed)
  })
})
