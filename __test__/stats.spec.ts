// What a socket counts: datagrams, batches, drops, and the errors that pass.

import os from 'node:os'
import { capabilities, constants, PacketBatch, recvMmsg, UdpSocket } from '../index'
import { describeModes, rounds, until } from './support/loop'
import { bind, closeAll, track } from './support/matrix'
import { collect, describeRows, fill, freePort, refuse, shape, thrown, waitFor } from './support/net'
import { backends, bind as bindUnix, closeAll as closeUnix, removeAll } from './support/unix'

afterEach(() => {
  closeAll()
  closeUnix()
})
afterAll(removeAll)

const { gro, gso } = capabilities()

const { ECONNREFUSED } = os.constants.errno

describeRows('stats()', (row) => {
  test('has all counts at 0 at first', () => {
    const { batchSizes, ...counts } = bind(row).stats()
    expect(counts).toStrictEqual({
      datagrams: 0,
      bytes: 0,
      messages: 0,
      batches: 0,
      fullBatches: 0,
      emptyWakes: 0,
      groMessages: 0,
      groDatagrams: 0,
      truncated: 0,
      overflow: 0,
      controlTruncated: 0,
      dropped: 0,
      descriptors: 0,
      recvCalls: 0,
      sent: 0,
      sentBytes: 0,
      sentMessages: 0,
      sendCalls: 0,
      recvTime: null,
      sendTime: null,
      kernelDrops: expect.any(Number),
      errors: {},
    })
    expect(counts.kernelDrops).toBe(0)
    expect(batchSizes.length).toBeGreaterThan(14)
    expect(batchSizes.every((count) => count === 0)).toBe(true)
  })

  test('counts datagrams, bytes, and batches by the power of two of their size', () => {
    const receiver = bind(row)
    const sender = bind(row)
    const batch = new PacketBatch()
    const expected = { datagrams: 0, bytes: 0, batches: 0, messages: 0 }
    const classes = new Array<number>(receiver.stats().batchSizes.length).fill(0)
    const receive = () => {
      const count = receiver.recv(batch, { timeout: 2000 })
      expected.datagrams += count
      expected.messages += count
      expected.batches += 1
      for (const { size } of batch) expected.bytes += size
      classes[Math.floor(Math.log2(count))]! += 1
      return count
    }
    for (const wanted of [1, 2, 3, 4, 7, 8, 31, 32, 64]) {
      for (let index = 0; index < wanted; index++) sender.send(Buffer.alloc(index), receiver.address())
      for (let left = wanted; left > 0; ) left -= receive()
    }
    expect(receiver.recv(batch)).toBe(0)
    expect(receiver.stats()).toMatchObject({ ...expected, batchSizes: classes, errors: {} })
    expect(expected.datagrams).toBe(152)
    expect(sender.stats()).toMatchObject({ datagrams: 0, batches: 0 })
  })

  test('counts what a reader receives as it counts what recv receives', async () => {
    const receiver = bind(row)
    const sender = bind(row)
    let [datagrams, batches] = [0, 0]
    receiver.on('batch', (batch) => {
      datagrams += batch.length
      batches += 1
    })
    for (let index = 0; index < 10; index++) sender.send('12345', receiver.address())
    await waitFor('10 datagrams', () => datagrams === 10)
    expect(receiver.stats()).toMatchObject({ datagrams, batches, bytes: 50 })
  })

  test('counts what was sent, and not what was refused', () => {
    const receiver = bind(row)
    const sender = bind(row, { gso: false })
    const to = receiver.address()
    sender.send('four', to)
    const items = [
      { data: 'three', to },
      { data: Buffer.alloc(65_530), to },
      { data: '', to },
    ]
    expect(sender.sendBatch(items)).toMatchObject({ sent: 2, failed: 1 })
    expect(sender.sendToMany('xx', [to, to])).toMatchObject({ sent: 2 })
    expect(thrown(() => sender.send(Buffer.alloc(65_530), to)).code).toBe('EMSGSIZE')
    const { sendCalls, ...stats } = sender.stats()
    expect(stats).toMatchObject({ sent: 5, sentBytes: 13, sentMessages: 5, datagrams: 0, recvCalls: 0 })
    expect(stats.errors).toEqual({ EMSGSIZE: 2 })
    expect(sendCalls).toBeGreaterThan(4)
    expect(receiver.stats()).toMatchObject({ sent: 0, sentBytes: 0, sentMessages: 0, sendCalls: 0 })
  })

  test('counts batches that were filled, by their capacity or by vlen', () => {
    const receiver = bind(row)
    const sender = bind(row)
    const batch = new PacketBatch({ capacity: 4 })
    const send = (count: number) => {
      for (let index = 0; index < count; index++) sender.send('x', receiver.address())
      expect(receiver.recv(new PacketBatch(), { flags: constants.MSG_PEEK, timeout: 2000 })).toBe(1)
    }
    send(9)
    const sizes = [1, 2, 3].map(() => receiver.recv(batch, { timeout: 2000 }))
    const full = sizes.filter((size) => size === 4).length
    collectRest(receiver, 9 - sizes.reduce((sum, size) => sum + size))
    expect(receiver.stats().fullBatches).toBe(full)
    send(1)
    batch.clear()
    expect(recvMmsg(receiver, batch, { vlen: 1 })).toBe(1)
    expect(receiver.stats().fullBatches).toBe(full + 1)
    expect(full).toBeGreaterThan(0)
  })

  /** Receives what is left in batches that nothing fills. */
  function collectRest(socket: UdpSocket, count: number): void {
    if (count > 0) collect(socket, new PacketBatch(), count)
  }

  const coalescing = gro && gso ? test : test.skip
  coalescing(
    `counts messages that came coalesced, and their datagrams${gro && gso ? '' : ' [skipped: needs UDP_GRO and UDP_SEGMENT]'}`,
    () => {
      const receiver = bind(row)
      const sender = bind(row)
      const to = receiver.address()
      sender.send('alone', to)
      expect(sender.sendBatch([{ data: Buffer.alloc(350) }], { to, segmentSize: 100 }).sent).toBe(4)
      expect(sender.sendBatch([{ data: Buffer.alloc(20) }], { to, segmentSize: 10 }).sent).toBe(2)
      collect(receiver, new PacketBatch(), 7)
      expect(receiver.stats()).toMatchObject({
        datagrams: 7,
        messages: 3,
        bytes: 375,
        groMessages: 2,
        groDatagrams: 6,
      })
      expect(sender.stats()).toMatchObject({ sent: 7, sentMessages: 3, sentBytes: 375 })
    },
  )

  const linux = process.platform === 'linux'
  const filtering = linux ? test : test.skip
  filtering(
    `knows that it has been read, counted anew or not${linux ? '' : ' [skipped: no filters]'}`,
    () => {
      const receiver = bind(row, { gro: false })
      fill(receiver, new PacketBatch(), bind(row), ['one'])
      receiver.stats({ reset: true })
      expect(thrown(() => receiver.attachFilter([[6, 0, 0, 1]])).code).toBe('ERR_INVALID_STATE')
    },
  )

  test('counts anew when told to', async () => {
    // A port of its own choice outlives a peer.
    const receiver = bind(row, { port: freePort(row) })
    const sender = bind(row)
    const batch = new PacketBatch()
    fill(receiver, batch, sender, ['one', 'two'])
    receiver.connect(freePort(row), row.loopback)
    await refuse(receiver)
    expect(thrown(() => receiver.recv(batch)).code).toBe('ECONNREFUSED')
    const nothing = bind(row).stats()
    const before = receiver.stats()
    expect(before).toMatchObject({ errors: { ECONNREFUSED: 1 }, sent: 1 })
    expect(receiver.stats({ reset: true })).toEqual(before)
    expect(receiver.stats({ reset: false })).toEqual(nothing)
    receiver.disconnect()
    fill(receiver, batch, sender, ['three'])
    expect(receiver.stats({ reset: true })).toMatchObject({ datagrams: 1, bytes: 5, errors: {} })
    expect(receiver.stats({ reset: true })).toEqual(nothing)
    sender.stats({ reset: true })
    sender.close()
    expect(sender.stats()).toEqual({ ...nothing, kernelDrops: expect.anything() })
  })

  test('counts anew after close(), too', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    fill(receiver, new PacketBatch(), sender, ['one'])
    const before = receiver.stats()
    receiver.close()
    expect(receiver.stats({ reset: true })).toEqual(before)
    expect(receiver.stats()).toEqual({ ...bind(row).stats(), kernelDrops: expect.anything() })
    expect(before.datagrams).toBe(1)
  })

  test('begins with 0 kernel drops when it counts anew, and loses none between', async () => {
    const receiver = bind(row, { gro: false, recvBufferSize: 1 })
    const sender = bind(row)
    let [sent, told] = [0, 0]
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 100; index++, sent++) sender.send(Buffer.alloc(500), receiver.address())
      let drops = 0
      await waitFor('what was sent', () => {
        receiver.recv(new PacketBatch({ capacity: 16 }))
        const stats = receiver.stats({ reset: true })
        drops += stats.kernelDrops!
        told += stats.kernelDrops! + stats.datagrams
        return told === sent
      })
      expect(drops).toBeGreaterThan(0)
      expect(drops).toBeLessThan(100)
    }
  })

  test('refuses a reset that is none', () => {
    const socket = bind(row)
    expect(thrown(() => socket.stats({ reset: 1 } as never)).code).toBe('ERR_INVALID_ARG_TYPE')
    expect(thrown(() => socket.stats({ rest: true } as never)).code).toBe('ERR_INVALID_ARG_VALUE')
    expect(thrown(() => bind(row, { timing: 1 as never })).code).toBe('ERR_INVALID_ARG_TYPE')
  })

  test('tells the time in system calls with `timing`, and not the time of waiting', () => {
    const receiver = bind(row, { timing: true })
    const sender = track(UdpSocket.fromFd(bind(row).fd, { dup: true, timing: true, backend: row.backend }))
    expect([receiver.stats().recvTime, sender.stats().sendTime]).toEqual([0, 0])
    const begun = process.hrtime.bigint()
    sender.send('x', receiver.address())
    const sendTime = sender.stats().sendTime!
    sender.sendBatch([{ data: 'y', to: receiver.address() }])
    const most = Number(process.hrtime.bigint() - begun)
    expect(sendTime).toBeGreaterThan(0)
    expect(sender.stats().sendTime).toBeGreaterThan(sendTime)
    expect(sender.stats().sendTime).toBeLessThan(most)
    collect(receiver, new PacketBatch(), 2)
    const { recvTime, recvCalls } = receiver.stats()
    expect(recvTime).toBeGreaterThan(0)
    const before = receiver.stats({ reset: true })
    const wait = process.hrtime.bigint()
    expect(receiver.recv(new PacketBatch(), { timeout: 50 })).toBe(0)
    const waited = Number(process.hrtime.bigint() - wait)
    expect(before).toMatchObject({ recvTime, recvCalls, sendTime: 0 })
    expect(receiver.stats().recvTime).toBeGreaterThan(0)
    // Two calls that find nothing, in 50 ms.
    expect(receiver.stats().recvTime).toBeLessThan(waited - 25e6)
  })

  test('counts what lost its end', () => {
    const receiver = bind(row, { packetSize: 8 })
    const sender = bind(row)
    for (const size of [7, 8, 9, 100]) sender.send(Buffer.alloc(size), receiver.address())
    collect(receiver, new PacketBatch({ packetSize: 8 }), 4)
    expect(receiver.stats()).toMatchObject({ datagrams: 4, bytes: 31, truncated: 2, overflow: 0 })
  })

  test('counts messages that the kernel dropped: received and dropped are what was sent', async () => {
    const receiver = bind(row, { gro: false, recvBufferSize: 1 })
    const sender = bind(row)
    const batch = new PacketBatch()
    const sent = 200
    for (let index = 0; index < sent; index++)
      expect(sender.send(Buffer.alloc(500), receiver.address())).toBe(true)
    const { kernelDrops, datagrams } = await waitFor('what was sent', () => {
      receiver.recv(batch)
      const stats = receiver.stats()
      return stats.kernelDrops! + stats.datagrams === sent && stats
    })
    expect(kernelDrops).toBeGreaterThan(0)
    expect(datagrams).toBeGreaterThan(0)
    expect(sender.stats().kernelDrops).toBe(0)
  })

  test('gives objects of their own, and the last counts after close()', () => {
    const receiver = bind(row)
    fill(receiver, new PacketBatch(), bind(row), ['one'])
    const first = receiver.stats()
    first.errors.EIO = 1
    first.batchSizes[0] = 99
    expect(receiver.stats()).toMatchObject({ errors: {}, batchSizes: expect.arrayContaining([1]) })
    expect(receiver.stats().errors).toEqual({})
    const last = receiver.stats()
    receiver.close()
    expect(receiver.stats()).toMatchObject({ ...last, kernelDrops: expect.anything() })
    receiver.stats().batchSizes[0] = 99
    receiver.stats().errors.EIO = 1
    expect(receiver.stats()).toMatchObject({ batchSizes: last.batchSizes, errors: {} })
  })
})

