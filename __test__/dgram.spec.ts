// Sockets of recvmmsg/dgram: what they are, what they take, how they end; multicast.

import dgram from 'node:dgram'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { inherits } from 'node:util'
import * as ours from '../dgram'
import { capabilities } from '../index'
import { bound, closeSockets, messagesOf, sent, unbound } from './support/dgram'
import { describeModes, expectWell, ipv4Modes, runChild, until } from './support/loop'
import { dgramSocket, shape, thrown } from './support/net'
import { printedBy } from './support/program'
import { testkit } from './support/testkit'

const [mode] = ipv4Modes

afterEach(closeSockets)

type Constructor = new (type: unknown, listener?: unknown) => ours.Socket & Record<string, unknown>

describe('what there is', () => {
  test('everything that node:dgram has', () => {
    expect(Object.keys(dgram).filter((name) => !(name in ours))).toEqual([])
    const [theirs, our] = [dgram.Socket.prototype as object, ours.Socket.prototype as object]
    for (const key of Reflect.ownKeys(theirs)) {
      const [{ value }, own] = [
        Object.getOwnPropertyDescriptor(theirs, key)!,
        Object.getOwnPropertyDescriptor(our, key),
      ]
      expect([key, typeof own?.value]).toEqual([key, typeof value])
      if (typeof value === 'function' && key !== 'constructor') {
        expect([key, own!.value.length]).toEqual([key, value.length])
      }
    }
    expect(ours.Socket.length).toBe(dgram.Socket.length)
    expect(ours.Socket.name).toBe('Socket')
    expect(Object.getPrototypeOf(our)).toBe(EventEmitter.prototype)
    expect(Object.getPrototypeOf(ours.Socket)).toBe(EventEmitter)
  })

  test.each([
    ['require', "const dgram = require('recvmmsg/dgram')"],
    ['import', "import dgram from 'recvmmsg/dgram'"],
    [
      'import of names',
      "import { createSocket, Socket } from 'recvmmsg/dgram'; const dgram = { createSocket, Socket }",
    ],
  ])('by %s from the package', (_way, statement) => {
    const program = `${statement}
      console.log(typeof dgram.createSocket, dgram.createSocket('udp4') instanceof dgram.Socket)`
    const type = statement.startsWith('import') ? 'module' : 'commonjs'
    expect(printedBy(type, program)).toBe('function true\n')
  })

  test('one object for require and import, in which functions can be put in place of others', () => {
    const program = `
      import dgram from 'recvmmsg/dgram'
      import { createRequire } from 'node:module'
      const required = createRequire(import.meta.url)('recvmmsg/dgram')
      required.createSocket = () => 'another'
      console.log(dgram === required, required.default === required, dgram.createSocket())`
    expect(printedBy('module', program)).toBe('true true another\n')
  })

  test('the constructor works as it is, by `class extends`, and on an object that inherits', () => {
    const Socket = ours.Socket as unknown as Constructor & {
      call(...args: unknown[]): void
      prototype: object
    }
    const listener = () => {}
    const plain = new Socket('udp4', listener)
    class Derived extends Socket {}
    const derived = new Derived({ type: 'udp6' }, listener)
    function Old(this: object) {
      Socket.call(this, 'udp4', listener)
    }
    inherits(Old, Socket)
    const old = new (Old as unknown as Constructor)(undefined)
    for (const socket of [plain, derived, old]) {
      expect(socket).toBeInstanceOf(ours.Socket)
      expect(socket.listeners('message')).toEqual([listener])
      expect(Object.keys(socket)).toContain('type')
      socket.close()
    }
    expect([plain.type, derived.type, old.type]).toEqual(['udp4', 'udp6', 'udp4'])
    const [theirs, own] = [dgram.Socket, ours.Socket] as unknown as ((type: string) => void)[]
    expect(thrown(() => own!('udp4'))).toEqual(thrown(() => theirs!('udp4')))
  })

  test('udp.socket is published', () => {
    const seen: unknown[] = []
    const listener = (message: unknown) => seen.push(message)
    subscribe('udp.socket', listener)
    const socket = unbound(mode!)
    unsubscribe('udp.socket', listener)
    unbound(mode!)
    expect(seen).toEqual([{ socket }])
  })
})

