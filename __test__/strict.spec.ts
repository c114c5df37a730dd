// Strict mode: what is silently wrong without it fails with it.

import { on, once } from 'node:events'
import { type Packet, PacketBatch } from '../index'
import { describeModes, numbers, pair, take, texts, until } from './support/loop'

const STALE = expect.objectContaining({ code: 'ERR_BATCH_STALE' })

describeModes((mode) => {
  /** Receives 'first' and then 'later'; what `use` makes of the first batch once the second is there. */
  async function afterTheNext<Kept>(
    strict: boolean,
    keep: (batch: PacketBatch) => Kept,
    use: (kept: Kept) => unknown,
  ): Promise<unknown> {
    const { socket, from } = pair(mode, { strict })
    const used: unknown[] = []
    let batches = 0
    let next: () => void
    const second = new Promise<void>((resolve) => {
      next = resolve
    })
    const listener = async (batch: PacketBatch) => {
      if (++batches === 2) return next()
      const kept = keep(batch)
      await second
      try {
        used.push(use(kept))
      } catch (error) {
        used.push(error)
      }
    }
    socket.on('batch', listener)
    from.send(socket, 'first')
    await until(() => batches === 1)
    from.send(socket, 'later')
    await until(() => used.length === 1)
    return used[0]
  }

  const held: [string, (batch: PacketBatch) => unknown, (kept: never) => unknown, unknown][] = [
    ['its batch', (batch) => batch, (batch: PacketBatch) => texts(batch), ['later']],
    ['the length of it', (batch) => batch, (batch: PacketBatch) => batch.length, 1],
    ['a packet', (batch) => batch.at(0), (packet: Packet) => packet.data.toString(), 'later'],
    ['the sender of a packet', (batch) => batch.at(0), (packet: Packet) => packet.size, 5],
  ]

  test.each(held)('an async listener that uses %s too late', async (_what, keep, use, wrong) => {
    expect(await afterTheNext(false, keep, use as (kept: unknown) => unknown)).toEqual(wrong)
    expect(await afterTheNext(true, keep, use as (kept: unknown) => unknown)).toEqual(STALE)
  })

  test('an async listener that uses a view too late', async () => {
    const keep = (batch: PacketBatch) => batch.at(0)!.data
    expect(String(await afterTheNext(false, keep, (data) => data))).toBe('later')
    expect(await afterTheNext(true, keep, (data) => data.length)).toBe(0)
  })

  test.each([
    [false, ['1', '1']],
    [true, ['ERR_BATCH_STALE', '1']],
  ])('void handle(packet) in a loop, strict: %s', async (strict, expected) => {
    const { socket, from } = pair(mode, { strict, capacity: 1 })
    const handled: string[] = []
    let release: () => void
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const handle = async (packet: Packet) => {
      await gate
      try {
        handled.push(packet.data.toString())
      } catch (error) {
        handled.push((error as { code: string }).code)
      }
    }
    from.send(socket, ...numbers(2))
    let batches = 0
    for await (const batch of socket) {
      for (const packet of batch) void handle(packet)
      if (++batches === 2) break
    }
    release!()
    await until(() => handled.length === 2)
    expect(handled).toEqual(expected)
  })

  test.each([
    [false, [['1'], ['1']]],
    [true, ['ERR_BATCH_STALE', ['1']]],
  ])('events.on queues batches, strict: %s', async (strict, expected) => {
    const { socket, from } = pair(mode, { strict })
    const events = on(socket, 'batch')
    for (const [index, number] of numbers(2).entries()) {
      from.send(socket, number)
      await until(() => socket.stats().batches === index + 1)
    }
    const seen: unknown[] = []
    for await (const [batch] of events) {
      try {
        seen.push(texts(batch))
      } catch (error) {
        seen.push((error as { code: string }).code)
      }
      if (seen.length === 2) break
    }
    expect(seen).toEqual(expected)
  })

  test('what is used in time is right, and is a new batch each time', async () => {
    const { socket, from } = pair(mode, { strict: true, capacity: 4 })
    const given: string[] = []
    const batches = new Set<PacketBatch>()
    from.send(socket, ...numbers(20))
    for await (const batch of socket) {
      batches.add(batch)
      given.push(...texts(batch))
      await new Promise((resolve) => setImmediate(resolve))
      expect(texts(batch)).toEqual(given.slice(-batch.length))
      if (given.length === 20) break
    }
    expect(given).toEqual(numbers(20))
    expect(batches.size).toBeGreaterThanOrEqual(5)
  })

  test('the last batch stays readable after close()', async () => {
    const { socket, from } = pair(mode, { strict: true })
    from.send(socket, 'last')
    const [batch] = (await once(socket, 'batch')) as [PacketBatch]
    socket.close()
    await once(socket, 'close')
    expect(texts(batch)).toEqual(['last'])
  })

  test('recv ends what the batch showed before, and the batch goes on', async () => {
    const { socket, from } = pair(mode, { strict: true })
    const batch = new PacketBatch({ capacity: 2 })
    const receive = (text: string) => {
      from.send(socket, text)
      expect(socket.recv(batch, { timeout: 2000 })).toBe(1)
    }
    receive('first')
    const packet = batch.at(0)!
    const { data } = packet
    receive('later')
    expect(() => packet.data).toThrow(STALE)
    expect(data).toHaveLength(0)
    expect(texts(batch)).toEqual(['later'])
    expect(take(socket, 0)).toEqual([])
  })

  test('RECVMMSG_STRICT=1 is the same as strict: true, unless strict: false', async () => {
    const { RECVMMSG_STRICT: outer } = process.env
    process.env.RECVMMSG_STRICT = '1'
    try {
      for (const options of [{}, { strict: true }]) {
        const { socket, from } = pair(mode, options)
        from.send(socket, 'x')
        const [first] = (await once(socket, 'batch')) as [PacketBatch]
        from.send(socket, 'y')
        await once(socket, 'batch')
        expect(() => first.length).toThrow(STALE)
      }
      const { socket, from } = pair(mode, { strict: false })
      from.send(socket, 'x')
      const [first] = await once(socket, 'batch')
      from.send(socket, 'y')
      expect((await once(socket, 'batch'))[0]).toBe(first)
    } finally {
      if (outer === undefined) delete process.env.RECVMMSG_STRICT
      else process.env.RECVMMSG_STRICT = outer
    }
  })
})
