// The flags of a receive: their numbers, and what each does.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { systemConstants } from '../binding'
import { constants, PacketBatch } from '../index'
import { bind, closeAll } from './support/matrix'
import { collect, describeRows, thrown } from './support/net'

const { MSG_PEEK, MSG_DONTWAIT, MSG_WAITFORONE, MSG_TRUNC } = constants

const root = join(__dirname, '..')

afterEach(closeAll)

describe('constants', () => {
  test('are frozen, and the numbers of this platform', () => {
    expect(Object.isFrozen(constants)).toBe(true)
    expect(() => Object.assign(constants, { MSG_PEEK: 0 })).toThrow(TypeError)
    const { msgPeek, msgDontwait, msgWaitforone, msgTrunc } = systemConstants()
    expect(constants).toStrictEqual({
      MSG_PEEK: msgPeek,
      MSG_DONTWAIT: msgDontwait,
      MSG_WAITFORONE: msgWaitforone,
      MSG_TRUNC: msgTrunc,
    })
  })

  test('have a bit each', () => {
    const values = Object.values(constants)
    for (const value of values) expect(value > 0 && (value & (value - 1)) === 0).toBe(true)
    expect(new Set(values).size).toBe(4)
  })
})

describeRows('flags', (row) => {
  const setUp = (options: object = {}) => ({
    receiver: bind(row, options),
    sender: bind(row),
    batch: new PacketBatch({ capacity: 8, ...options }),
  })

  test('with MSG_PEEK one message is shown, and stays, and is not counted', () => {
    const { receiver, sender, batch } = setUp()
    for (const payload of ['one', 'two', 'three']) sender.send(payload, receiver.address())
    for (const _again of [1, 2, 3]) {
      expect(receiver.recv(batch, { flags: MSG_PEEK, timeout: 1000 })).toBe(1)
      expect(batch.copy()).toMatchObject([{ data: Buffer.from('one'), port: sender.address().port }])
    }
    expect(receiver.stats()).toMatchObject({ datagrams: 0, bytes: 0, batches: 0, messages: 0 })
    expect(collect(receiver, batch, 3).map(({ data }) => data.toString())).toEqual(['one', 'two', 'three'])
    expect(receiver.stats()).toMatchObject({ datagrams: 3, bytes: 11, messages: 3 })
  })

  test('with MSG_PEEK an empty queue gives 0', () => {
    const { receiver, batch } = setUp()
    expect(receiver.recv(batch, { flags: MSG_PEEK })).toBe(0)
  })

  test('with MSG_DONTWAIT no timeout is waited for', () => {
    const { receiver, batch } = setUp()
    const start = performance.now()
    expect(receiver.recv(batch, { flags: MSG_DONTWAIT, timeout: 5000 })).toBe(0)
    expect(performance.now() - start).toBeLessThan(4000)
  })

  test('without it, the timeout is waited for, and not much longer', () => {
    const { receiver, batch } = setUp()
    const start = performance.now()
    expect(receiver.recv(batch, { timeout: 60 })).toBe(0)
    expect(receiver.recv(batch, { timeout: 0.5 })).toBe(0)
    const waited = performance.now() - start
    expect(waited).toBeGreaterThanOrEqual(60)
    expect(waited).toBeLessThan(2000)
  })

  test('by default nothing is waited for', () => {
    const { receiver, batch } = setUp()
    const start = performance.now()
    for (let index = 0; index < 100; index++) expect(receiver.recv(batch)).toBe(0)
    expect(performance.now() - start).toBeLessThan(1000)
  })

  /** What `script` prints, in a process of its own, which may be ended when it hangs. */
  const run = (script: string) => {
    const all = `
      const { PacketBatch, UdpSocket } = require('./index.js')
      const batch = new PacketBatch()
      const socket = UdpSocket.bind({ address: '${row.loopback}', backend: '${row.backend}' })
      ${script}
      socket.close()`
    const { status, stdout } = spawnSync(process.execPath, ['-e', all], {
      cwd: root,
      encoding: 'utf8',
      timeout: 10_000,
    })
    return { status, stdout }
  }

  test('no call waits although the descriptor is in blocking mode', () => {
    const outcome = run(`
      const testkit = require('./.build/testkit.node')
      testkit.fcntlSetFlags(socket.fd, testkit.fcntlGetFlags(socket.fd) & ~testkit.constants().O_NONBLOCK)
      process.stdout.write(String([socket.recv(batch), socket.recv(batch, { flags: ${MSG_PEEK} })]))
      socket.send('one', socket.address())
      process.stdout.write(String([socket.recv(batch, { timeout: 5000 })]))`)
    expect(outcome).toEqual({ status: 0, stdout: '0,01' })
  })

  test('a timeout does not matter to what is there, however long', () => {
    const timeouts = ['0', '-0', '0.25', '2 ** 31', '2 ** 53', '2 ** 65', 'Number.MAX_VALUE', 'Infinity']
    // The longest have ended a process by a panic.
    const outcome = run(`
      for (const timeout of [${timeouts}]) {
        socket.send('one', socket.address())
        if (!socket.recv(batch, { timeout: 5000, flags: ${MSG_PEEK} })) throw new Error('nothing came')
        process.stdout.write(String(socket.recv(batch, { timeout })))
      }`)
    expect(outcome).toEqual({ status: 0, stdout: '1'.repeat(timeouts.length) })
  })

  test('with MSG_TRUNC the size of a truncated datagram stays what arrived', () => {
    const { receiver, sender, batch } = setUp({ packetSize: 4 })
    sender.send('0123456789', receiver.address())
    sender.send('ok', receiver.address())
    const flags = MSG_TRUNC | MSG_PEEK
    expect(receiver.recv(batch, { flags, timeout: 1000 })).toBe(1)
    expect(batch.at(0)).toMatchObject({ size: 4, truncated: true, data: Buffer.from('0123') })
    const packets: string[] = []
    while (packets.length < 2) {
      expect(receiver.recv(batch, { flags: MSG_TRUNC, timeout: 1000 })).toBeGreaterThan(0)
      packets.push(...Array.from(batch, ({ data, size, truncated }) => `${data} ${size} ${truncated}`))
    }
    expect(packets).toEqual(['0123 4 true', 'ok 2 false'])
    expect(receiver.stats()).toMatchObject({ bytes: 6, truncated: 1 })
  })

  test('MSG_WAITFORONE changes nothing: it is how every receive works', () => {
    const { receiver, sender, batch } = setUp()
    expect(receiver.recv(batch, { flags: MSG_WAITFORONE })).toBe(0)
    sender.send('one', receiver.address())
    expect(receiver.recv(batch, { flags: MSG_WAITFORONE, timeout: 1000 })).toBe(1)
    expect(batch.at(0)?.data.toString()).toBe('one')
  })
})