describeModes((mode) => {
  test('counts wakes that found nothing: another holder of the descriptor was quicker', async () => {
    const socket = bind(mode)
    const sender = bind(mode)
    const seen: string[] = []
    socket.on('batch', (batch) => seen.push(...Array.from(batch, ({ data }) => data.toString())))
    // Woken by the same datagram, and the other's turn comes later.
    const other = track(UdpSocket.fromFd(socket.fd, { dup: true, backend: mode.backend }))
    other.on('batch', (batch) => seen.push(...Array.from(batch, ({ data }) => data.toString())))
    let sent = 0
    await until(() => {
      if (seen.length === sent) sender.send(String(sent++), socket.address())
      return socket.stats().emptyWakes + other.stats().emptyWakes > 0
    })
    await until(() => seen.length === sent)
    expect(seen).toEqual(Array.from({ length: sent }, (_, index) => String(index)))
  })

  test('counts no wake that found a datagram, or an ICMP error', async () => {
    const socket = bind(mode)
    const sender = bind(mode)
    let datagrams = 0
    socket.on('batch', ({ length }) => {
      datagrams += length
    })
    for (let sent = 1; sent <= 10; sent++) {
      sender.send('x', socket.address())
      await until(() => datagrams === sent)
    }
    const errors: string[] = []
    socket.on('error', (error) => errors.push((error as NodeJS.ErrnoException).code!))
    socket.connect(freePort(mode), mode.loopback)
    socket.send('refused')
    await until(() => errors.length === 1)
    await rounds(mode)
    expect(socket.stats()).toMatchObject({ emptyWakes: 0, datagrams: 10, errors: { ECONNREFUSED: 1 } })
  })
})

