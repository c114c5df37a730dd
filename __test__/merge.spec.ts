// Many sockets as one: whose turn it is, one reader of each, the ends, and a wait for any of them.

import { getEventListeners, once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { merge, PacketBatch, UdpSocket, type UdpSocketOptions } from '../index'
import {
  busy,
  closed,
  describeModes,
  expectWell,
  IDLE,
  idleTurns,
  ipv4Modes,
  type Mode,
  modes,
  numbers,
  type Peer,
  pair,
  peer,
  rounds,
  runChild,
  take,
  texts,
  until,
} from './support/loop'
import { bind, track } from './support/matrix'
import { refuse, thrown } from './support/net'
import { testkit } from './support/testkit'

type Batches = AsyncIterator<PacketBatch, undefined>

const DONE = { value: undefined, done: true }
const INVALID_STATE = expect.objectContaining({ code: 'ERR_INVALID_STATE' })
const iterate = (merged: AsyncIterable<PacketBatch>) => merged[Symbol.asyncIterator]() as Batches
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Sockets with one sender. */
function several(
  mode: Mode,
  count: number,
  options: UdpSocketOptions = {},
): { sockets: UdpSocket[]; from: Peer } {
  return { sockets: numbers(count).map(() => bind(mode, options)), from: peer(mode) }
}

/** The place of the socket that filled the batch, and what is in it. */
const told = (sockets: UdpSocket[], batch: PacketBatch): [number, ...string[]] => [
  sockets.indexOf(batch.socket!),
  ...texts(batch),
]

/** What `count` turns of a loop give. */
async function turns(
  merged: AsyncIterable<PacketBatch>,
  sockets: UdpSocket[],
  count: number,
  body: () => unknown = () => {},
): Promise<[number, ...string[]][]> {
  const given: [number, ...string[]][] = []
  for await (const batch of merged) {
    given.push(told(sockets, batch))
    if (given.length === count) break
    await body()
  }
  return given
}

describeModes((mode) => {
  test('gives batches of each socket, and tells whose they are', async () => {
    const { sockets, from } = several(mode, 3)
    const merged = merge(new Set(sockets))
    const batches = iterate(merged)
    for (const index of [1, 0, 2, 2, 1]) {
      const pending = batches.next()
      from.send(sockets[index]!, `to ${index}`)
      const { value } = await pending
      expect(told(sockets, value!)).toEqual([index, `to ${index}`])
    }
  })

  test.each([
    ['asks again at once', () => {}],
    ['awaits something', turn],
  ])('those that have something give one batch each in turn, in a loop that %s', async (_how, body) => {
    const { sockets, from } = several(mode, 3, { capacity: 1 })
    const merged = merge(sockets)
    for (const [index, socket] of sockets.entries()) from.send(socket, ...numbers(4 - index))
    expect(await turns(merged, sockets, 9, body)).toEqual([
      [0, '0'],
      [1, '0'],
      [2, '0'],
      [0, '1'],
      [1, '1'],
      [2, '1'],
      [0, '2'],
      [1, '2'],
      [0, '3'],
    ])
  })

  test('loops that take one batch each go on with the next in turn', async () => {
    const { sockets, from } = several(mode, 3, { capacity: 1 })
    const merged = merge(sockets)
    for (const socket of sockets) from.send(socket, ...numbers(3))
    const whose: number[] = []
    while (whose.length < 6) whose.push((await turns(merged, sockets, 1))[0]![0])
    expect(whose).toEqual([0, 1, 2, 0, 1, 2])
  })

  test('a flooded socket does not starve a quiet one, wherever it stands', async () => {
    const { sockets, from } = several(mode, 3, { capacity: 1 })
    const merged = merge(sockets)
    const [first, quiet, last] = sockets as [UdpSocket, UdpSocket, UdpSocket]
    const whose: number[] = []
    from.send(last, 'flood')
    for await (const batch of merged) {
      const index = sockets.indexOf(batch.socket!)
      whose.push(index)
      from.send(first, 'flood', 'flood')
      from.send(last, 'flood', 'flood')
      if (whose.length === 50 || index === 1) from.send(quiet, 'here')
      if (whose.length === 200) break
    }
    const after = whose.slice(whose.indexOf(1))
    expect(whose.indexOf(1)).toBeLessThan(50 + 6)
    for (const index of [0, 1, 2]) {
      expect(after.filter((each) => each === index).length).toBeGreaterThanOrEqual(after.length / 3 - 2)
    }
  })

  test('loses nothing and keeps the order of each socket', async () => {
    const { sockets, from } = several(mode, 4, { capacity: 4 })
    const given = sockets.map((): string[] => [])
    const send = (first: number) => {
      for (const socket of sockets) from.send(socket, ...numbers(20, first))
    }
    send(0)
    let count = 0
    for await (const batch of merge(sockets)) {
      const before = count
      given[sockets.indexOf(batch.socket!)]!.push(...texts(batch))
      count += batch.length
      if (before < 80 && count >= 80) send(20)
      if (count === 160) break
      if (count % 3 === 0) await turn()
    }
    expect(given).toEqual(sockets.map(() => numbers(40)))
  })

  test('families and backends may be mixed', async () => {
    const rows = modes.filter(({ readiness }) => readiness === mode.readiness)
    const sockets = rows.map((row) => bind(row, { capacity: 2 }))
    const peers = rows.map((row) => peer(row))
    const merged = merge(sockets)
    const send = () => {
      for (const [index, socket] of sockets.entries()) peers[index]!.send(socket, String(index))
    }
    send()
    const expected = sockets.map((_, index) => [index, String(index)])
    expect(await turns(merged, sockets, sockets.length)).toEqual(expected)
    send()
    const batch = new PacketBatch({ capacity: 2 })
    const given = sockets.map(() => [merged.recv(batch, { timeout: 2000 }), ...told(sockets, batch)])
    expect(given).toEqual(expected.map((each) => [1, ...each]))
  })

  test('nothing is received while the body awaits, of any of them', async () => {
    const { sockets, from } = several(mode, 3)
    from.send(sockets[1]!, 'first')
    for await (const batch of merge(sockets)) {
      for (const socket of sockets) from.send(socket, 'later')
      await rounds(mode)
      expect(texts(batch)).toEqual(['first'])
      expect(sockets.map((socket) => socket.stats().datagrams)).toEqual([0, 1, 0])
      break
    }
    await rounds(mode)
    expect(sockets.map((socket) => take(socket, 1))).toEqual(sockets.map(() => ['later']))
  })

  test('the batch of a turn is as it was until the next', async () => {
    const { sockets, from } = several(mode, 2)
    from.send(sockets[0]!, 'kept')
    for await (const batch of merge(sockets)) {
      const { data } = batch.at(0)!
      from.send(sockets[0]!, 'more')
      from.send(sockets[1]!, 'more')
      await rounds(mode)
      expect(String(data)).toBe('kept')
      break
    }
  })

  test('pending next() resolve in order, one batch each', async () => {
    const { sockets, from } = several(mode, 2, { capacity: 1 })
    const batches = iterate(merge(sockets))
    const seen: unknown[] = []
    const pending = numbers(4).map((name) =>
      batches.next().then(({ value }) => seen.push([name, ...told(sockets, value!)])),
    )
    for (const socket of sockets) from.send(socket, 'a', 'b', 'c')
    await Promise.all(pending)
    expect(seen.map((each) => (each as string[])[0])).toEqual(numbers(4))
    await rounds(mode)
    expect(sockets.reduce((sum, socket) => sum + socket.stats().datagrams, 0)).toBe(4)
    expect(sockets.map((socket) => take(socket, 1))).toEqual([['c'], ['c']])
  })

  const ends: [string, (merged: AsyncIterable<PacketBatch>) => Promise<unknown>][] = [
    [
      'break',
      async (merged) => {
        for await (const _ of merged) break
      },
    ],
    [
      'return',
      async (merged) => {
        for await (const batch of merged) return batch
        return null
      },
    ],
    [
      'a throw',
      async (merged) => {
        const loop = async () => {
          for await (const _ of merged) throw new Error('body')
        }
        await expect(loop()).rejects.toThrow('body')
      },
    ],
  ]

  test.each(ends)('%s in the body lets go of all of them, and they stay open', async (_what, loop) => {
    const { sockets, from } = several(mode, 2, { capacity: 1 })
    const merged = merge(sockets)
    for (const socket of sockets) from.send(socket, ...numbers(2))
    await loop(merged)
    await rounds(mode)
    expect(sockets.map((socket) => socket.stats().datagrams)).toEqual([1, 0])
    // Each has a reader of its own now, of either kind.
    const [batch] = (await once(sockets[0]!, 'batch')) as [PacketBatch]
    expect(texts(batch)).toEqual(['1'])
    const { value } = await sockets[1]![Symbol.asyncIterator]().next()
    expect(texts(value!)).toEqual(['0'])
  })

  test('after its end next() and return() are done, as was the pending next()', async () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    const batches = iterate(merged)
    const pending = batches.next()
    expect(await batches.return!()).toEqual(DONE)
    expect(await Promise.all([pending, batches.next(), batches.return!()])).toEqual([DONE, DONE, DONE])
    expect(sockets.every(({ fd }) => fd > 0)).toBe(true)
    from.send(sockets[1]!, 'x')
    expect(await turns(merged, sockets, 1)).toEqual([[1, 'x']])
  })

  test('a socket that closes drops out, and the loop ends with the last', async () => {
    const { sockets, from } = several(mode, 3, { capacity: 1 })
    for (const socket of sockets) from.send(socket, ...numbers(3))
    const given: [number, ...string[]][] = []
    for await (const batch of merge(sockets)) {
      given.push(told(sockets, batch))
      if (given.length === 3) sockets[1]!.close()
      if (given.length === 6) sockets[0]!.close()
      if (given.length === 7) setImmediate(() => sockets[2]!.close())
    }
    expect(given).toEqual([
      [0, '0'],
      [1, '0'],
      [2, '0'],
      [0, '1'],
      [2, '1'],
      [0, '2'],
      [2, '2'],
    ])
  })

  test('closing all of them ends every pending next()', async () => {
    const { sockets } = several(mode, 2)
    const batches = iterate(merge(sockets))
    const pending = [batches.next(), batches.next()]
    for (const socket of sockets) setImmediate(() => socket.close())
    expect(await Promise.all(pending)).toEqual([DONE, DONE])
    expect(await batches.next()).toEqual(DONE)
  })

  test('a loop over sockets that have closed since ends at once', async () => {
    const { sockets } = several(mode, 2)
    const merged = merge(sockets)
    for (const socket of sockets) socket.close()
    expect(await iterate(merged).next()).toEqual(DONE)
  })

  test('another reader of one of them is refused, and the loop goes on', async () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    const pending = iterate(merged).next()
    expect(() => sockets[1]!.on('batch', () => {})).toThrow(INVALID_STATE)
    await expect(sockets[0]![Symbol.asyncIterator]().next()).rejects.toEqual(INVALID_STATE)
    await expect(iterate(merged).next()).rejects.toEqual(INVALID_STATE)
    await expect(iterate(merge([sockets[1]!])).next()).rejects.toEqual(INVALID_STATE)
    from.send(sockets[1]!, 'x')
    expect(told(sockets, (await pending).value!)).toEqual([1, 'x'])
  })

  test('beside a reader of one of them it is refused, and has begun with none', async () => {
    const { sockets, from } = several(mode, 3)
    const merged = merge(sockets)
    const batches = iterate(merged)
    const reading = sockets[1]![Symbol.asyncIterator]()
    const pending = reading.next()
    await expect(batches.next()).rejects.toEqual(INVALID_STATE)
    for (const index of [0, 2]) {
      const event = once(sockets[index]!, 'batch')
      from.send(sockets[index]!, 'free')
      expect(texts((await event)[0])).toEqual(['free'])
    }
    from.send(sockets[1]!, 'x')
    expect(texts((await pending).value!)).toEqual(['x'])
    // It begins when the other is gone.
    await reading.return!()
    from.send(sockets[2]!, 'y')
    expect(told(sockets, (await batches.next()).value!)).toEqual([2, 'y'])
  })

  test('pause() of one socket holds that one until resume()', async () => {
    const { sockets, from } = several(mode, 2, { capacity: 1 })
    sockets[0]!.pause()
    for (const socket of sockets) from.send(socket, ...numbers(3))
    const whose: number[] = []
    for await (const batch of merge(sockets)) {
      whose.push(sockets.indexOf(batch.socket!))
      if (whose.length === 2) sockets[0]!.resume()
      if (whose.length === 3) sockets[1]!.pause()
      if (whose.length === 4) break
      await turn()
    }
    expect(whose.slice(0, 2)).toEqual([1, 1])
    expect(whose.slice(3)).toEqual([0])
  })

  test('with all of them paused nothing comes', async () => {
    const { sockets, from } = several(mode, 2)
    let settled = false
    const pending = iterate(merge(sockets)).next()
    void pending.then(() => {
      settled = true
    })
    for (const socket of sockets) from.send(socket.pause(), 'x')
    await rounds(mode)
    expect(settled).toBe(false)
    sockets[1]!.resume()
    expect(told(sockets, (await pending).value!)).toEqual([1, 'x'])
  })

  test('a passing error of one socket is told by it, and the loop goes on', async () => {
    const { sockets, from } = several(mode, 2)
    const refused = bind(mode)
    const { port } = refused.address()
    await closed(refused)
    const errors: string[] = []
    sockets[0]!.on('error', ({ message }) => errors.push(message))
    const pending = iterate(merge(sockets)).next()
    sockets[0]!.connect(port, mode.loopback)
    sockets[0]!.send('x')
    await until(() => errors.length === 1)
    expect(errors).toEqual(['recvmmsg ECONNREFUSED'])
    from.send(sockets[1]!, 'on')
    expect(told(sockets, (await pending).value!)).toEqual([1, 'on'])
  })

  test('a final error of one socket rejects, and lets go of the others', async () => {
    const { sockets, from } = several(mode, 3)
    const [first, broken] = sockets as [UdpSocket, UdpSocket]
    broken.connect(from.port, mode.loopback) // shutdown(2) wants it
    const batches = iterate(merge(sockets))
    const pending = [batches.next(), batches.next()]
    const rejected = expect(pending[0]).rejects.toMatchObject({ code: 'ESHUTDOWN', syscall: 'recvmmsg' })
    testkit.shutdownRead(broken.fd)
    await rejected
    expect(await pending[1]).toEqual(DONE)
    expect(await batches.next()).toEqual(DONE)
    expect(broken.fd).toBe(-1)
    const event = once(first, 'batch')
    from.send(first, 'free')
    expect(texts((await event)[0])).toEqual(['free'])
  })

  test('a descriptor that was closed by somebody else rejects', async () => {
    const { sockets, from } = several(mode, 2)
    const batches = iterate(merge(sockets))
    from.send(sockets[0]!, 'x')
    await batches.next()
    testkit.closeFd(sockets[1]!.fd)
    from.send(sockets[0]!, 'wakes')
    const results = await Promise.allSettled([batches.next(), batches.next(), batches.next()])
    const rejected = results.filter(({ status }) => status === 'rejected')
    expect(rejected).toMatchObject([{ reason: { code: 'EBADF' } }])
    await expect(sockets[0]!.readable({ signal: AbortSignal.timeout(1) })).rejects.toThrow()
  })

  test('an error with nobody waiting is told to the next who asks', async () => {
    const { sockets, from } = several(mode, 2)
    const batches = iterate(merge(sockets))
    from.send(sockets[0]!, 'x')
    await batches.next()
    testkit.closeFd(sockets[1]!.fd)
    sockets[1]!.pause().resume()
    await expect(batches.next()).rejects.toMatchObject({ code: 'EBADF' })
    expect(await batches.next()).toEqual(DONE)
  })

  test('strict mode: a batch ends with the next turn, whoever gives that', async () => {
    const { sockets, from } = several(mode, 2, { strict: true })
    for (const socket of sockets) from.send(socket, 'x')
    const batches = iterate(merge(sockets))
    const first = (await batches.next()).value!
    await rounds(mode)
    expect(told(sockets, first)).toEqual([0, 'x'])
    const second = (await batches.next()).value!
    expect(thrown(() => first.length)).toMatchObject({ code: 'ERR_BATCH_STALE' })
    expect(told(sockets, second)).toEqual([1, 'x'])
    from.send(sockets[0]!, 'y')
    expect(told(sockets, (await batches.next()).value!)).toEqual([0, 'y'])
    expect(thrown(() => second.length)).toMatchObject({ code: 'ERR_BATCH_STALE' })
  })

  test("without it each socket's batch is its own", async () => {
    const { sockets, from } = several(mode, 2, { strict: false })
    for (const socket of sockets) from.send(socket, 'x', 'y')
    const batches = iterate(merge(sockets))
    const first = (await batches.next()).value!
    const second = (await batches.next()).value!
    expect(told(sockets, second)[0]).toBe(1)
    expect(told(sockets, first)[0]).toBe(0)
  })

  test('a readable() of a socket is told, whichever socket woke the loop', async () => {
    const { sockets, from } = several(mode, 2, { capacity: 1 })
    const [waking, other] = sockets as [UdpSocket, UdpSocket]
    const readable = other.readable()
    from.send(waking, 'x')
    const given = await turns(merge(sockets), sockets, 2, () => from.send(other, 'y'))
    expect(given).toEqual([
      [0, 'x'],
      [1, 'y'],
    ])
    expect(await Promise.race([readable, rounds(mode).then(() => 'never')])).toBe(true)
  })

  test('signal ends a loop with an AbortError, and the sockets stay open', async () => {
    const { sockets, from } = several(mode, 2)
    const controller = new AbortController()
    const { signal } = controller
    const merged = merge(sockets, { signal })
    const batches = iterate(merged)
    from.send(sockets[0]!, 'x')
    await batches.next()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    const pending = batches.next()
    setImmediate(() => controller.abort('why'))
    await expect(pending).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'why' })
    expect(await batches.next()).toEqual(DONE)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    await expect(iterate(merged).next()).rejects.toMatchObject({ code: 'ABORT_ERR' })
    from.send(sockets[1]!, 'y')
    expect(await turns(merge(sockets), sockets, 1)).toEqual([[1, 'y']])
  })

  test.each<[string, (batches: Batches, sockets: UdpSocket[]) => unknown]>([
    ['return()', (batches) => batches.return!()],
    ['the close of all', (_batches, sockets) => sockets.forEach((socket) => void socket.close())],
  ])('%s lets go of the signal', async (_what, end) => {
    const { sockets } = several(mode, 2)
    const { signal } = new AbortController()
    const batches = iterate(merge(sockets, { signal }))
    const pending = batches.next()
    await end(batches, sockets)
    expect(await pending).toEqual(DONE)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('Symbol.asyncDispose ends it', async () => {
    const { sockets, from } = several(mode, 2)
    const batches = iterate(merge(sockets)) as Batches & AsyncDisposable
    const pending = batches.next()
    await batches[Symbol.asyncDispose]()
    expect(await pending).toEqual(DONE)
    const event = once(sockets[1]!, 'batch')
    from.send(sockets[1]!, 'x')
    expect(texts((await event)[0])).toEqual(['x'])
  })
})

