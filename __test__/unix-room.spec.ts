// Room at a Unix socket's peers: a receiver whose queue is full keeps its senders waiting, and that costs nothing.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type * as Binding from '../binding'
import { PacketBatch, type UnixDatagramSocket } from '../index'
import { until } from './support/loop'
import { bind, closeAll, describeModes, removeAll } from './support/unix'

// As lib/ holds it; an import's namespace would be a copy of it.
const native: typeof Binding = require('../binding')

afterEach(closeAll)
afterAll(removeAll)

/** Sends until there is no room; how much there was. */
function fill(from: UnixDatagramSocket, path: string): number {
  let sent = 0
  while (from.send('x', path)) sent++
  return sent
}

/** Receives all that is there. */
function empty(socket: UnixDatagramSocket): number {
  const batch = new PacketBatch()
  let all = 0
  for (let count = socket.recv(batch); count > 0; count = socket.recv(batch)) all += count
  return all
}

/** A queue of many messages is longer than the send buffer has room for. */
const length =
  process.platform === 'linux' ? Number(readFileSync('/proc/sys/net/unix/max_dgram_qlen')) : Infinity
const few = length <= 16 ? test : test.skip
const tooLong = length <= 16 ? '' : ' [skipped: net.unix.max_dgram_qlen is more than 16]'
/** Sixteen of them are more than a quarter of the default send buffer, and fewer fill a small one. */
const LARGE = Buffer.alloc(6000)

