// 'message' of recvmmsg/dgram: Buffers of the listener's own, rinfo, order, what listeners may do.

import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { BlockList } from 'node:net'
import type { Socket } from '../dgram'
import { bound, closeSockets, type Message, messagesOf, sent, unbound } from './support/dgram'
import { busy, describeModes, expectWell, ipv4Modes, numbers, peer, runChild, until } from './support/loop'
import { testkit } from './support/testkit'

const LARGEST_SLAB = 64 * 1024

/** Datagrams of one size from one socket are coalesced where the receiver takes that. */
async function train(from: Socket, to: Socket, payloads: (string | Buffer)[]): Promise<void> {
  const { port, address } = to.address()
  await Promise.all(payloads.map((payload) => sent(from, payload, port, address)))
}

const textsOf = (messages: Message[]) => messages.map(({ data }) => data.toString())

describeModes((mode) => {
  afterEach(closeSockets)

  describe.each([true, false])('with gro: %s', (gro) => {
    test('gives each datagram with its sender, in order', async () => {
      const [socket, from] = [await bound(mode, { gro }), await bound(mode)]
      const messages = messagesOf(socket)
      const payloads = [...numbers(200, 100), '', 'x', ...numbers(10)]
      await train(from, socket, payloads)
      await until(() => messages.length === payloads.length)
      expect(textsOf(messages)).toEqual(payloads)
      const { address, port } = from.address()
      const family = mode.family === 'udp6' ? 'IPv6' : 'IPv4'
      for (const { data, rinfo } of messages) {
        expect(Object.entries(rinfo)).toEqual(Object.entries({ address, family, port, size: data.length }))
      }
      expect(new Set(messages.map(({ rinfo }) => rinfo)).size).toBe(messages.length)
    })

    test('gives Buffers that nothing writes to any more', async () => {
      const [socket, from] = [await bound(mode, { gro }), await bound(mode)]
      const messages = messagesOf(socket)
      const sizes = [1, 7, 8, 9, 0, 1472, 8192, 40_000, 65_507, 3]
      const payload = (index: number) => Buffer.alloc(sizes[index % sizes.length]!, 1 + (index % 200))
      const count = 60
      for (let index = 0; index < count; index++) {
        await train(from, socket, [payload(index)])
        await until(() => messages.length > index)
      }
      for (const [index, { data }] of messages.entries()) {
        expect(Buffer.isBuffer(data)).toBe(true)
        expect(data.equals(payload(index))).toBe(true)
      }
      // What one changes is not the others'.
      const whole = messages.map(({ data }) => Buffer.from(data))
      messages[0]!.data.fill(0xff)
      for (const [index, { data }] of messages.entries()) {
        if (index > 0) expect(data.equals(whole[index]!)).toBe(true)
      }
    })
  })

  test('a Buffer keeps no more than 64 KiB, begins at a multiple of 8, and cannot be transferred', async () => {
    const [socket, from] = [await bound(mode), await bound(mode)]
    const messages = messagesOf(socket)
    const payloads = [...numbers(500), Buffer.alloc(65_507), Buffer.alloc(60_000), 'end']
    await train(from, socket, payloads)
    await until(() => messages.length === payloads.length)
    for (const { data } of messages) {
      expect(data.buffer.byteLength).toBeLessThanOrEqual(LARGEST_SLAB)
      expect(data.byteOffset % 8).toBe(0)
    }
    const { buffer } = messages[0]!.data
    try {
      // Node 20 leaves it where it is, and copies; later ones refuse.
      structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError')
    }
    expect(buffer.byteLength).toBeGreaterThan(0)
  })

  /** What five messages' listener, its ticks and its jobs note. */
  async function queued(): Promise<string[]> {
    const [socket, from] = [await bound(mode), await bound(mode)]
    const log: string[] = []
    socket.on('message', (data) => {
      log.push(`${data}`)
      process.nextTick(() => {
        log.push(`${data} tick`)
        void Promise.resolve().then(() => log.push(`${data} job of the tick`))
      })
      void Promise.resolve().then(() => {
        log.push(`${data} job`)
        process.nextTick(() => log.push(`${data} tick of the job`))
      })
    })
    await train(from, socket, numbers(5))
    await until(() => log.length === 25)
    return log
  }

  test('what listeners queue runs before the next message', async () => {
    const log = await queued()
    const inOrder = numbers(5).flatMap((n) => [n, n, n, n, n])
    expect(log.map((text) => text.split(' ')[0])).toEqual(inOrder)
  })

  test('of that, ticks run first', async () => {
    expect(await queued()).toEqual(
      numbers(5).flatMap((n) => [n, `${n} tick`, `${n} job`, `${n} job of the tick`, `${n} tick of the job`]),
    )
  })

  test.each(['close()', 'removeListener()'])('after %s in a listener it gets no more', async (what) => {
    const [socket, from] = [await bound(mode), await bound(mode)]
    const seen: string[] = []
    const listener = (data: Buffer) => {
      seen.push(String(data))
      if (seen.length < 3) return
      if (what === 'close()') socket.close()
      else socket.removeListener('message', listener)
    }
    socket.on('message', listener)
    await train(from, socket, numbers(10))
    const other = await bound(mode)
    const rest = messagesOf(other)
    await train(from, other, numbers(3))
    await until(() => rest.length === 3)
    expect(seen).toEqual(numbers(3))
  })

  test('a listener runs where the socket was made', async () => {
    const storage = new AsyncLocalStorage<string>()
    const socket = await storage.run('made', () => bound(mode))
    const from = await bound(mode)
    const stores: (string | undefined)[] = []
    storage.run('listened', () => socket.on('message', () => stores.push(storage.getStore())))
    await storage.run('sent', () => train(from, socket, numbers(3)))
    await until(() => stores.length === 3)
    expect(stores).toEqual(['made', 'made', 'made'])
  })

  test('timers have their turn within a fill, and nothing is lost', async () => {
    const [socket, from] = [await bound(mode), await bound(mode)]
    let between = 0
    let most = 0
    const turns = setInterval(() => {
      most = Math.max(most, between)
      between = 0
    }, 1)
    const seen: string[] = []
    socket.on('message', (data) => {
      seen.push(String(data))
      between++
      busy(0.2)
    })
    const payloads = numbers(600, 1000)
    await train(from, socket, payloads)
    await until(() => seen.length === payloads.length)
    clearInterval(turns)
    expect(seen).toEqual(payloads)
    // One fill may hold all of them.
    expect(Math.max(most, between)).toBeLessThan(300)
  })

  test('a message that is transferred away takes no other along that has not been given', async () => {
    const [socket, from] = [await bound(mode), await bound(mode)]
    const seen: string[] = []
    socket.on('message', (data) => {
      seen.push(String(data))
      const { buffer } = data as { buffer: ArrayBuffer & { transfer?(): void } }
      try {
        // A byte stream does the same, and takes no notice of who marked the buffer.
        if (buffer.transfer) buffer.transfer()
        else new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(data) })
      } catch (error) {
        // Later Nodes do take notice.
        expect(error).toMatchObject({ name: 'TypeError' })
      }
    })
    const payloads = numbers(50, 100)
    await train(from, socket, payloads)
    await until(() => seen.length === payloads.length)
    expect(seen).toEqual(payloads)
  })

  test('receiveBlockList drops datagrams of the addresses in it', async () => {
    const blocked = new BlockList()
    blocked.addAddress(mode.loopback, mode.family === 'udp6' ? 'ipv6' : 'ipv4')
    const [closed, open] = [await bound(mode, { receiveBlockList: blocked }), await bound(mode)]
    const [none, some] = [messagesOf(closed), messagesOf(open)]
    const from = await bound(mode)
    await train(from, closed, numbers(3))
    await train(from, open, numbers(3))
    await until(() => some.length === 3)
    expect(none).toEqual([])
  })

  test('takes a descriptor over', async () => {
    const fd = testkit.makeSocket(mode.family === 'udp6' ? 'inet6' : 'inet', 'dgram')
    const port = testkit.bindAny(fd)
    const socket = unbound(mode)
    // There is nothing to look up, so it listens at once.
    const listening = jest.fn()
    socket.bind({ fd }, listening)
    expect(listening).toHaveBeenCalledTimes(1)
    expect(socket.address().port).toBe(port)
    const messages = messagesOf(socket)
    const from = peer(mode)
    testkit.sendTo(from.fd, mode.loopback, port, Buffer.from('x'))
    await until(() => messages.length === 1)
    socket.close()
    await once(socket, 'close')
  })
})

