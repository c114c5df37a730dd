// close(), in all its ways, and what is left after it.

import { getEventListeners, once } from 'node:events'
import { type PacketBatch, UdpSocket } from '../index'
import { describeModes, numbers, pair, rounds, take, texts, until } from './support/loop'
import { bind } from './support/matrix'

const NOT_RUNNING = expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })

describeModes((mode) => {
  /** The events of a socket as they come. */
  function record(socket: UdpSocket): string[] {
    const events: string[] = []
    socket.on('close', (...args) => events.push('close', ...args))
    socket.on('error', (error) => events.push(error.message))
    socket.on('batch', (batch) => events.push(...texts(batch)))
    return events
  }

  test("close() may be repeated; 'close' comes once, on the next tick, and last", async () => {
    const { socket, from } = pair(mode)
    const events = record(socket)
    from.send(socket, 'x')
    await until(() => events.length === 1)
    from.send(socket, 'lost')
    expect(socket.close()).toBe(socket)
    expect(socket.close()).toBe(socket)
    expect(events).toEqual(['x'])
    await rounds(mode)
    expect(events).toEqual(['x', 'close'])
    socket.close()
    await rounds(mode)
    expect(events).toEqual(['x', 'close'])
  })

  test("'close' has its place among the ticks", async () => {
    const { socket } = pair(mode)
    const order = record(socket)
    setImmediate(() => {
      queueMicrotask(() => order.push('job'))
      process.nextTick(() => order.push('tick before'))
      socket.close()
      process.nextTick(() => order.push('tick after'))
    })
    await until(() => order.length === 4)
    expect(order).toEqual(['tick before', 'close', 'tick after', 'job'])
  })

  test("close() in a 'close' listener and in a 'batch' listener is fine", async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const events = record(socket)
    socket.on('close', () => socket.close())
    socket.on('batch', () => socket.close().close())
    from.send(socket, 'x', 'y')
    await until(() => events.includes('close'))
    await rounds(mode)
    expect(events).toEqual(['x', 'close'])
  })

  test('a closed socket says so', async () => {
    const { socket } = pair(mode)
    socket.close()
    expect(socket.fd).toBe(-1)
    expect(() => take(socket, 1)).toThrow(NOT_RUNNING)
    expect(() => socket.send('x', 9)).toThrow(NOT_RUNNING)
    expect(() => socket.address()).toThrow(NOT_RUNNING)
    expect(() => socket.connect(9)).toThrow(NOT_RUNNING)
    // Legal, and without effect.
    socket
      .pause()
      .resume()
      .ref()
      .unref()
      .on('batch', () => {})
    expect(await socket.readable()).toBe(false)
  })

  test('its counts and its backend are told after close()', async () => {
    const { socket, from } = pair(mode)
    from.send(socket, 'four')
    await once(socket, 'batch')
    socket.close()
    expect(socket.stats()).toMatchObject({ datagrams: 1, bytes: 4, batches: 1, errors: {} })
    expect(socket.backend).toBe(mode.backend)
  })

  test('a batch in hand stays readable after close()', async () => {
    const { socket, from } = pair(mode)
    from.send(socket, 'kept')
    const [batch] = (await once(socket, 'batch')) as [PacketBatch]
    const packet = batch.at(0)!
    socket.close()
    await once(socket, 'close')
    expect(texts(batch)).toEqual(['kept'])
    expect(packet).toMatchObject({ size: 4, address: mode.loopback, port: from.port })
    expect(batch.socket).toBe(socket)
  })

  test('its port can be bound again right after close()', () => {
    const { socket } = pair(mode)
    socket.on('batch', () => {})
    const { port } = socket.address()
    for (let time = 0; time < 3; time++) {
      socket.close()
      const again = bind(mode, { port })
      expect(again.address().port).toBe(port)
      again.on('batch', () => {}).close()
    }
  })

  test('pause(), recv() until 0, close() loses nothing', async () => {
    const { socket, from } = pair(mode, { capacity: 1 })
    const given: string[] = []
    socket.on('batch', (batch) => {
      given.push(...texts(batch))
      if (given.length === 2) socket.pause()
    })
    from.send(socket, ...numbers(6))
    await until(() => given.length === 2)
    given.push(...take(socket, 4))
    socket.close()
    expect(given).toEqual(numbers(6))
  })

  test('signal is close()', async () => {
    const controller = new AbortController()
    const socket = bind(mode, { signal: controller.signal })
    const events = record(socket)
    const readable = socket.readable()
    controller.abort()
    expect(socket.fd).toBe(-1)
    expect(await readable).toBe(false)
    await until(() => events.length > 0)
    expect(events).toEqual(['close'])
  })

  test('signal ends a loop, without an error', async () => {
    const controller = new AbortController()
    const socket = bind(mode, { signal: controller.signal })
    setImmediate(() => controller.abort())
    for await (const _ of socket);
    expect(socket.fd).toBe(-1)
  })

  test('close() lets go of the signal', () => {
    const { signal } = new AbortController()
    const socket = bind(mode, { signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    socket.close()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('a signal that was aborted before: AbortError, and no socket', () => {
    const { socket } = pair(mode)
    const { port } = socket.address()
    socket.close()
    const signal = AbortSignal.abort('why')
    const aborted = expect.objectContaining({ name: 'AbortError', code: 'ABORT_ERR', cause: 'why' })
    expect(() => bind(mode, { signal, port })).toThrow(aborted)
    const { fd } = bind(mode, { port })
    expect(() => UdpSocket.fromFd(fd, { signal })).toThrow(aborted)
  })

  test('Symbol.dispose closes', async () => {
    const { socket } = pair(mode)
    const events = record(socket)
    expect(socket[Symbol.dispose]()).toBeUndefined()
    expect(socket.fd).toBe(-1)
    socket[Symbol.dispose]()
    await until(() => events.length > 0)
    expect(events).toEqual(['close'])
  })

  test.each([
    ['open', (_socket: UdpSocket) => {}],
    ['closed a moment ago', (socket: UdpSocket) => void socket.close()],
    ['being disposed of', (socket: UdpSocket) => void socket[Symbol.asyncDispose]()],
  ])("Symbol.asyncDispose of a socket that is %s resolves after 'close'", async (_state, before) => {
    const { socket } = pair(mode)
    const events = record(socket)
    // In a promise job, where a promise that is resolved already overtakes the next tick.
    await null
    before(socket)
    await socket[Symbol.asyncDispose]()
    expect(events).toEqual(['close'])
    await socket[Symbol.asyncDispose]()
    expect(events).toEqual(['close'])
  })
})
