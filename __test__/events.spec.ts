// 'batch' listeners: what they are given, when reading starts and stops, what runs between two of them.

import { AsyncLocalStorage, executionAsyncId } from 'node:async_hooks'
import { once } from 'node:events'
import { PacketBatch, type UdpSocket } from '../index'
import {
  busy,
  describeModes,
  expectWell,
  IDLE,
  ipv4Modes,
  numbers,
  pair,
  rounds,
  runChild,
  take,
  texts,
  until,
} from './support/loop'
import { bind } from './support/matrix'

describeModes((mode) => {
  /** A socket that is given one datagram a batch, `count` of which wait for its first listener to resume it. */
  function queued(count: number) {
    const { socket, from } = pair(mode, { capacity: 1 })
    socket.pause()
    from.send(socket, ...numbers(count))
    return { socket, from }
  }

  test('every listener is given the same batch', async () => {
    const { socket, from } = pair(mode)
    const given: PacketBatch[] = []
    for (let listener = 0; listener < 3; listener++) socket.on('batch', (batch) => given.push(batch))
    from.send(socket, 'hello')
    await until(() => given.length === 3)
    expect(new Set(given).size).toBe(1)
    expect(texts(given[0]!)).toEqual(['hello'])
    expect(given[0]!.socket).toBe(socket)
  })

  test('reading starts with the first listener, not before', async () => {
    const { socket, from } = pair(mode)
    socket.on('error', () => {}).on('close', () => {})
    from.send(socket, ...numbers(3))
    await rounds(mode)
    expect(socket.stats().batches).toBe(0)
    const given: string[] = []
    socket.on('batch', (batch) => given.push(...texts(batch)))
    await until(() => given.length === 3)
    expect(given).toEqual(numbers(3))
  })

  test('pause() before the first listener holds until resume()', async () => {
    const { socket } = queued(3)
    const given: string[] = []
    socket.on('batch', (batch) => given.push(...texts(batch)))
    await rounds(mode)
    expect(given).toEqual([])
    socket.resume()
    await until(() => given.length === 3)
    expect(given).toEqual(numbers(3))
  })

  test.each<[string, (socket: UdpSocket, listener: () => void) => void]>([
    ['the last listener is removed', (socket, listener) => socket.off('batch', listener)],
    ['removeAllListeners() is called', (socket) => socket.removeAllListeners()],
    ["removeAllListeners('batch') is called", (socket) => socket.removeAllListeners('batch')],
    ['pause() is called', (socket) => socket.pause()],
  ])('between two batches of one wake it stops when %s', async (_when, stop) => {
    const { socket } = queued(8)
    let given = 0
    const listener = () => {
      if (++given === 3) stop(socket, listener)
    }
    socket.on('batch', listener).resume()
    await until(() => given >= 3)
    await rounds(mode)
    expect(given).toBe(3)
    expect(take(socket, 5)).toEqual(numbers(5, 3))
  })

  test('between two batches of one wake it stops when close() is called', async () => {
    const { socket } = queued(8)
    const events: string[] = []
    socket.on('close', () => events.push('close'))
    socket.on('batch', (batch) => {
      events.push(...texts(batch))
      if (events.length === 3) socket.close()
    })
    socket.resume()
    await until(() => events.includes('close'))
    await rounds(mode)
    expect(events).toEqual([...numbers(3), 'close'])
  })

  test('once() leaves its batch intact and the rest in the kernel', async () => {
    const { socket } = queued(3)
    socket.resume()
    const [batch] = (await once(socket, 'batch')) as [PacketBatch]
    await rounds(mode)
    expect(texts(batch)).toEqual(['0'])
    expect(take(socket, 2)).toEqual(['1', '2'])
    expect(texts(batch)).toEqual(['0'])
  })

  test('ticks and promise jobs run before the next batch', async () => {
    const { socket } = queued(4)
    const log: string[] = []
    socket.on('batch', (batch) => {
      log.push(...texts(batch))
      process.nextTick(() => log.push('tick'))
      Promise.resolve().then(() => log.push('job'))
      queueMicrotask(() => log.push('microtask'))
    })
    socket.resume()
    await until(() => log.length >= 16)
    expect(log).toEqual(numbers(4).flatMap((number) => [number, 'tick', 'job', 'microtask']))
  })

  /** The most batches between two immediates while `count` of them are delivered. */
  async function mostInOneTurn(count: number, work: () => void): Promise<number> {
    const { socket } = queued(count)
    let given = 0
    socket.on('batch', () => {
      given++
      work()
    })
    socket.resume()
    let most = 0
    while (given < count) {
      const before = given
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, given - before)
    }
    return most
  }

  test.each([
    ['nothing', () => {}],
    // Long enough for the helper thread to tell again meanwhile.
    ['jobs', () => void Promise.resolve().then(() => busy(0.05))],
  ])('no wake has more than 16 batches, whose listeners leave %s behind', async (_what, work) => {
    expect(await mostInOneTurn(120, work)).toBeLessThanOrEqual(16)
  })

  test('no wake goes on after a millisecond', async () => {
    expect(await mostInOneTurn(20, () => busy(1.5))).toBe(1)
  })

  test('timers have their turn while datagrams never cease', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    let given = 0
    socket.on('batch', () => {
      if (++given < 50_000) from.send(socket, 'again', 'and again')
    })
    from.send(socket, 'first')
    await until(() => given > 100) // by timers
    socket.close()
    expect(given).toBeLessThan(50_000)
  })

  test('a listener runs in an async context: that of the first reader', async () => {
    const { socket, from } = pair(mode)
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    storage.run('reader', () => {
      socket.on('batch', () => seen.push(storage.getStore()))
    })
    storage.run('later', () => socket.on('batch', () => {}))
    from.send(socket, 'x')
    await until(() => seen.length > 0)
    expect(seen).toEqual(['reader'])
  })

  test('a listener runs in an async scope, which has an id', async () => {
    const { socket, from } = pair(mode)
    const seen: number[] = []
    socket.on('batch', () => seen.push(executionAsyncId()))
    from.send(socket, 'x')
    await until(() => seen.length > 0)
    expect(seen[0]).toBeGreaterThan(0)
  })

  test('recv, send, pause, bind and readable are legal in a listener', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const given: string[] = []
    const other = bind(mode)
    const readable: Promise<boolean>[] = []
    const one = new PacketBatch({ capacity: 1 })
    socket.pause()
    from.send(socket, ...numbers(4))
    socket.on('batch', (batch) => {
      given.push(...texts(batch))
      if (socket.recv(one) > 0) given.push(...texts(one))
      socket.pause()
      socket.send('answer', other.address())
      bind(mode).on('batch', () => {})
      readable.push(socket.readable())
    })
    socket.resume()
    await until(() => readable.length > 0)
    expect(await readable[0]).toBe(true)
    expect(given).toEqual(['0', '1'])
    expect(take(other, 1)).toEqual(['answer'])
    socket.resume()
    await until(() => given.length === 4)
    expect(given).toEqual(numbers(4))
  })

  test('a listener may close other sockets that have batches waiting', async () => {
    const sockets = numbers(4).map(() => pair(mode))
    let given = 0
    for (const { socket } of sockets) {
      socket.on('batch', () => {
        given++
        for (const other of sockets) other.socket.close()
      })
    }
    for (const { socket, from } of sockets) from.send(socket, 'x')
    await until(() => given > 0)
    await rounds(mode)
    expect(given).toBe(1)
  })
})

describeModes((mode) => {
  test('a listener that throws is an uncaught exception, and reading goes on', async () => {
    const lines = expectWell(await runChild('throws', mode))
    const all = ['bad', 'good', 'bad', 'good']
    const good = ['good', 'good']
    const boom = ['boom', 'boom']
    const turns = expect.any(Number)
    expect(lines).toEqual([
      { position: 'first', uncaught: boom, first: all, middle: good, last: good, turns },
      { position: 'middle', uncaught: boom, first: all, middle: all, last: good, turns },
      { position: 'last', uncaught: boom, first: all, middle: all, last: all, turns },
      { position: 'tick', uncaught: boom, first: all, middle: all, last: all, turns },
      { position: 'job', uncaught: boom, first: all, middle: all, last: all, turns },
      { position: 'async', uncaught: boom, first: all, middle: all, last: all, turns },
      // It comes before the others, and is gone for the second bad one.
      {
        position: 'once',
        uncaught: ['boom'],
        first: all.slice(1),
        middle: all.slice(1),
        last: all.slice(1),
        turns,
      },
    ])
    for (const { turns } of lines as { turns: number }[]) expect(turns).toBeLessThan(IDLE)
  })
}, ipv4Modes)