describe('options', () => {
  const wrong: [name: string, value: unknown, code: string][] = [
    ['gro', 1, 'ERR_INVALID_ARG_TYPE'],
    ['gro', null, 'ERR_INVALID_ARG_TYPE'],
    ['capacity', 0, 'ERR_OUT_OF_RANGE'],
    ['capacity', 1.5, 'ERR_OUT_OF_RANGE'],
    ['capacity', 16_385, 'ERR_OUT_OF_RANGE'],
    ['capacity', '64', 'ERR_INVALID_ARG_TYPE'],
    ['backend', 'fast', 'ERR_INVALID_ARG_VALUE'],
    ['backend', null, 'ERR_INVALID_ARG_VALUE'],
    ['receiveBlockList', {}, 'ERR_INVALID_ARG_TYPE'],
    ['sendBlockList', 1, 'ERR_INVALID_ARG_TYPE'],
    ['lookup', 1, 'ERR_INVALID_ARG_TYPE'],
    ['signal', {}, 'ERR_INVALID_ARG_TYPE'],
    ['recvBufferSize', '1', 'ERR_INVALID_ARG_TYPE'],
    ['sendBufferSize', -1, 'ERR_OUT_OF_RANGE'],
  ]
  test.each(wrong)('%s: %p is %s', (name, value, code) => {
    const error = thrown(() => unbound(mode!, { [name]: value }))
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(name)
  })

  test('without a type, or with another', () => {
    const { createSocket } = ours as unknown as { createSocket(type?: unknown): void }
    const theirs = dgram as unknown as { createSocket(type?: unknown): void }
    for (const type of [undefined, null, 'udp', 'UDP4', 4, {}, { type: 'tcp' }, []]) {
      expect(thrown(() => createSocket(type))).toEqual(thrown(() => theirs.createSocket(type)))
    }
  })

  test('an aborted signal closes at once, another one later, and a closed socket lets go of it', async () => {
    const closed = unbound(mode!, { signal: AbortSignal.abort() })
    await once(closed, 'close')
    expect(() => closed.address()).toThrow('Not running')
    const abort = new AbortController()
    const socket = await bound(mode!, { signal: abort.signal })
    const end = once(socket, 'close')
    abort.abort()
    await end
    const kept = new AbortController()
    const remove = jest.spyOn(kept.signal, 'removeEventListener')
    const early = await bound(mode!, { signal: kept.signal })
    early.close()
    await once(early, 'close')
    expect(remove).toHaveBeenCalledWith('abort', expect.any(Function))
  })

  test('the buffers have the sizes that node:dgram gives them', async () => {
    const options = { recvBufferSize: 40_000, sendBufferSize: 50_000 }
    const theirs = await dgramSocket(mode!, options)
    const socket = await bound(mode!, options)
    expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([
      theirs.getRecvBufferSize(),
      theirs.getSendBufferSize(),
    ])
    theirs.close()
  })
})

