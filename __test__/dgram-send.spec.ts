// send() of recvmmsg/dgram: what leaves together, and where and when its callbacks are called.

import { AsyncLocalStorage } from 'node:async_hooks'
import dns from 'node:dns'
import { once } from 'node:events'
import { BlockList } from 'node:net'
import { capabilities, UdpSocket } from '../index'
import { bound, closeSockets, connected, messagesOf, sent, unbound } from './support/dgram'
import { describeModes, expectWell, ipv4Modes, numbers, runChild, until } from './support/loop'
import { track } from './support/matrix'
import { freePort, shape } from './support/net'

const { gso, gro } = capabilities()

describeModes((mode) => {
  afterEach(closeSockets)

  const other = mode.family === 'udp6' ? '127.0.0.1' : '::1'

  test('datagrams of a tick leave together, where there is UDP_SEGMENT', async () => {
    const receiver = track(UdpSocket.bind({ address: mode.loopback, backend: mode.backend }))
    const socket = await bound(mode)
    const { port } = receiver.address()
    const results = await Promise.all(numbers(30, 10).map((text) => sent(socket, text, port, mode.loopback)))
    expect(results).toEqual(Array(30).fill([null, 2]))
    let datagrams = 0
    for await (const batch of receiver) {
      for (const packet of batch) expect(String(packet.data)).toBe(String(10 + datagrams++))
      if (datagrams === 30) break
    }
    const { messages } = receiver.stats()
    if (gso && gro) expect(messages).toBe(1)
    else expect(messages).toBe(30)
  })

  test('two sockets do not overtake each other', async () => {
    const [receiver, one, two] = [await bound(mode), await bound(mode), await bound(mode)]
    const messages = messagesOf(receiver)
    const { port, address } = receiver.address()
    for (let index = 0; index < 20; index++) {
      const socket = index % 3 === 0 ? one : two
      socket.send(String(index), port, address)
    }
    await until(() => messages.length === 20)
    expect(messages.map(({ data }) => String(data))).toEqual(numbers(20))
  })

  test('each callback is called where its send was, once its own datagram has left', async () => {
    const storage = new AsyncLocalStorage<number>()
    const [receiver, socket] = [await bound(mode), await bound(mode)]
    const { port, address } = receiver.address()
    const log: unknown[] = []
    for (let index = 0; index < 3; index++) {
      storage.run(index, () => {
        socket.send(String(index), port, address, () => log.push([index, storage.getStore()]))
        process.nextTick(() => log.push(`tick ${index}`))
      })
    }
    await until(() => log.length === 6)
    expect(log).toEqual(['tick 0', 'tick 1', 'tick 2', [0, 0], [1, 1], [2, 2]])
  })

  test('a callback that throws keeps no other from being called', async () => {
    const lines = expectWell(await runChild('dgram-callbacks', mode))
    expect(lines).toEqual([{ called: [0, 1, 2, 3, 4], caught: 2 }])
  }, 20_000)

  test('one that fails does not stop the others', async () => {
    const [receiver, socket] = [await bound(mode), await bound(mode)]
    const messages = messagesOf(receiver)
    const { port, address } = receiver.address()
    const large = Buffer.alloc(70_000)
    const results = await Promise.all([
      sent(socket, 'a', port, address),
      sent(socket, large, port, address),
      sent(socket, 'b', port, other),
      sent(socket, 'c', port, address),
    ])
    await until(() => messages.length === 2)
    expect(messages.map(({ data }) => String(data))).toEqual(['a', 'c'])
    const told = results.map(([error, bytes]) => (error ? shape(error) : bytes))
    const common = { name: 'Error', syscall: 'send', port }
    expect(told).toMatchObject([
      1,
      { ...common, code: 'EMSGSIZE', address, message: `send EMSGSIZE ${address}:${port}` },
      { ...common, code: 'EINVAL', address: other, message: `send EINVAL ${other}:${port}` },
      1,
    ])
  })

  test('a connected socket has read the payload when send returns', async () => {
    const receiver = await bound(mode)
    const messages = messagesOf(receiver)
    const socket = await connected(mode, receiver)
    const data = Buffer.from('0')
    for (let index = 0; index < 5; index++) {
      data.write(String(index))
      if (index % 2 === 0) socket.send(data)
      else socket.send([data, Buffer.alloc(0)])
    }
    expect([socket.getSendQueueCount(), socket.getSendQueueSize()]).toEqual([5, 5])
    data.fill('x')
    await until(() => messages.length === 5)
    expect([socket.getSendQueueCount(), socket.getSendQueueSize()]).toEqual([0, 0])
    expect(messages.map(({ data }) => String(data))).toEqual(numbers(5))
  })

  test('a connected socket that closes has sent, one that is not connected has not', async () => {
    const [receiver, end] = [await bound(mode), await bound(mode)]
    const messages = messagesOf(receiver)
    const { port, address } = receiver.address()
    const [one, two] = [await connected(mode, receiver), await bound(mode)]
    const callbacks: string[] = []
    one.send('connected', () => callbacks.push('connected'))
    two.send('not', port, address, () => callbacks.push('not'))
    one.close()
    two.close()
    await once(two, 'close')
    await sent(end, 'end', port, address)
    await until(() => messages.length === 2)
    expect(messages.map(({ data }) => String(data))).toEqual(['connected', 'end'])
    expect(callbacks).toEqual(['connected'])
  })

  test('connecting on the way refuses what has an address', async () => {
    const receiver = await bound(mode)
    const socket = await bound(mode)
    const { port, address } = receiver.address()
    const result = sent(socket, 'x', port, address)
    socket.connectSync(port, address)
    expect(shape((await result)[0])).toMatchObject({ code: 'EISCONN', syscall: 'send', address, port })
    expect(await sent(socket, 'x')).toEqual([null, 1])
    expect(() => socket.send('x', 0, 1, port, address)).toThrow('Already connected')
  })

  test('an answer that nobody listens is an error, of a send or of receiving', async () => {
    const port = freePort(mode)
    const socket = await bound(mode)
    socket.connectSync(port, mode.loopback)
    const told: unknown[] = []
    socket.on('error', (error) => told.push(shape(error)))
    for (let index = 0; index < 3; index++) {
      const [error] = await sent(socket, 'x')
      if (error) told.push(shape(error))
    }
    await until(() => told.length > 0)
    for (const error of told) {
      expect(error).toMatchObject({
        code: 'ECONNREFUSED',
        syscall: expect.stringMatching(/^(send|recvmsg)$/),
      })
    }
  })

  test('a payload is the caller’s again when a lookup calls back at once', async () => {
    const receiver = await bound(mode)
    const messages = messagesOf(receiver)
    const lookup = (_: string, __: unknown, callback: (error: null, ip: string) => void) =>
      callback(null, mode.loopback)
    const socket = await bound(mode, { lookup: lookup as never })
    const { port } = receiver.address()
    const data = Buffer.from('0')
    for (let index = 0; index < 5; index++) {
      data.write(String(index))
      socket.send(data, port, 'collector.example')
    }
    data.write('x')
    socket.connectSync(port, mode.loopback)
    await until(() => messages.length === 5)
    expect(messages.map(({ data }) => String(data))).toEqual(numbers(5))
  })

  test('no more than a chunk waits for the end of a tick, and views of detached memory are empty', async () => {
    const receiver = await bound(mode, { recvBufferSize: 4 << 20 })
    const messages = messagesOf(receiver)
    const socket = await connected(mode, receiver)
    for (let index = 0; index < 3000; index++) socket.send(String(index))
    const view = new DataView(new ArrayBuffer(8))
    const { port, address } = receiver.address()
    const other = await bound(mode)
    const results = [sent(other, view, port, address), sent(other, 'end', port, address)]
    structuredClone(view.buffer, { transfer: [view.buffer] })
    expect(await Promise.all(results)).toEqual([
      [null, 0],
      [null, 3],
    ])
    await until(() => messages.length === 3002)
    expect(messages.map(({ data }) => String(data))).toEqual([...numbers(3000), '', 'end'])
  })

  test('a lookup of its own is asked for every address', async () => {
    const receiver = await bound(mode)
    const messages = messagesOf(receiver)
    const asked: unknown[] = []
    const lookup = (name: string, family: unknown, callback: (error: Error | null, ip: string) => void) => {
      asked.push([name, family])
      if (name === 'later.example') setImmediate(callback, null, mode.loopback)
      else callback(null, mode.loopback)
    }
    const socket = unbound(mode, { lookup: lookup as never })
    const { port } = receiver.address()
    await new Promise<void>((resolve) => void socket.bind(0, 'me.example', resolve))
    const results = await Promise.all([
      sent(socket, 'a', port, 'now.example'),
      sent(socket, 'bc', port, 'later.example'),
      sent(socket, 'def', port),
    ])
    expect(results).toEqual([
      [null, 1],
      [null, 2],
      [null, 3],
    ])
    await until(() => messages.length === 3)
    const family = mode.family === 'udp6' ? 6 : 4
    const names = ['me.example', 'now.example', 'later.example', mode.loopback]
    expect(asked).toEqual(names.map((name) => [name, family]))
  })

  test('an error of the lookup is the callback’s, or is emitted', async () => {
    const failure = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
    const socket = await bound(mode)
    const spy = jest.spyOn(dns, 'lookup').mockImplementation(((...args: unknown[]) => {
      ;(args.at(-1) as (error: Error) => void)(failure)
    }) as never)
    try {
      expect(await sent(socket, 'x', 1, 'host.invalid')).toEqual([failure, undefined])
      const emitted = once(socket, 'error')
      socket.send('x', 1, 'host.invalid')
      expect(await emitted).toEqual([failure])
    } finally {
      spy.mockRestore()
    }
  })

  test('sendBlockList keeps datagrams from the addresses in it', async () => {
    const receiver = await bound(mode)
    const blocked = new BlockList()
    blocked.addAddress(mode.loopback, mode.family === 'udp6' ? 'ipv6' : 'ipv4')
    const socket = await bound(mode, { sendBlockList: blocked })
    const { port, address } = receiver.address()
    const [error] = await sent(socket, 'x', port, address)
    expect(shape(error)).toMatchObject({
      code: 'ERR_IP_BLOCKED',
      message: `IP(${address}) is blocked by net.BlockList`,
    })
    expect(() => socket.connectSync(port, address)).toThrow(`IP(${address}) is blocked by net.BlockList`)
  })
})

describe('in a process of its own', () => {
  test.each(ipv4Modes)('$readiness $backend: process.exit() takes nothing back', async (mode) => {
    expect(expectWell(await runChild('dgram-exit', mode))).toEqual(['first', 'second'])
  })

  test.each(ipv4Modes)('$readiness $backend: what is sent in ‘exit’ handlers leaves', async (mode) => {
    const receiver = await bound(mode)
    const messages = messagesOf(receiver)
    expectWell(await runChild('dgram-last-words', mode, [String(receiver.address().port)]))
    await until(() => messages.length === 4)
    expect(messages.map(({ data }) => String(data))).toEqual(['zeroth', 'first', 'second', 'third'])
    closeSockets()
  })
})
