// Errors while reading: those that pass, and those that end a socket.

import { once } from 'node:events'
import fs from 'node:fs'
import { PacketBatch, type UdpSocket } from '../index'
import {
  describeModes,
  IDLE,
  idleTurns,
  ipv4Modes,
  type Mode,
  numbers,
  pair,
  rounds,
  take,
  texts,
  until,
} from './support/loop'
import { bind } from './support/matrix'
import { testkit } from './support/testkit'

const refused = (socket: UdpSocket) => socket.stats().errors.ECONNREFUSED ?? 0

/** A socket connected to a port that nobody has, and who takes that port. */
function forsaken(mode: Mode) {
  const gone = bind(mode)
  const { port } = gone.address()
  const socket = bind(mode)
  socket.connect(port, mode.loopback)
  gone.close()
  const answer = (text: string) => {
    const peer = bind(mode, { port })
    expect(peer.send(text, socket.address())).toBe(true)
    peer.close()
  }
  return { socket, answer }
}

/** Sends to the port that nobody has until `count` refusals have been counted. */
async function provoke(socket: UdpSocket, count: number): Promise<void> {
  for (let counted = 1; counted <= count; counted++) {
    socket.send('anybody?')
    await until(() => refused(socket) === counted)
  }
}

describeModes((mode) => {
  describe('a passing error', () => {
    test('three in a row are counted, and data behind them arrives: listener', async () => {
      const { socket, answer } = forsaken(mode)
      const given: string[] = []
      socket.on('batch', (batch) => given.push(...texts(batch)))
      await provoke(socket, 3)
      answer('at last')
      await until(() => given.length > 0)
      expect(given).toEqual(['at last'])
      expect(socket.stats().errors).toEqual({ ECONNREFUSED: 3 })
    })

    test('three in a row are counted, and data behind them arrives: loop', async () => {
      const { socket, answer } = forsaken(mode)
      const next = socket[Symbol.asyncIterator]().next()
      await provoke(socket, 3)
      answer('at last')
      const { value } = await next
      expect(texts(value)).toEqual(['at last'])
    })

    test("is emitted as 'error' when someone listens", async () => {
      const { socket, answer } = forsaken(mode)
      const errors: Error[] = []
      socket.on('error', (error) => errors.push(error)).on('batch', () => {})
      await provoke(socket, 3)
      expect(errors).toHaveLength(3)
      for (const error of errors) {
        expect(error).toBeInstanceOf(Error)
        expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'recvmmsg', errno: expect.any(Number) })
      }
      answer('at last')
      await once(socket, 'batch')
    })

    test('wakes readable(), and recv throws it once', async () => {
      const { socket, answer } = forsaken(mode)
      const batch = new PacketBatch({ capacity: 1 })
      for (let time = 0; time < 3; time++) {
        const readable = socket.readable()
        socket.send('anybody?')
        expect(await readable).toBe(true)
        expect(() => socket.recv(batch)).toThrow(
          expect.objectContaining({ code: 'ECONNREFUSED', syscall: 'recvmmsg' }),
        )
        expect(socket.recv(batch)).toBe(0)
      }
      answer('at last')
      expect(await socket.readable()).toBe(true)
      expect(take(socket, 1)).toEqual(['at last'])
    })

    test('a thousand do not end the socket', async () => {
      const { socket, answer } = forsaken(mode)
      const given: string[] = []
      socket.on('batch', (batch) => given.push(...texts(batch)))
      for (let sent = 0; sent < 1000; sent++) {
        socket.send('anybody?')
        if (sent % 4 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await until(() => refused(socket) > 200)
      answer('at last')
      await until(() => given.length > 0)
      expect(given).toEqual(['at last'])
    })

    test('an error listener may close the socket, pause it or throw away its readers', async () => {
      for (const act of [
        (socket: UdpSocket) => socket.close(),
        (socket: UdpSocket) => socket.pause(),
        (socket: UdpSocket) => socket.removeAllListeners(),
      ]) {
        const { socket } = forsaken(mode)
        let told = 0
        socket.on('batch', () => {})
        socket.on('error', () => {
          told++
          act(socket)
        })
        socket.send('anybody?')
        await until(() => told === 1)
        await rounds(mode)
        expect(told).toBe(1)
      }
    })
  })

  describe('a descriptor closed behind our back', () => {
    /** A socket whose number is now that of a file. */
    async function robbed(read: (socket: UdpSocket) => void) {
      const { socket } = pair(mode)
      read(socket)
      await rounds(mode)
      const { fd } = socket
      const opened = testkit.openFile(__filename)
      testkit.dup2(opened, fd)
      testkit.closeFd(opened)
      const theirs = () => testkit.inode(fd) === fs.statSync(__filename).ino
      return { socket, fd, theirs }
    }

    const listen = (socket: UdpSocket) => void socket.on('batch', () => {})

    test.each<[string, (socket: UdpSocket) => unknown, string]>([
      ['recv', (socket) => take(socket, 1), 'recvmmsg'],
      ['send', (socket) => socket.send('x', 9, mode.loopback), 'send'],
      ['connect', (socket) => socket.connect(9, mode.loopback), 'connect'],
      ['address', (socket) => socket.address(), 'getsockname'],
    ])('%s() throws EBADF, and the file that got its number is left alone', async (_name, call, syscall) => {
      const { socket, fd, theirs } = await robbed(listen)
      expect(socket.fd).toBe(-1)
      expect(() => call(socket)).toThrow(expect.objectContaining({ code: 'EBADF', syscall }))
      socket.close()
      expect(theirs()).toBe(true)
      testkit.closeFd(fd)
    })

    test.each<[string, (socket: UdpSocket) => void]>([
      ['that reads', listen],
      ['that is paused', (socket) => void socket.on('batch', () => {}).pause()],
      ['that was read', (socket) => void socket.on('batch', () => {}).removeAllListeners('batch')],
    ])("close() of a socket %s closes nothing, and tells an 'error' listener", async (_which, read) => {
      const { socket, fd, theirs } = await robbed(read)
      const events: string[] = []
      socket.on('error', (error) => events.push(error.message)).on('close', () => events.push('close'))
      socket.close()
      await until(() => events.includes('close'))
      expect(events).toEqual(['close EBADF', 'close'])
      expect(theirs()).toBe(true)
      testkit.closeFd(fd)
    })

    test.each<[string, (socket: UdpSocket) => void]>([
      ['that reads', listen],
      ['that is paused', (socket) => void socket.on('batch', () => {}).pause()],
    ])("resume() of a socket %s: 'error' once, then 'close'", async (_which, read) => {
      const { socket, fd, theirs } = await robbed(read)
      const events: string[] = []
      socket.on('error', (error) => events.push(error.message)).on('close', () => events.push('close'))
      socket.resume()
      await rounds(mode)
      expect(events).toEqual(['recvmmsg EBADF', 'close'])
      expect(socket.stats().errors).toEqual({ EBADF: 1 })
      expect(theirs()).toBe(true)
      testkit.closeFd(fd)
    })

    test('resume() throws where nobody listens, as an emitter does', async () => {
      const { socket, fd } = await robbed((socket) => void socket.on('batch', () => {}).pause())
      // The emitter is of another realm here, and wraps what is no Error of its own.
      expect(() => socket.resume()).toThrow('recvmmsg EBADF')
      testkit.closeFd(fd)
    })

    test('a loop that is resumed rejects, and is done from then on', async () => {
      const { socket, fd } = await robbed(() => {})
      testkit.closeFd(fd)
      const batches = socket[Symbol.asyncIterator]()
      await expect(batches.next()).rejects.toMatchObject({ code: 'EBADF', syscall: 'recvmmsg' })
      expect(await batches.next()).toEqual({ value: undefined, done: true })
      expect(socket.fd).toBe(-1)
    })

    test('readable() does not wait for ever', async () => {
      const { socket, fd } = await robbed(() => {})
      testkit.closeFd(fd)
      socket.on('error', () => {})
      expect(await socket.readable()).toBe(false)
    })
  })

  describe('a socket shut down for reading', () => {
    const shutDown = (socket: UdpSocket) => {
      // ENOTCONN is said of one that is not connected, which is shut down all the same.
      expect(() => testkit.shutdownRead(socket.fd)).toThrow('ENOTCONN')
    }

    test('ESHUTDOWN once, and it closes', async () => {
      const { socket } = pair(mode)
      const events: string[] = []
      socket.on('error', (error) => events.push(error.message)).on('close', () => events.push('close'))
      socket.on('batch', (batch) => events.push(...texts(batch)))
      shutDown(socket)
      await until(() => events.includes('close'))
      await rounds(mode)
      expect(events).toEqual(['recvmmsg ESHUTDOWN', 'close'])
      expect(socket.fd).toBe(-1)
    })

    test('so does a connected one', async () => {
      const { socket, from } = pair(mode)
      socket.connect(from.port, mode.loopback)
      testkit.shutdownRead(socket.fd)
      const error = once(socket, 'error')
      socket.on('batch', () => {})
      expect(await error).toEqual([expect.objectContaining({ code: 'ESHUTDOWN' })])
    })

    test('what was queued is delivered before', async () => {
      const { socket, from } = pair(mode, { capacity: 1 })
      from.send(socket, ...numbers(3))
      shutDown(socket)
      const given: string[] = []
      const loop = async () => {
        for await (const batch of socket) given.push(...texts(batch))
      }
      await expect(loop()).rejects.toMatchObject({ code: 'ESHUTDOWN' })
      expect(given).toEqual(numbers(3))
    })

    test('a loop over readable() and recv is told, too', async () => {
      const { socket, from } = pair(mode)
      const batch = new PacketBatch()
      from.send(socket, 'queued')
      shutDown(socket)
      const loop = async () => {
        while (await socket.readable()) socket.recv(batch)
      }
      await expect(loop()).rejects.toMatchObject({ code: 'ESHUTDOWN', syscall: 'recvmmsg' })
      expect(socket.stats().datagrams).toBe(1)
    })

    test('a recv that waits throws ESHUTDOWN instead', () => {
      const { socket } = pair(mode)
      shutDown(socket)
      const batch = new PacketBatch({ capacity: 1 })
      const begun = performance.now()
      expect(() => socket.recv(batch, { timeout: 10_000 })).toThrow(
        expect.objectContaining({ code: 'ESHUTDOWN', syscall: 'recvmmsg' }),
      )
      expect(performance.now() - begun).toBeLessThan(2000)
    })
  })
})

