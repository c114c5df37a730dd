// readable(), and what is watched by whom: the same descriptor twice, numbers that are used again, many sockets.

import dgram from 'node:dgram'
import { getEventListeners, once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { type PacketBatch, UdpSocket } from '../index'
import {
  closed,
  describeModes,
  IDLE,
  idleTurns,
  ipv4Modes,
  numbers,
  pair,
  peer,
  rounds,
  take,
  texts,
  until,
} from './support/loop'
import { bind, track } from './support/matrix'
import { testkit } from './support/testkit'

const ABORTED = { name: 'AbortError', code: 'ABORT_ERR' }

describeModes((mode) => {
  describe('readable()', () => {
    test('is true where something waits already, and takes nothing', async () => {
      const { socket, from } = pair(mode)
      from.send(socket, 'x')
      expect(await socket.readable()).toBe(true)
      expect(await socket.readable()).toBe(true)
      expect(take(socket, 1)).toEqual(['x'])
    })

    test('is true once something comes, for all who wait', async () => {
      const { socket, from } = pair(mode)
      const waiting = [socket.readable(), socket.readable(), socket.readable()]
      const first = await Promise.race([...waiting, rounds(mode).then(() => 'nothing')])
      expect(first).toBe('nothing')
      from.send(socket, 'x')
      expect(await Promise.all(waiting)).toEqual([true, true, true])
    })

    test('is false when the socket closes, for all who wait and who come later', async () => {
      const { socket } = pair(mode)
      const waiting = [socket.readable(), socket.readable({ signal: new AbortController().signal })]
      socket.close()
      expect(await Promise.all([...waiting, socket.readable()])).toEqual([false, false, false])
    })

    test('rejects when aborted, alone', async () => {
      const { socket, from } = pair(mode)
      const controller = new AbortController()
      const aborted = socket.readable({ signal: controller.signal })
      const other = socket.readable()
      controller.abort('a reason')
      await expect(aborted).rejects.toMatchObject({ ...ABORTED, cause: 'a reason' })
      await expect(aborted).rejects.toBeInstanceOf(Error)
      from.send(socket, 'x')
      expect(await other).toBe(true)
    })

    test('rejects when aborted before, although something waits', async () => {
      const { socket, from } = pair(mode)
      from.send(socket, 'x')
      await expect(socket.readable({ signal: AbortSignal.abort() })).rejects.toMatchObject(ABORTED)
      expect(take(socket, 1)).toEqual(['x'])
    })

    test('leaves nothing on its signal', async () => {
      const { socket, from } = pair(mode)
      const { signal } = new AbortController()
      from.send(socket, 'x')
      await socket.readable({ signal })
      const pending = socket.readable({ signal })
      take(socket, 1)
      socket.close()
      await pending
      expect(getEventListeners(signal, 'abort')).toEqual([])
    })

    test('with a signal that times out and recv is ask-and-answer', async () => {
      const { socket, from } = pair(mode)
      const ask = async (ms: number) => {
        try {
          return (await socket.readable({ signal: AbortSignal.timeout(ms) })) && take(socket, 1)
        } catch (error) {
          return (error as Error).name
        }
      }
      expect(await ask(5)).toBe('AbortError')
      const asked = ask(5000)
      from.send(socket, 'answer')
      expect(await asked).toEqual(['answer'])
    })

    test('works beside a paused reader, which stays paused', async () => {
      const { socket, from } = pair(mode)
      const given: PacketBatch[] = []
      socket.on('batch', (batch) => given.push(batch))
      socket.pause()
      const readable = socket.readable()
      from.send(socket, 'x')
      expect(await readable).toBe(true)
      await rounds(mode)
      expect(given).toEqual([])
      expect(take(socket, 1)).toEqual(['x'])
    })
  })

  /** Sends until both have been given something; what they were given, all told. */
  async function both(first: UdpSocket, second: { on: UdpSocket['on'] } | dgram.Socket, port: UdpSocket) {
    const given = { first: 0, second: 0 }
    const from = peer(mode)
    first.on('batch', (batch) => {
      given.first += batch.length
    })
    if (second instanceof dgram.Socket) {
      second.on('message', () => {
        given.second++
      })
    } else {
      second.on('batch', (batch) => {
        given.second += batch.length
      })
    }
    for (let sent = 1; sent <= 10; sent++) {
      from.send(port, 'x')
      await until(() => given.first + given.second === sent)
    }
    return given
  }

  test.each([true, false])(
    'two sockets on one descriptor read what comes between them, dup: %s',
    async (dup) => {
      const { socket } = pair(mode)
      const errors: unknown[] = []
      const other = track(UdpSocket.fromFd(socket.fd, { dup, backend: mode.backend }))
      for (const each of [socket, other]) each.on('error', (error) => errors.push(error))
      await both(socket, other, socket)
      expect(errors).toEqual([])
      // Who is left reads on; without dup the number is gone, and whoever else has it by now keeps it.
      socket.close()
      if (dup) {
        const from = peer(mode)
        const next = once(other, 'batch')
        from.send(other, 'alone')
        expect(texts((await next)[0])).toEqual(['alone'])
      }
    },
  )

  test.each([true, false])("node:dgram's descriptor can be read beside it, dup: %s", async (dup) => {
    const theirs = dgram.createSocket(mode.family)
    const fd = testkit.makeSocket(mode.family === 'udp6' ? 'inet6' : 'inet', 'dgram')
    testkit.bindAny(fd)
    theirs.bind({ fd })
    const ours = track(UdpSocket.fromFd(dup ? fd : testkit.dup(fd), { dup, backend: mode.backend }))
    await both(ours, theirs, ours)
    ours.close()
    const from = peer(mode)
    const message = once(theirs, 'message')
    testkit.sendTo(from.fd, mode.loopback, theirs.address().port, Buffer.from('theirs'))
    expect(String((await message)[0])).toBe('theirs')
    theirs.close()
  })

  test('a number that close() gave back is watched anew by its next owner', async () => {
    const from = peer(mode)
    const fds = new Set<number>()
    for (const number of numbers(20)) {
      const socket = bind(mode)
      fds.add(socket.fd)
      from.send(socket, number)
      expect(texts((await once(socket, 'batch'))[0])).toEqual([number])
      socket.close()
    }
    expect(fds.size).toBeLessThan(20)
  })

  test('a socket closed behind our back leaves the next owner of its number, and its watch, alone', async () => {
    const { socket, from } = pair(mode)
    socket.on('error', () => {}).on('batch', () => {})
    await rounds(mode)
    socket.pause()
    const { fd } = socket
    const other = bind(mode)
    // At once its number is that of another socket: no moment for anybody else to get it.
    testkit.dup2(other.fd, fd)
    const owner = track(UdpSocket.fromFd(fd, { backend: mode.backend }))
    other.close()
    let given = 0
    owner.on('batch', () => given++)
    from.send(owner, 'before')
    await until(() => given === 1)
    await closed(socket)
    from.send(owner, 'after')
    await until(() => given === 2)
  })

  test('nor does it take the watch of a server that got its number', async () => {
    const { socket } = pair(mode)
    socket.on('error', () => {}).on('batch', () => {})
    await rounds(mode)
    socket.pause()
    const { fd } = socket
    const stream = testkit.makeSocket(mode.family === 'udp6' ? 'inet6' : 'inet', 'stream')
    const port = testkit.bindAny(stream)
    testkit.dup2(stream, fd)
    testkit.closeFd(stream)
    const server = net.createServer((connection) => connection.end('hello')).listen({ fd })
    await once(server, 'listening')
    await rounds(mode) // from here on the loop watches the number for the server
    await closed(socket)
    const client = net.connect(port, mode.loopback)
    const hello = await Promise.race([
      once(client, 'data').then(String),
      delay(2000, 'silence', { ref: false }),
    ])
    client.destroy()
    server.close()
    expect(hello).toBe('hello')
  })
})

describeModes((mode) => {
  test('what nobody takes costs nothing: paused, stopped, never started', async () => {
    const sockets = numbers(3).map(() => pair(mode))
    const [paused, stopped] = sockets.map(({ socket }) => socket)
    for (const socket of [paused!, stopped!]) socket.on('batch', () => {})
    for (const { socket, from } of sockets) from.send(socket, 'x')
    await until(() => paused!.stats().batches === 1 && stopped!.stats().batches === 1)
    paused!.pause()
    stopped!.removeAllListeners('batch')
    for (const { socket, from } of sockets) from.send(socket, 'y')
    expect(await idleTurns()).toBeLessThan(IDLE)
  })
}, ipv4Modes)