describe.each(backends)('stats() of Unix sockets: %s', (backend) => {
  test('count what is sent and received, and anew', () => {
    const options = { backend, timing: true }
    const [receiver, sender] = [bindUnix(options), bindUnix(options)]
    expect(sender.send('one', receiver.path)).toBe(true)
    expect(sender.sendBatch([{ data: 'three', path: receiver.path }]).sent).toBe(1)
    expect(receiver.recv(new PacketBatch({ capacity: 2 }))).toBe(2)
    expect(sender.stats()).toMatchObject({ sent: 2, sentBytes: 8, sentMessages: 2, sendCalls: 2 })
    const expected = { datagrams: 2, bytes: 8, messages: 2, batches: 1, fullBatches: 1, groMessages: 0 }
    const stats = receiver.stats({ reset: true })
    expect(stats).toMatchObject(expected)
    expect([sender.stats().sendTime, stats.recvTime].every((time) => time! > 0)).toBe(true)
    expect(receiver.stats()).toMatchObject({ datagrams: 0, fullBatches: 0, recvCalls: 0, recvTime: 0 })
  })
})

test('counts are exact beyond 10¹²', () => {
  const many = 1e12 + 1
  jest.isolateModules(() => {
    jest.doMock('../binding', () => ({
      socketStats: (_handle: object, out: Float64Array) => out.set(out.map((_, index) => many + index)),
    }))
    const { Counts } = require('../lib/stats')
    const { errors, emptyWakes, batchSizes, ...counts } = new Counts({}).read(false)
    jest.dontMock('../binding')
    const told = [...Object.values<number>(counts), ...batchSizes]
    expect([...new Set(told)].sort((a, b) => a - b)).toEqual(told.map((_, index) => many + index))
    expect(counts.datagrams).toBe(1_000_000_000_001)
    expect([errors, emptyWakes]).toEqual([{}, 0])
  })
})