describe('in a process of its own', () => {
  test.each(ipv4Modes)(
    '$readiness $backend: a listener that throws costs nobody a datagram',
    async (mode) => {
      const lines = expectWell(await runChild('dgram-throws', mode))
      expect(lines).toEqual([{ seen: numbers(20), errors: 7 }])
    },
  )

  test.each(ipv4Modes)(
    '$readiness $backend: exceptions of ticks and callbacks are caught as node:dgram’s',
    async (mode) => {
      const ours = expectWell(await runChild('dgram-exceptions', mode, ['ours']))
      const theirs = expectWell(await runChild('dgram-exceptions', mode, ['theirs']))
      expect(ours).toEqual(theirs)
    },
  )

  test.each(ipv4Modes)(
    '$readiness $backend: without the function that runs ticks each message has a callback',
    async (mode) => {
      const lines = expectWell(await runChild('dgram-order', mode, ['without']))
      expect(lines).toEqual(expectWell(await runChild('dgram-order', mode, ['with'])))
    },
  )

  test.each(ipv4Modes)('$readiness $backend: lives and ends as node:dgram does', async (mode) => {
    for (const what of ['unbound', 'unref', 'closed', 'signal']) {
      const { lingered, ...ended } = await runChild('dgram-life', mode, [what])
      expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', lines: ['end'] })
      expect(lingered).toBeLessThan(3000)
    }
  })
})