describeModes('a receiver whose queue is full', (backend) => {
  test('has sends say so, and the drain follows when it has room', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    const sent = fill(client, server.path)
    expect(sent).toBeGreaterThan(0)
    const items = ['a', 'b', 'c'].map((data) => ({ data, path: server.path }))
    expect(client.sendBatch(items)).toEqual({ sent: 0, failed: 0, error: null, next: 0 })
    let drained = 0
    client.on('drain', () => drained++)
    // Nobody reads: nobody is woken.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    await delay(50)
    expect(drained).toBe(0)
    expect(empty(server)).toBe(sent)
    await until(() => drained === 1)
    // Once, whoever else asks.
    expect(await client.writable()).toBe(true)
    expect(drained).toBe(1)
    expect(client.sendBatch(items).sent).toBe(3)
    expect(empty(server)).toBe(3)
  })

  test('costs no wake while it is stopped, for sendAll and writable, however long', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    const room = fill(client, server.path)
    const tries = jest.spyOn(native, 'socketSendMany')
    const wakes = jest.spyOn(native, 'socketUnwatch')
    try {
      const items = Array.from({ length: 3 * room }, () => ({ data: 'x', path: server.path }))
      const all = client.sendAll(items)
      const writable = client.writable()
      await delay(300)
      expect(tries.mock.calls.length).toBe(1)
      expect(wakes).not.toHaveBeenCalled()
      let taken = 0
      while (taken < 4 * room) {
        taken += empty(server)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(await all).toMatchObject({ sent: 3 * room, failed: 0 })
      expect(await writable).toBe(true)
      // A wake is room: there was one for each time that the queue was emptied, not more.
      expect(wakes.mock.calls.length).toBeLessThanOrEqual(3 * room)
    } finally {
      tries.mockRestore()
      wakes.mockRestore()
    }
  })

  test('costs no wake either where only sends of many have met it', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    const wakes = jest.spyOn(native, 'socketUnwatch')
    try {
      const all = client.sendAll(Array.from({ length: 1000 }, () => ({ data: 'x', path: server.path })))
      await delay(50)
      expect(wakes).not.toHaveBeenCalled()
      for (let taken = 0; taken < 1000; taken += empty(server)) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(await all).toMatchObject({ sent: 1000, failed: 0 })
    } finally {
      wakes.mockRestore()
    }
  })

  test('does not keep those from being sent to that have room', async () => {
    const [stopped, busy, client] = [bind({ backend }), bind({ backend }), bind({ backend })]
    fill(client, stopped.path)
    const never = client.sendAll([{ data: 'late', path: stopped.path }])
    // Another one that is waited for, and read.
    const count = 5 * fill(client, busy.path)
    const items = Array.from({ length: count }, () => ({ data: 'x', path: busy.path }))
    const all = client.sendAll(items)
    let done = false
    void all.then(() => {
      done = true
    })
    while (!done) {
      empty(busy)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await all).toMatchObject({ sent: count, failed: 0 })
    empty(stopped)
    expect(await never).toMatchObject({ sent: 1 })
  })

  few(
    `holds most of the send buffer: others are sent to all the same, and waited for${tooLong}`,
    async () => {
      const [stopped, busy, client] = [bind({ backend }), bind({ backend }), bind({ backend })]
      // More than a quarter of the buffer: poll(2) says that there is no room.
      while (client.send(LARGE, stopped.path));
      expect(fill(client, busy.path)).toBeGreaterThan(0)
      let drained = 0
      client.on('drain', () => drained++)
      await delay(50)
      expect(drained).toBe(0)
      empty(busy)
      await until(() => drained === 1)
      expect(client.send('x', busy.path)).toBe(true)
    },
  )

  few(`fills the send buffer, beside one whose queue is full${tooLong}`, async () => {
    const [stopped, busy, client] = [
      bind({ backend }),
      bind({ backend }),
      bind({ backend, sendBufferSize: 20_000 }),
    ]
    expect(fill(client, busy.path)).toBeGreaterThan(0)
    while (client.send(LARGE, stopped.path));
    let drained = 0
    client.on('drain', () => drained++)
    await delay(50)
    empty(busy)
    await until(() => drained === 1)
    expect(client.send('x', busy.path)).toBe(true)
  })

  few(`fills the send buffer: who has room is not waited for in vain, nor by turns${tooLong}`, async () => {
    const [stopped, idle, client] = [
      bind({ backend }),
      bind({ backend }),
      bind({ backend, sendBufferSize: 20_000 }),
    ]
    while (client.send(LARGE, stopped.path));
    expect(client.send('x', idle.path)).toBe(false)
    const wakes = jest.spyOn(native, 'socketUnwatch')
    try {
      const all = client.sendAll([{ data: 'x', path: idle.path }])
      await delay(100)
      expect(wakes.mock.calls.length).toBeLessThanOrEqual(1)
      empty(stopped)
      expect(await all).toMatchObject({ sent: 1 })
    } finally {
      wakes.mockRestore()
    }
  })

  test('is not waited for any more once it had room', async () => {
    const [first, second, client] = [bind({ backend }), bind({ backend }), bind({ backend })]
    let drained = 0
    client.on('drain', () => drained++)
    fill(client, first.path)
    empty(first)
    await until(() => drained === 1)
    const sent = fill(client, second.path)
    await delay(50)
    expect(drained).toBe(1)
    expect(empty(second)).toBe(sent)
    await until(() => drained === 2)
  })

  test('matters to nobody who has connected to another one', async () => {
    const [stopped, peer, client] = [bind({ backend }), bind({ backend }), bind({ backend })]
    fill(client, stopped.path)
    client.connect(peer.path)
    while (client.send('x'));
    let drained = 0
    client.on('drain', () => drained++)
    await delay(50)
    expect(drained).toBe(0)
    empty(peer)
    await until(() => drained === 1)
    expect(client.send('x')).toBe(true)
  })

  test('has gone: the sends that waited are told', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    fill(client, server.path)
    const all = client.sendAll([{ data: 'x', path: server.path }])
    server.close()
    const { sent, failed, error } = await all
    expect([sent, failed, error?.code]).toEqual([0, 1, 'ENOENT'])
  })

  test('has gone while others are waited for: the sends that waited are told', async () => {
    const [server, stopped, client] = [bind({ backend }), bind({ backend }), bind({ backend })]
    fill(client, server.path)
    const all = client.sendAll([{ data: 'x', path: server.path }])
    server.close()
    // What is waited for is made anew, and it is gone by then.
    fill(client, stopped.path)
    const { sent, failed, error } = await all
    expect([sent, failed, error?.code]).toEqual([0, 1, 'ENOENT'])
  })

  test('is the peer: its room is the socket’s own', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    client.connect(server.path)
    let sent = 0
    while (client.send('x')) sent++
    let drained = 0
    client.on('drain', () => drained++)
    await delay(50)
    expect(drained).toBe(0)
    expect(empty(server)).toBe(sent)
    await until(() => drained === 1)
    expect(client.send('y')).toBe(true)
  })

  test('is waited for by nobody once the socket is closed', async () => {
    const [server, client] = [bind({ backend }), bind({ backend })]
    fill(client, server.path)
    const all = client.sendAll([{ data: 'x', path: server.path }])
    const writable = client.writable()
    client.close()
    await expect(all).rejects.toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
    expect(await writable).toBe(false)
    await once(client, 'close')
  })
})