describeRows('an ICMP error on a connected socket', (row) => {
  /** A socket whose peer's port nobody listens on, and which has been told so. */
  const refused = async () => {
    const socket = bind(row)
    const port = freePort(row)
    socket.connect(port, row.loopback)
    await refuse(socket)
    return { socket, port }
  }
  const errorsOf = (socket: UdpSocket) => {
    const told: unknown[] = []
    socket.on('error', (error) => told.push(shape(error)))
    return told
  }

  test('does not stop the next send, which sends once, and is counted', async () => {
    const { socket, port } = await refused()
    const told = errorsOf(socket)
    const peer = bind(row, { port })
    expect(socket.send('after it')).toBe(true)
    expect(socket.stats().errors).toEqual({ ECONNREFUSED: 1 })
    expect(told).toEqual([
      {
        name: 'Error',
        code: 'ECONNREFUSED',
        errno: -ECONNREFUSED,
        syscall: 'send',
        address: row.loopback,
        port,
        message: `send ECONNREFUSED ${row.loopback}:${port}`,
      },
    ])
    socket.send('last')
    expect(collect(peer, new PacketBatch(), 2).map(({ data }) => data.toString())).toEqual([
      'after it',
      'last',
    ])
    expect(socket.stats().errors).toEqual({ ECONNREFUSED: 1 })
  })

  test('is counted by the next send without anybody listening', async () => {
    const { socket, port } = await refused()
    bind(row, { port })
    expect(socket.send('after it')).toBe(true)
    expect(socket.stats().errors).toEqual({ ECONNREFUSED: 1 })
  })

  test('is thrown by recv once, and the data behind it comes with the next', async () => {
    const { socket, port } = await refused()
    const told = errorsOf(socket)
    const peer = bind(row, { port })
    peer.send('data', socket.address())
    const batch = new PacketBatch()
    expect(thrown(() => socket.recv(batch, { timeout: 2000 }))).toEqual({
      name: 'Error',
      code: 'ECONNREFUSED',
      errno: -ECONNREFUSED,
      syscall: 'recvmmsg',
      message: 'recvmmsg ECONNREFUSED',
    })
    expect(batch.length).toBe(0)
    expect(collect(socket, batch, 1)[0]?.data.toString()).toBe('data')
    expect(socket.recv(batch)).toBe(0)
    expect(socket.stats()).toMatchObject({ errors: { ECONNREFUSED: 1 }, datagrams: 1, batches: 1 })
    // Whom it was thrown at knows of it.
    expect(told).toEqual([])
  })

  test('empties the batch that recv was to fill', async () => {
    const batch = new PacketBatch()
    fill(bind(row), batch, bind(row), ['old'])
    const { socket } = await refused()
    expect(thrown(() => socket.recv(batch)).code).toBe('ECONNREFUSED')
    expect([batch.length, batch.at(0)]).toEqual([0, undefined])
  })

  test('is thrown with MSG_PEEK, too, and with a timeout at once', async () => {
    for (const options of [
      { flags: constants.MSG_PEEK },
      { timeout: 10_000 },
      { flags: constants.MSG_DONTWAIT },
    ]) {
      const { socket } = await refused()
      const start = performance.now()
      expect(thrown(() => socket.recv(new PacketBatch(), options)).code).toBe('ECONNREFUSED')
      expect(socket.recv(new PacketBatch())).toBe(0)
      expect(performance.now() - start).toBeLessThan(5000)
    }
  })

  test('comes after the data that was taken before it', async () => {
    const receiver = bind(row)
    const port = freePort(row)
    const peer = bind(row, { port })
    receiver.connect(port, row.loopback)
    const batch = new PacketBatch({ capacity: 1 })
    peer.send('before', receiver.address())
    collect(receiver, batch, 1)
    peer.close()
    await refuse(receiver)
    expect(thrown(() => receiver.recv(batch)).code).toBe('ECONNREFUSED')
    expect(receiver.recv(batch)).toBe(0)
    expect(receiver.stats().errors).toEqual({ ECONNREFUSED: 1 })
  })
})
