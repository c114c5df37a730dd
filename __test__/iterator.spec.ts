// for await: order, backpressure, its ends, and one reader at a time.

import { once } from 'node:events'
import type { PacketBatch, UdpSocket } from '../index'
import {
  describeModes,
  IDLE,
  idleTurns,
  ipv4Modes,
  numbers,
  pair,
  rounds,
  take,
  texts,
  until,
} from './support/loop'

type Batches = AsyncIterator<PacketBatch, undefined>
type Result = IteratorResult<PacketBatch, undefined>

const DONE = { value: undefined, done: true }
const iterate = (socket: UdpSocket): Batches => socket[Symbol.asyncIterator]()
const textsOf = ({ value }: Result) => (value === undefined ? null : texts(value))
const turn = () => new Promise((resolve) => setImmediate(resolve))

describeModes((mode) => {
  test.each([
    ['asks again at once', () => {}],
    ['awaits something', turn],
  ])('loses nothing and keeps the order, in a loop that %s', async (_how, body) => {
    const { socket, from } = pair(mode, { capacity: 4 })
    const given: string[] = []
    from.send(socket, ...numbers(30))
    for await (const batch of socket) {
      given.push(...texts(batch))
      if (given.length === 30) from.send(socket, ...numbers(30, 30))
      if (given.length === 60) break
      await body()
    }
    expect(given).toEqual(numbers(60))
  })

  test('nothing is received while the body awaits', async () => {
    const { socket, from } = pair(mode)
    from.send(socket, 'first')
    for await (const batch of socket) {
      from.send(socket, ...numbers(5))
      await rounds(mode)
      expect(texts(batch)).toEqual(['first'])
      expect(socket.stats().datagrams).toBe(1)
      expect(take(socket, 2)).not.toHaveLength(0)
      break
    }
  })

  const ends: [string, (socket: UdpSocket) => Promise<unknown>][] = [
    [
      'break',
      async (socket) => {
        for await (const _ of socket) break
      },
    ],
    [
      'return',
      async (socket) => {
        for await (const batch of socket) return batch
        return null
      },
    ],
    [
      'a throw',
      async (socket) => {
        const loop = async () => {
          for await (const _ of socket) throw new Error('body')
        }
        await expect(loop()).rejects.toThrow('body')
      },
    ],
  ]

  test.each(ends)('%s in the body ends reading and leaves the socket open', async (_what, loop) => {
    const { socket, from } = pair(mode, { capacity: 1 })
    from.send(socket, ...numbers(4))
    await loop(socket)
    await rounds(mode)
    expect(socket.stats().datagrams).toBe(1)
    expect(textsOf(await iterate(socket).next())).toEqual(['1'])
  })

  test('after break a new iterator reads on, and after that a listener', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    from.send(socket, ...numbers(3))
    const given: string[] = []
    for await (const batch of socket) {
      given.push(...texts(batch))
      break
    }
    for await (const batch of socket) {
      given.push(...texts(batch))
      break
    }
    const [batch] = await once(socket, 'batch')
    expect([...given, ...texts(batch)]).toEqual(numbers(3))
  })

  test('two pending next() resolve in order', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const batches = iterate(socket)
    const order: unknown[] = []
    const both = numbers(2).map((name) =>
      batches.next().then((result) => order.push([name, textsOf(result)])),
    )
    from.send(socket, 'a', 'b', 'c')
    await Promise.all(both)
    expect(order).toEqual([
      ['0', ['a']],
      ['1', ['b']],
    ])
    await rounds(mode)
    expect(take(socket, 1)).toEqual(['c'])
  })

  test('after its end next() and return() are done, as was the pending next()', async () => {
    const { socket } = pair(mode)
    const batches = iterate(socket)
    const pending = batches.next()
    expect(await batches.return!()).toEqual(DONE)
    expect(await pending).toEqual(DONE)
    expect(await batches.next()).toEqual(DONE)
    expect(await batches.return!()).toEqual(DONE)
    expect(socket.fd).toBeGreaterThan(0)
  })

  test('close() in the body ends the loop', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const given: string[] = []
    from.send(socket, ...numbers(3))
    for await (const batch of socket) {
      socket.close()
      given.push(...texts(batch))
    }
    expect(given).toEqual(['0'])
  })

  test('close() from outside ends the loop, and every pending next()', async () => {
    const { socket } = pair(mode)
    const batches = iterate(socket)
    const pending = [batches.next(), batches.next()]
    setImmediate(() => socket.close())
    expect(await Promise.all(pending)).toEqual([DONE, DONE])
    expect(await batches.next()).toEqual(DONE)
  })

  test('a loop over a closed socket ends at once', async () => {
    const { socket } = pair(mode)
    const early = iterate(socket)
    socket.close()
    const loops = [early.next(), iterate(socket).next()]
    const results = await Promise.race([Promise.all(loops), rounds(mode).then(() => 'it hangs')])
    expect(results).toEqual([DONE, DONE])
  })

  test('a second iterator is refused at once, and the first reads on', async () => {
    const { socket, from } = pair(mode)
    const first = iterate(socket)
    const pending = first.next()
    await expect(iterate(socket).next()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' })
    await expect(iterate(socket).next()).rejects.toBeInstanceOf(Error)
    from.send(socket, 'x')
    expect(textsOf(await pending)).toEqual(['x'])
    // Between two calls of next() it is the reader, too.
    await expect(iterate(socket).next()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' })
  })

  test('an iterator that was refused begins when the other reader is gone', async () => {
    const { socket, from } = pair(mode)
    const first = iterate(socket)
    const second = iterate(socket)
    void first.next()
    await expect(second.next()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' })
    await first.return!()
    from.send(socket, 'x')
    expect(textsOf(await second.next())).toEqual(['x'])
  })

  test('an iterator beside a listener is refused', async () => {
    const { socket, from } = pair(mode)
    const given: string[] = []
    socket.on('batch', (batch) => given.push(...texts(batch)))
    await expect(iterate(socket).next()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' })
    from.send(socket, 'x')
    await until(() => given.length === 1)
  })

  test.each(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const)(
    '%s() refuses a listener beside an iterator',
    async (add) => {
      const { socket, from } = pair(mode)
      const pending = iterate(socket).next()
      expect(() => socket[add]('batch', () => {})).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_STATE' }),
      )
      expect(socket.listenerCount('batch')).toBe(0)
      socket[add]('close', () => {})
      from.send(socket, 'x')
      expect(textsOf(await pending)).toEqual(['x'])
    },
  )

  test('one that has not begun is no reader', async () => {
    const { socket, from } = pair(mode)
    const idle = iterate(socket)
    from.send(socket, 'x', 'y')
    const [batch] = await once(socket, 'batch')
    expect(texts(batch)[0]).toBe('x')
    expect(await idle.return!()).toEqual(DONE)
  })

  test('the end of one that is not the reader leaves the reader alone', async () => {
    const { socket, from } = pair(mode)
    const reader = iterate(socket)
    const pending = reader.next()
    await iterate(socket).return!()
    from.send(socket, 'x')
    expect(textsOf(await pending)).toEqual(['x'])
  })

  test('recv beside a pending next() takes what is next', async () => {
    const { socket, from } = pair(mode)
    const pending = iterate(socket).next()
    from.send(socket, 'x')
    expect(take(socket, 1)).toEqual(['x'])
    await rounds(mode)
    from.send(socket, 'y')
    expect(textsOf(await pending)).toEqual(['y'])
  })

  test('Symbol.asyncDispose ends it', async () => {
    const { socket, from } = pair(mode)
    const batches = iterate(socket) as Batches & AsyncDisposable
    const pending = batches.next()
    await batches[Symbol.asyncDispose]()
    expect(await pending).toEqual(DONE)
    from.send(socket, 'x')
    expect(textsOf(await iterate(socket).next())).toEqual(['x'])
  })

  test('pause() holds it until resume()', async () => {
    const { socket, from } = pair(mode)
    let settled = false
    const pending = iterate(socket).next()
    void pending.then(() => {
      settled = true
    })
    socket.pause()
    from.send(socket, 'x')
    await rounds(mode)
    expect(settled).toBe(false)
    socket.resume()
    expect(textsOf(await pending)).toEqual(['x'])
  })
})

describeModes((mode) => {
  test.each<[string, (socket: UdpSocket) => void]>([
    ['nothing', () => {}],
    ['pause() and resume()', (socket) => socket.pause().resume()],
    ['resume()', (socket) => socket.resume()],
  ])('a body that awaits with data waiting, and calls %s before, costs nothing', async (_what, call) => {
    const { socket, from } = pair(mode)
    from.send(socket, 'x')
    for await (const _ of socket) {
      from.send(socket, 'y')
      call(socket)
      expect(await idleTurns()).toBeLessThan(IDLE)
      break
    }
    expect(take(socket, 1)).toEqual(['y'])
  })
}, ipv4Modes)
