// The socket's own batch: made late, made anew when its memory is gone, and handed to a worker.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { PacketBatch } from '../index'
import { describeModes, ipv4Modes, numbers, pair, rounds, take, texts, until } from './support/loop'
import { bind } from './support/matrix'

/** Takes a batch's memory away, as a transfer does. */
function detach(batch: PacketBatch): ArrayBuffer {
  const buffer = batch.bytes.buffer as ArrayBuffer
  return structuredClone(buffer, { transfer: [buffer] })
}

describeModes((mode) => {
  test('a socket without a reader has no batch', async () => {
    const { arrayBuffers: before } = process.memoryUsage()
    const sockets = numbers(20).map(() => bind(mode))
    for (const socket of sockets) expect(socket.recv(new PacketBatch({ capacity: 1 }))).toBe(0)
    // 20 batches of the default shape have 84 MB of slots.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8e6)
  })

  test('a listener may take the memory away: the next batch has new memory', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const given: string[] = []
    const memories = new Set<ArrayBuffer>()
    socket.on('batch', (batch) => {
      given.push(...texts(batch))
      const memory = detach(batch)
      expect(memory.byteLength).toBeGreaterThanOrEqual(65_536)
      expect(batch.bytes).toHaveLength(0)
      memories.add(memory)
    })
    socket.pause()
    from.send(socket, ...numbers(4))
    socket.resume()
    await until(() => given.length === 4)
    expect(given).toEqual(numbers(4))
    expect(memories.size).toBe(4)
  })

  test('so may the body of a loop', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const given: string[] = []
    from.send(socket, ...numbers(3))
    for await (const batch of socket) {
      given.push(...texts(batch))
      detach(batch)
      if (given.length === 3) break
    }
    expect(given).toEqual(numbers(3))
  })

  test('a batch that the user made is not made anew', async () => {
    const { socket, from } = pair(mode)
    const batch = new PacketBatch({ capacity: 1 })
    detach(batch)
    from.send(socket, 'x')
    expect(() => socket.recv(batch)).toThrow(expect.objectContaining({ code: 'ERR_BATCH_DETACHED' }))
    expect(take(socket, 1)).toEqual(['x'])
  })

  test('recv beside a listener takes what is next', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const given: string[] = []
    socket.on('batch', (batch) => given.push(...texts(batch)))
    from.send(socket, 'mine')
    expect(take(socket, 1)).toEqual(['mine'])
    await rounds(mode)
    from.send(socket, 'yours')
    await until(() => given.length === 1)
    expect(given).toEqual(['yours'])
  })

  test('a recv that takes what woke the loop leaves the batch in hand as it was', async () => {
    const { socket, from } = pair(mode)
    from.send(socket, 'kept')
    const [batch] = (await once(socket, 'batch')) as [PacketBatch]
    from.send(socket, 'taken')
    expect(take(socket, 1)).toEqual(['taken'])
    await rounds(mode)
    expect(texts(batch)).toEqual(['kept'])
  })
})

describeModes((mode) => {
  test("a batch's memory can be transferred to a worker", async () => {
    const { socket, from } = pair(mode, { capacity: 2 })
    const echo = `const { parentPort } = require('node:worker_threads')
        parentPort.once('message', ({ buffer, offset, size }) => {
          parentPort.postMessage(Buffer.from(buffer, offset, size).toString())
        })`
    const worker = new Worker(echo, { eval: true })
    from.send(socket, 'to the worker')
    const [batch] = (await once(socket, 'batch')) as [PacketBatch]
    const buffer = batch.bytes.buffer as ArrayBuffer
    worker.postMessage(
      { buffer, offset: batch.bytes.byteOffset + batch.offsetAt(0), size: batch.sizeAt(0) },
      [buffer],
    )
    expect(await once(worker, 'message')).toEqual(['to the worker'])
    from.send(socket, 'on goes')
    expect(texts((await once(socket, 'batch'))[0])).toEqual(['on goes'])
    await worker.terminate()
  })
}, ipv4Modes)
