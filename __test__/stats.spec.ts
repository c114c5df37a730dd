// What a socket counts: datagrams, batches, drops, and the errors that pass.

import os from 'node:os'
import { constants, PacketBatch, type UdpSocket } from '../index'
import { bind, closeAll } from './support/matrix'
import { collect, describeRows, fill, freePort, refuse, shape, thrown, waitFor } from './support/net'

afterEach(closeAll)

const { ECONNREFUSED } = os.constants.errno

describeRows('stats()', (row) => {
  test('has all counts at 0 at first', () => {
    const { batchSizes, ...counts } = bind(row).stats()
    expect(counts).toStrictEqual({
      datagrams: 0,
      bytes: 0,
      messages: 0,
      batches: 0,
      truncated: 0,
      overflow: 0,
      controlTruncated: 0,
      dropped: 0,
      descriptors: 0,
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