describeModes((mode) => {
  const batch = new PacketBatch({ capacity: 1 })

  test('recv takes one batch of each that has something, in turn', () => {
    const { sockets, from } = several(mode, 3)
    const merged = merge(sockets)
    for (const index of [0, 2]) from.send(sockets[index]!, ...numbers(3))
    for (const socket of [sockets[0]!, sockets[2]!]) socket.recv(batch, { flags: 2, timeout: 2000 }) // MSG_PEEK
    const given: unknown[] = []
    while (merged.recv(batch) > 0) given.push(told(sockets, batch))
    expect(given).toEqual([
      [0, '0'],
      [2, '0'],
      [0, '1'],
      [2, '1'],
      [0, '2'],
      [2, '2'],
    ])
    expect(batch.length).toBe(0)
  })

  test('a flooded socket does not starve a quiet one in recv', () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    const whose: number[] = []
    while (whose.length < 40) {
      from.send(sockets[0]!, 'flood', 'flood')
      if (whose.length >= 20) from.send(sockets[1]!, 'here')
      expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
      whose.push(sockets.indexOf(batch.socket!))
    }
    expect(whose.slice(20).filter((index) => index === 1).length).toBeGreaterThanOrEqual(9)
  })

  test('recv returns 0 where nothing came, at once or when the time is up, and empties the batch', () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    from.send(sockets[1]!, 'x')
    expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
    expect(merged.recv(batch)).toBe(0)
    expect(batch.length).toBe(0)
    const begun = performance.now()
    expect(merged.recv(batch, { timeout: 120.5 })).toBe(0)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(120)
    expect(merged.recv(batch, { timeout: 60_000, flags: 0x40 })).toBe(0) // MSG_DONTWAIT
  })

  test('recv is legal beside readers, and takes what is next', async () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    const pending = iterate(merged).next()
    from.send(sockets[1]!, 'x')
    expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
    expect(told(sockets, batch)).toEqual([1, 'x'])
    await rounds(mode)
    from.send(sockets[0]!, 'y')
    expect(told(sockets, (await pending).value!)).toEqual([0, 'y'])
  })

  test('recv takes from a paused socket, too', () => {
    const { sockets, from } = several(mode, 2)
    from.send(sockets[0]!.pause(), 'x')
    expect(merge(sockets).recv(batch, { timeout: 2000 })).toBe(1)
    expect(told(sockets, batch)).toEqual([0, 'x'])
  })

  test('recv passes over what is closed, and throws when all are', () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    for (const socket of sockets) from.send(socket, 'x', 'y')
    expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
    sockets[batch.socket === sockets[0] ? 1 : 0]!.close()
    const [open] = sockets.filter(({ fd }) => fd > 0)
    expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
    expect([batch.socket, ...texts(batch)]).toEqual([open, 'y'])
    open!.close()
    expect(thrown(() => merged.recv(batch))).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
  })

  test("recv throws a socket's error once, tells whose it is, and goes on", async () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    const refused = bind(mode)
    const { port } = refused.address()
    await closed(refused)
    sockets[1]!.connect(port, mode.loopback)
    await refuse(sockets[1]!)
    expect(thrown(() => merged.recv(batch, { timeout: 2000 }))).toMatchObject({
      code: 'ECONNREFUSED',
      syscall: 'recvmmsg',
    })
    expect(batch.socket).toBe(sockets[1])
    expect(sockets[1]!.stats().errors).toEqual({ ECONNREFUSED: 1 })
    from.send(sockets[0]!, 'on')
    expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
    expect(told(sockets, batch)).toEqual([0, 'on'])
  })

  test('recv does not wait for a socket that was shut down for reading: it throws', () => {
    const { sockets, from } = several(mode, 2)
    const merged = merge(sockets)
    sockets[0]!.connect(from.port, mode.loopback) // shutdown(2) wants it
    testkit.shutdownRead(sockets[0]!.fd)
    expect(merged.recv(batch)).toBe(0)
    expect(thrown(() => merged.recv(batch, { timeout: 60_000 }))).toMatchObject({ code: 'ESHUTDOWN' })
    expect(batch.socket).toBe(sockets[0])
    from.send(sockets[1]!, 'x')
    const results = [0, 1].map(() => {
      try {
        return merged.recv(batch, { timeout: 60_000 })
      } catch (error) {
        return (error as { code: string }).code
      }
    })
    expect(results.sort()).toEqual([1, 'ESHUTDOWN'])
  })

  test('recv throws where a descriptor was closed by somebody else', () => {
    const { sockets } = several(mode, 2)
    const merged = merge(sockets)
    testkit.closeFd(sockets[1]!.fd)
    expect(thrown(() => merged.recv(batch, { timeout: 60_000 }))).toMatchObject({ code: 'EBADF' })
    expect(batch.socket).toBe(sockets[1])
  })

  test('recv refuses a batch that one of the sockets cannot receive into, before it waits', () => {
    const small = new PacketBatch({ capacity: 1, packetSize: 2048 })
    const plain = bind(mode, { gro: false })
    const coalescing = bind(mode)
    const refuses = testkit.getsockoptInt(coalescing.fd, 17, 104) === 1 // UDP_GRO, where it is on
    const merged = merge([plain, coalescing])
    const call = () => merged.recv(small, { timeout: refuses ? 300 : 0 })
    if (refuses) expect(thrown(call)).toMatchObject({ code: 'ERR_BATCH_SLOT_TOO_SMALL' })
    else expect(call()).toBe(0)
    const gone = new PacketBatch({ capacity: 1 })
    structuredClone(gone.bytes.buffer, { transfer: [gone.bytes.buffer as ArrayBuffer] })
    expect(thrown(() => merged.recv(gone, { timeout: 60_000 }))).toMatchObject({ code: 'ERR_BATCH_DETACHED' })
  })

  test('strict mode: recv ends what the batch showed before', () => {
    const { sockets, from } = several(mode, 2, { strict: true })
    const merged = merge(sockets)
    const receive = (index: number, text: string) => {
      from.send(sockets[index]!, text)
      expect(merged.recv(batch, { timeout: 2000 })).toBe(1)
      expect(told(sockets, batch)).toEqual([index, text])
    }
    receive(0, 'first')
    const packet = batch.at(0)!
    receive(1, 'later')
    expect(thrown(() => packet.data)).toMatchObject({ code: 'ERR_BATCH_STALE' })
    const last = batch.at(0)!
    expect(merged.recv(batch, { timeout: 60 })).toBe(0)
    expect(thrown(() => last.data)).toMatchObject({ code: 'ERR_BATCH_STALE' })
  })
})