describeModes((each) => {
  afterEach(closeSockets)

  test('binds at once, and tells in the next tick', async () => {
    const socket = unbound(each)
    const listening = jest.fn()
    socket.on('listening', listening)
    const name = socket.bindSync({ address: each.loopback })
    expect(name).toEqual(socket.address())
    expect(name).toMatchObject({ address: each.loopback, port: expect.any(Number) })
    expect(listening).not.toHaveBeenCalled()
    await once(socket, 'listening')
    expect(thrown(() => socket.bindSync())).toMatchObject({ code: 'ERR_SOCKET_ALREADY_BOUND' })
    const other = unbound(each)
    const { port } = name
    const taken = { code: 'EADDRINUSE', syscall: 'bind', address: each.loopback, port }
    expect(thrown(() => other.bindSync({ port, address: each.loopback }))).toMatchObject(taken)
    expect(thrown(() => other.bindSync({ address: 'localhost' }))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
    // It is still to be bound.
    expect(other.bindSync({ address: each.loopback }).port).not.toBe(port)
  })

  test('connects at once, binding where it is not bound, and tells in the next tick', async () => {
    const receiver = await bound(each)
    const messages = messagesOf(receiver)
    const socket = unbound(each)
    const { port, address } = receiver.address()
    const connect = once(socket, 'connect')
    socket.connectSync(port, address)
    expect(socket.remoteAddress()).toEqual(receiver.address())
    await connect
    await sent(socket, 'x')
    await until(() => messages.length === 1)
    expect(thrown(() => socket.connectSync(port, address))).toMatchObject({
      code: 'ERR_SOCKET_DGRAM_IS_CONNECTED',
    })
    socket.disconnect()
    expect(thrown(() => socket.remoteAddress())).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_CONNECTED' })
  })

  test('a second close throws, asyncDispose does not', async () => {
    const socket = await bound(each)
    await socket[Symbol.asyncDispose]()
    expect(thrown(() => socket.close())).toEqual({
      code: 'ERR_SOCKET_DGRAM_NOT_RUNNING',
      message: 'Not running',
      name: 'Error',
    })
    await socket[Symbol.asyncDispose]()
  })

  const v6 = each.family === 'udp6'
  const group = v6 ? 'ff05::8352' : '232.1.8.35'
  const own = v6 ? '::1%lo' : '127.0.0.1'

  test('joins a group once, and leaves it once', async () => {
    const socket = await bound(each)
    socket.addMembership(group, own)
    const twice = { code: 'EADDRINUSE', syscall: 'addMembership' }
    expect(thrown(() => socket.addMembership(group, own))).toMatchObject(twice)
    socket.dropMembership(group, own)
    const gone = { code: 'EADDRNOTAVAIL', syscall: 'dropMembership' }
    expect(thrown(() => socket.dropMembership(group, own))).toMatchObject(gone)
    socket.addSourceSpecificMembership(each.loopback, group, own)
    socket.dropSourceSpecificMembership(each.loopback, group, own)
    expect(thrown(() => socket.dropSourceSpecificMembership(each.loopback, group, own))).toMatchObject({
      syscall: 'dropSourceSpecificMembership',
    })
  })

  test('joining binds a socket that is not bound', () => {
    const socket = unbound(each)
    socket.addMembership(group, own)
    expect(socket.address()).toMatchObject({ address: v6 ? '::' : '0.0.0.0', port: expect.any(Number) })
  })

  // The loopback interface has no route for IPv6 groups; the tests in namespaces do that.
  ;(v6 ? test.skip : test)(
    `gets what is sent to the group${v6 ? ' [skipped: no route on loopback]' : ''}`,
    async () => {
      const socket = unbound(each, { reuseAddr: true })
      socket.bindSync()
      const messages = messagesOf(socket)
      const from = await bound(each)
      from.setMulticastInterface(own)
      expect([from.setMulticastLoopback(true), from.setMulticastTTL(1)]).toEqual([true, 1])
      const { port } = socket.address()
      socket.addMembership(group, own)
      await sent(from, 'joined', port, group)
      await until(() => messages.length === 1)
      socket.dropMembership(group, own)
      await sent(from, 'left', port, group)
      socket.addSourceSpecificMembership(each.loopback, group, own)
      await sent(from, 'joined a source', port, group)
      await until(() => messages.length === 2)
      expect(messages.map(({ data }) => String(data))).toEqual(['joined', 'joined a source'])
    },
  )

  test('a time to live is within its range', async () => {
    const socket = await bound(each)
    for (const ttl of [1, 255]) expect(socket.setTTL(ttl)).toBe(ttl)
    for (const ttl of [0, 256, -1]) {
      expect(thrown(() => socket.setTTL(ttl))).toMatchObject({ code: 'EINVAL', syscall: 'setTTL' })
    }
    for (const ttl of [0, 255]) expect(socket.setMulticastTTL(ttl)).toBe(ttl)
    for (const ttl of [256, -1]) {
      expect(thrown(() => socket.setMulticastTTL(ttl))).toMatchObject({ syscall: 'setMulticastTTL' })
    }
    socket.setBroadcast(true)
  })
})

const reusePort = capabilities().reusePort ? '' : ' [skipped: no SO_REUSEPORT]'

;(reusePort ? test.skip : test).each(ipv4Modes)(
  `$readiness $backend: cluster workers share a port by reusePort${reusePort}`,
  async (each) => {
    const lines = expectWell(await runChild('dgram-cluster', each)) as number[][]
    expect(lines).toHaveLength(1)
    const [counts] = lines
    expect(counts!.reduce((sum, count) => sum + count)).toBe(64)
    expect(Math.min(...counts!)).toBeGreaterThan(0)
  },
)

test('a descriptor is one socket’s, until that is closed', async () => {
  const fd = testkit.makeSocket('inet', 'dgram')
  testkit.bindAny(fd)
  const [one, two] = [unbound(mode!), unbound(mode!)]
  one.bind({ fd })
  expect(thrown(() => two.bind({ fd }))).toMatchObject({ code: 'EEXIST', syscall: 'open' })
  one.close()
  await once(one, 'close')
  expect(thrown(() => unbound(mode!).bind({ fd }))).toMatchObject({ code: 'ERR_INVALID_FD_TYPE' })
})

test('a handle of node:dgram is refused in a sentence', () => {
  const socket = unbound(mode!)
  const handle = { recvStart() {}, fd: 5 }
  const error = shape(thrown(() => socket.bind(handle as never)))
  expect(error).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
    message: expect.stringContaining('reusePort'),
  })
})
