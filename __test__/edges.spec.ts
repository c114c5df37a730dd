// Odd programs: what holders of one descriptor, listeners that throw, getters and shared memory can do to a socket.

import { spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import type { EventEmitter } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { PacketBatch, UdpSocket } from '../index'
import { bind, closeAll, matrix, track } from './support/matrix'
import { collect, describeRows } from './support/net'
import { testkit } from './support/testkit'

const root = join(__dirname, '..')

afterEach(closeAll)

const gso = fs.existsSync('/proc/net/udp')
const linuxTest = gso ? test : test.skip
const reason = gso ? '' : ' [skipped: needs Linux]'

describeRows('a socket', (row) => {
  linuxTest(`tells datagrams apart although another holder has turned GRO on${reason}`, () => {
    const socket = bind(row, { gro: false })
    track(UdpSocket.fromFd(socket.fd, { dup: true, gro: true }))
    testkit.sendGso(bind(row).fd, row.loopback, socket.address().port, Buffer.from('aabbccd'), 2)
    const payloads = collect(socket, new PacketBatch(), 4).map(({ data }) => data.toString())
    expect(payloads).toEqual(['aa', 'bb', 'cc', 'd'])
  })

  test("emits 'close' although its 'error' listener throws", () => {
    // In a process of its own: here an uncaught exception would be the test's.
    const program = `
      const { UdpSocket } = require('./index.js')
      const socket = UdpSocket.bind({ address: '${row.loopback}', backend: '${row.backend}' })
      process.on('uncaughtException', (error) => console.log(error.message))
      socket.on('error', () => { throw new Error('thrown') }).on('close', () => console.log('close'))
      require('./.build/testkit.node').closeFd(socket.fd)
      socket[Symbol.asyncDispose]().then(() => console.log('disposed'))`
    const { stdout } = spawnSync(process.execPath, ['-e', program], { cwd: root, encoding: 'utf8' })
    expect(stdout.trim().split('\n').sort()).toEqual(['close', 'disposed', 'thrown'])
  })

  test("refuses a listener when 'newListener' has begun an iterator", async () => {
    const socket = bind(row)
    const iterator = socket[Symbol.asyncIterator]()
    const first = new Promise((resolve) =>
      (socket as EventEmitter).once('newListener', () => resolve(iterator.next())),
    )
    const refused = expect.objectContaining({ code: 'ERR_INVALID_STATE' })
    expect(() => socket.on('batch', () => {})).toThrow(refused)
    expect(socket.listenerCount('batch')).toBe(0)
    bind(row).send('x', socket.address())
    expect(await first).toMatchObject({ done: false })
  })

  test('adds no listener when it cannot be watched', () => {
    const socket = bind(row)
    const before = process.env.RECVMMSG_READINESS
    process.env.RECVMMSG_READINESS = 'bogus'
    try {
      const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' })
      expect(() => socket.on('batch', () => {})).toThrow(refused)
      expect(socket.listenerCount('batch')).toBe(0)
    } finally {
      if (before === undefined) delete process.env.RECVMMSG_READINESS
      else process.env.RECVMMSG_READINESS = before
    }
  })

  test('sends shared memory, and refuses what only looks like bytes', () => {
    const receiver = bind(row)
    const sender = bind(row)
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7)
    expect(sender.send(shared, receiver.address())).toBe(true)
    expect([...collect(receiver, new PacketBatch(), 1)[0]!.data]).toEqual([7, 7, 7])
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' })
    for (const odd of [Object.create(Uint8Array.prototype), new Proxy(new Uint8Array(3), {}), null, 7, {}]) {
      expect(() => sender.send(odd, receiver.address())).toThrow(refused)
    }
  })

  test('refuses data that a getter of the target has transferred away', () => {
    const receiver = bind(row)
    const data = new Uint8Array(3)
    const target = {
      address: row.loopback,
      get port() {
        structuredClone(data.buffer, { transfer: [data.buffer] })
        return receiver.address().port
      },
    }
    expect(() => bind(row).send(data, target)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
    expect(receiver.recv(new PacketBatch())).toBe(0)
  })

  test('receives with what is there once the getters of its options have run', () => {
    const socket = bind(row)
    for (const payload of ['one', 'two', 'three']) socket.send(payload, socket.address())
    const batch = new PacketBatch({ capacity: 1 })
    const during = (run: () => unknown) =>
      socket.recv(batch, {
        get timeout() {
          run()
          return 1000
        },
      })
    expect(during(() => during(() => {}))).toBe(1)
    expect(batch.at(0)!.data.toString()).toBe('two')
    const { buffer } = batch.bytes
    const detach = () => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    expect(() => during(detach)).toThrow(expect.objectContaining({ code: 'ERR_BATCH_DETACHED' }))
    expect(collect(socket, new PacketBatch(), 1).map(({ data }) => data.toString())).toEqual(['three'])
    const closed = expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
    expect(() => during(() => socket.close())).toThrow(closed)
  })

  test('gives no packet that a valueOf has cleared away', () => {
    const socket = bind(row)
    socket.send('x', socket.address())
    const batch = new PacketBatch()
    collect(socket, batch, 1)
    socket.send('y', socket.address())
    expect(socket.recv(batch)).toBe(1)
    const index = { valueOf: () => Number(batch.clear().length) } as unknown as number
    expect(batch.at(index)).toBeUndefined()
  })

  test('says send EBADF when its descriptor is gone and no address was given', () => {
    const socket = bind(row)
    testkit.closeFd(socket.fd)
    expect(() => socket.send('x', 9)).toThrow(expect.objectContaining({ code: 'EBADF', syscall: 'send' }))
  })
})

describe('a batch that is filled again', () => {
  const [row] = matrix
  const other = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'

  test('shows the new sender and payload where the old were', () => {
    const socket = bind(row!)
    const batch = new PacketBatch({ capacity: 1 })
    const senders = [bind(row!, { address: '127.0.0.1' }), bind(row!, { address: other })]
    for (const payload of ['aa', 'bb', 'c', '', 'dd']) {
      for (const sender of senders) {
        sender.send(payload, socket.address())
        expect(socket.recv(batch, { timeout: 5000 })).toBe(1)
        const [packet] = batch
        expect({ data: String(packet!.data), address: packet!.address, port: packet!.port }).toEqual({
          data: payload,
          address: sender.address().address,
          port: sender.address().port,
        })
        expect(batch.addressAt(0)).toBe(sender.address().address)
      }
    }
  })
})

test("misuse reads as Node's own does", () => {
  const ours = (() => {
    try {
      UdpSocket.bind({ port: -1 })
    } catch (error) {
      return String(error)
    }
    return ''
  })()
  const theirs = (() => {
    try {
      dgram.createSocket('udp4').send('x', -1)
    } catch (error) {
      return String(error)
    }
    return ''
  })()
  expect(ours.split(':')[0]).toBe(theirs.split(':')[0])
  expect(ours).toContain('RangeError [ERR_SOCKET_BAD_PORT]: ')
})