describeModes((mode) => {
  test('a loop that waits takes no turns of the event loop, nor does a body that awaits', async () => {
    const { sockets, from } = several(mode, 3)
    const batches = iterate(merge(sockets))
    const pending = batches.next()
    expect(await idleTurns()).toBeLessThan(IDLE)
    for (const socket of sockets) from.send(socket, 'x')
    await pending
    expect(await idleTurns()).toBeLessThan(IDLE)
  })

  test('timers have their turn under flood', async () => {
    const { sockets, from } = several(mode, 2, { capacity: 1 })
    let fired = false
    setTimeout(() => {
      fired = true
    }, 5)
    let batches = 0
    for (const socket of sockets) from.send(socket, 'again')
    for await (const { socket } of merge(sockets)) {
      from.send(socket!, 'again', 'again')
      if (++batches === 20_000 || fired) break
      if (batches % 10 === 0) busy(0.1)
    }
    expect(fired).toBe(true)
  })

  const child = (scenario: string) => runChild('merged', mode, [scenario])

  test.each([
    ['unstarted', ['ended']],
    ['received', ['ended']],
    ['reading', ['alive']],
    ['unref', ['ended']],
    ['oneUnref', ['alive']],
    ['ref', ['alive']],
    ['closed', ['over', 'ended']],
    ['aborted', ['ended']],
  ])('a process with a merge that is %s: %j', async (scenario, lines) => {
    expect(expectWell(await child(scenario))).toEqual(lines)
  })

  test('a worker waits for any of its sockets, and terminate() ends it', async () => {
    const env = { ...process.env, CHILD_BACKEND: mode.backend, CHILD_ADDRESS: mode.loopback }
    const worker = new Worker(join(__dirname, 'children', 'merged-waits.js'), { env })
    const [ports] = (await once(worker, 'message')) as [number[]]
    const { socket } = pair(mode)
    for (const index of [1, 0, 0, 1]) {
      socket.send(`to ${index}`, ports[index]!, mode.loopback)
      expect(await once(worker, 'message')).toEqual([[index, `to ${index}`]])
    }
    await delay(100) // nothing outside of it tells that it sits in the call by now
    const begun = performance.now()
    expect(await worker.terminate()).toBe(1)
    expect(performance.now() - begun).toBeLessThan(1000)
  })

  test('process.exit() does not wait for a worker that waits a minute', async () => {
    const ended = await runChild('merged-exits', mode)
    expect(ended).toMatchObject({ code: 7, signal: null, stderr: '', lines: ['exiting'] })
    expect(ended.lingered).toBeLessThan(1000)
  })
}, ipv4Modes)