describe('bad options of recv', () => {
  const refusal = (options: unknown) => {
    const socket = bind({ backend: 'portable', family: 'udp4', loopback: '127.0.0.1' })
    const { code, message } = thrown(() => socket.recv(new PacketBatch(), options as never))
    return { code, message }
  }

  // MSG_OOB, MSG_CTRUNC, MSG_ERRQUEUE and others of no use here.
  test.each([1, 8, 0x2000, -1, 2 ** 31, 2 ** 32 + MSG_PEEK, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'flags: %p',
    (flags) => {
      expect(refusal({ flags })).toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringMatching(/^The property 'options\.flags' .*MSG_PEEK.*Received /),
      })
    },
  )

  test.each(['2', null, 2n, true, {}])('flags: %p, which is no number', (flags) => {
    expect(refusal({ flags })).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  test.each([-1, -0.1, Number.NaN, Number.NEGATIVE_INFINITY])('timeout: %p', (timeout) => {
    expect(refusal({ timeout })).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
  })

  test.each(['1', null, 1n, new Date(0)])('timeout: %p, which is no number', (timeout) => {
    expect(refusal({ timeout })).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  test('an unknown name', () => {
    expect(refusal({ timeouts: 1 }).message).toMatch(/did you mean 'timeout'\?/)
    expect(refusal({ flag: 1 }).message).toMatch(/did you mean 'flags'\?/)
    expect(refusal({ vlen: 1 }).code).toBe('ERR_INVALID_ARG_VALUE')
  })

  test('no object at all', () => {
    for (const options of [null, 1, 'x', []]) expect(refusal(options).code).toBe('ERR_INVALID_ARG_TYPE')
  })

  test.each([
    undefined,
    null,
    {},
    [],
    Buffer.alloc(10),
    { capacity: 1, length: 0 },
    Object.create(PacketBatch.prototype),
  ])('a batch that is none (%#)', (batch) => {
    const socket = bind({ backend: 'portable', family: 'udp4', loopback: '127.0.0.1' })
    const { code, message } = thrown(() => socket.recv(batch as never))
    expect(code).toBe('ERR_INVALID_ARG_TYPE')
    expect(message).toMatch(/^The "batch" argument must be an instance of PacketBatch\. Received /)
  })
})