const root = process.getuid?.() === 0 && process.platform === 'linux'
const wrongReason = root ? '' : ' [skipped: a raw socket needs root, on Linux]'

describeModes((mode) => {
  ;(root ? describe : describe.skip)(`a datagram whose checksum is wrong${wrongReason}`, () => {
    /** It wakes whoever waits, and is thrown away by the kernel when it is received. */
    function sendWrong(socket: UdpSocket) {
      const raw = testkit.makeSocket('inet', 'raw')
      // Up to 76 bytes the kernel checks on arrival (CHECKSUM_BREAK, include/linux/skbuff.h), and nobody is woken.
      const datagram = Buffer.alloc(108, Buffer.from([0, 9, 0, 0, 0, 108, 0xba, 0xad]))
      datagram.writeUInt16BE(socket.address().port, 2)
      testkit.sendTo(raw, mode.loopback, 0, datagram)
      testkit.closeFd(raw)
    }

    test('is no datagram to a listener, and no error', async () => {
      const { socket, from } = pair(mode)
      const given: string[] = []
      socket.on('batch', (batch) => given.push(...texts(batch)))
      for (let time = 0; time < 3; time++) {
        sendWrong(socket)
        await rounds(mode)
      }
      from.send(socket, 'right')
      await until(() => given.length > 0)
      expect(given).toEqual(['right'])
      expect(socket.stats()).toMatchObject({ errors: {}, kernelDrops: 3 })
    })

    test('does not end a wait', () => {
      const { socket } = pair(mode)
      sendWrong(socket)
      const begun = performance.now()
      expect(take(socket, 0)).toEqual([])
      expect(socket.recv(new PacketBatch(), { timeout: 200 })).toBe(0)
      expect(performance.now() - begun).toBeGreaterThanOrEqual(190)
    })
  })
}, ipv4Modes)

describeModes((mode) => {
  test.each<[string, (socket: UdpSocket) => void]>([
    ['descriptor was closed', (socket) => testkit.closeFd(socket.fd)],
    ['descriptor became another file', (socket) => testkit.dup2(0, socket.fd)],
    [
      'reading was shut down while it was paused',
      (socket) => {
        socket.pause()
        expect(() => testkit.shutdownRead(socket.fd)).toThrow('ENOTCONN')
      },
    ],
  ])('a socket whose %s does not spin', async (_what, harm) => {
    const { socket } = pair(mode)
    socket.on('batch', () => {}).on('error', () => {})
    await rounds(mode)
    const { fd } = socket
    harm(socket)
    expect(await idleTurns()).toBeLessThan(IDLE)
    socket.close()
    if (fs.existsSync(`/proc/self/fd/${fd}`)) testkit.closeFd(fd)
  })

  test('a peer that refuses does not make it spin', async () => {
    const { socket } = forsaken(mode)
    socket.on('batch', () => {})
    await provoke(socket, 3)
    expect(await idleTurns()).toBeLessThan(IDLE)
  })
}, ipv4Modes)
