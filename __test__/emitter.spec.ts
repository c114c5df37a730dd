// Listeners of 'batch' start and stop reading, by whichever method they come and go.

import { EventEmitter } from 'node:events'
import { PacketBatch, type UdpSocket } from '../index'
import { bind, closeAll, type Row } from './support/matrix'
import { collect, describeRows, waitFor } from './support/net'

type Listener = (batch: PacketBatch) => void
type Adds = 'on' | 'addListener' | 'prependListener'
type AddsOnce = 'once' | 'prependOnceListener'

afterEach(closeAll)

function setUp(row: Row) {
  const socket = bind(row)
  const sender = bind(row)
  const heard: string[] = []
  const listener: Listener = (batch) => heard.push(...Array.from(batch, ({ data }) => data.toString()))
  const send = (payload: string) => sender.send(payload, socket.address())
  const hears = async (payload: string) => {
    send(payload)
    await waitFor(payload, () => heard.includes(payload))
  }
  /** Nobody reads: it is there, also after the event loop has told of it, and recv gets it. */
  const leaves = async (payload: string) => {
    send(payload)
    expect(await socket.readable()).toBe(true)
    await new Promise((resolve) => setImmediate(resolve))
    expect(collect(socket, new PacketBatch(), 1)[0]?.data.toString()).toBe(payload)
  }
  return { socket, heard, listener, send, hears, leaves }
}

describeRows('reading', (row) => {
  test.each<Adds>(['on', 'addListener', 'prependListener'])('starts with %s, and goes on', async (add) => {
    const { socket, listener, hears, leaves, heard } = setUp(row)
    await leaves('before')
    expect(socket[add]('batch', listener)).toBe(socket)
    await hears('one')
    await hears('two')
    expect(heard).toEqual(['one', 'two'])
  })

  test.each<AddsOnce>(['once', 'prependOnceListener'])(
    'starts with %s, and stops after one batch',
    async (add) => {
      const { socket, listener, hears, leaves, heard } = setUp(row)
      for (const payload of ['one', 'two']) {
        expect(socket[add]('batch', listener)).toBe(socket)
        await hears(payload)
        await leaves(`after ${payload}`)
      }
      expect(heard).toEqual(['one', 'two'])
    },
  )

  const removals: [string, (socket: UdpSocket, listener: Listener) => UdpSocket][] = [
    ['off', (socket, listener) => socket.off('batch', listener)],
    ['removeListener', (socket, listener) => socket.removeListener('batch', listener)],
    ["removeAllListeners('batch')", (socket) => socket.removeAllListeners('batch')],
    ['removeAllListeners()', (socket) => socket.removeAllListeners()],
  ]

  test.each(removals)('stops with %s, and starts again', async (_how, remove) => {
    const { socket, listener, hears, leaves, heard } = setUp(row)
    for (const payload of ['one', 'two']) {
      socket.on('batch', listener)
      await hears(payload)
      expect(remove(socket, listener)).toBe(socket)
      await leaves(`after ${payload}`)
    }
    expect(heard).toEqual(['one', 'two'])
    expect(socket.listenerCount('batch')).toBe(0)
  })

  test('goes on as long as one of several listens', async () => {
    const { socket, listener, hears, leaves } = setUp(row)
    const others: Listener[] = [() => {}, () => {}]
    for (const other of others) socket.on('batch', other)
    socket.on('batch', listener)
    for (const other of others) socket.off('batch', other)
    await hears('one')
    socket.removeListener('batch', () => {})
    await hears('two')
    socket.off('batch', listener)
    await leaves('three')
  })

  test('does not start or stop with listeners of other events', async () => {
    const { socket, listener, hears, leaves } = setUp(row)
    socket.on('error', () => {}).on('close', () => {})
    await leaves('zero')
    socket.on('batch', listener)
    socket.removeAllListeners('close')
    await hears('one')
  })

  test('stops when a listener removes itself, with what is queued left where it is', async () => {
    const { socket, send } = setUp(row)
    const batches: number[] = []
    const listener = (batch: PacketBatch) => {
      batches.push(batch.length)
      socket.off('batch', listener)
      send('behind')
    }
    socket.on('batch', listener)
    send('first')
    await waitFor('the batch', () => batches.length > 0)
    expect(await socket.readable()).toBe(true)
    expect(collect(socket, new PacketBatch(), 1)[0]?.data.toString()).toBe('behind')
    expect(batches).toEqual([1])
  })

  test('is told to several listeners in their order, with the same batch', async () => {
    const { socket, send } = setUp(row)
    const told: [string, PacketBatch][] = []
    socket.on('batch', (batch) => told.push(['second', batch]))
    socket.prependListener('batch', (batch) => told.push(['first', batch]))
    send('x')
    await waitFor('both', () => told.length === 2)
    expect(told.map(([name]) => name)).toEqual(['first', 'second'])
    expect(told[0]?.[1]).toBe(told[1]?.[1])
    expect(told[0]?.[1].socket).toBe(socket)
  })
})

test('a socket is an EventEmitter in all else', () => {
  const socket = bind({ backend: 'portable', family: 'udp4', loopback: '127.0.0.1' })
  expect(socket).toBeInstanceOf(EventEmitter)
  const listener = () => {}
  socket.once('close', listener).on('batch', listener).on('batch', listener)
  expect(socket.listeners('batch')).toEqual([listener, listener])
  expect(socket.rawListeners('close')[0]).not.toBe(listener)
  expect(socket.eventNames()).toEqual(['close', 'batch'])
  socket.off('batch', listener)
  expect(socket.listenerCount('batch')).toBe(1)
  expect(() => socket.on('batch', 'no function' as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  )
  expect(socket.listenerCount('batch')).toBe(1)
})