describe('arguments', () => {
  const socket = () => track(UdpSocket.bind({ address: '127.0.0.1' }))
  const code = (call: () => unknown) => thrown(call).code

  test.each([undefined, null, 1, {}, 'sockets', () => {}])('%p is no list of sockets', (value) => {
    expect(code(() => merge(value as never))).toBe('ERR_INVALID_ARG_TYPE')
  })

  test.each([undefined, null, 1, {}, 'socket', new PacketBatch({ capacity: 1 })])(
    '%p is no socket',
    (value) => {
      const open = socket()
      expect(thrown(() => merge([open, value as never]))).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringContaining('"sockets[1]"'),
      })
      open.close()
    },
  )

  test('nor is a socket a list', () => {
    const open = socket()
    expect(code(() => merge(open as never))).toBe('ERR_INVALID_ARG_TYPE')
    open.close()
  })

  test('an empty list, the same socket twice, a closed socket', () => {
    const open = socket()
    const other = socket().close()
    expect(thrown(() => merge([]))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining("'sockets' must hold at least one"),
    })
    expect(thrown(() => merge([open, open]))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining("'sockets[1]' is in the list already"),
    })
    expect(code(() => merge([open, other]))).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING')
    open.close()
  })

  test('options', () => {
    const open = socket()
    expect(code(() => merge([open], null as never))).toBe('ERR_INVALID_ARG_TYPE')
    expect(code(() => merge([open], { signal: {} as never }))).toBe('ERR_INVALID_ARG_TYPE')
    expect(thrown(() => merge([open], { sginal: 1 } as never)).message).toContain("did you mean 'signal'?")
    expect(code(() => merge([open], { signal: AbortSignal.abort() }))).toBe('ABORT_ERR')
    const merged = merge([open])
    expect(code(() => merged.recv({} as never))).toBe('ERR_INVALID_ARG_TYPE')
    expect(code(() => merged.recv(new PacketBatch({ capacity: 1 }), { timeout: -1 }))).toBe(
      'ERR_OUT_OF_RANGE',
    )
    const Merged = merged.constructor as new () => unknown
    expect(code(() => new Merged())).toBe('ERR_ILLEGAL_CONSTRUCTOR')
    open.close()
  })

  test('a merge of one socket is that socket', async () => {
    const open = socket()
    open.send('x', open.address())
    for await (const batch of merge([open])) {
      expect([batch.socket, ...texts(batch)]).toEqual([open, 'x'])
      break
    }
    open.close()
  })
})
