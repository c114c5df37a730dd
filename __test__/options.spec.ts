// Options of UdpSocket.bind and UdpSocket.fromFd: what they take, what they refuse, what they do to the socket.

import { getEventListeners, once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import { capabilities, PacketBatch, UdpSocket, type UdpSocketOptions } from '../index'
import { commonOptions, onlyBindOptions, onlyFromFdOptions, rowsOf } from './support/bad-options'
import { bind, closeAll, hasIpv6, matrix, type Row, track } from './support/matrix'
import { closeDgrams, collect, describeRows, dgramSocket, thrown } from './support/net'
import { testkit } from './support/testkit'

const numbers = testkit.constants()

afterEach(() => {
  closeAll()
  closeDgrams()
})

const bindOf = (options: unknown) => thrown(() => track(UdpSocket.bind(options as UdpSocketOptions)))
const fromFdOf = (options: unknown) => thrown(() => track(UdpSocket.fromFd(2 ** 20, options as object)))

describe('are refused', () => {
  test.each(rowsOf({ ...onlyBindOptions, ...commonOptions }))(
    'by bind: a bad %s with %s',
    (name, code, values) => {
      for (const value of values) {
        const error = bindOf({ [name]: value })
        expect([value, error.code]).toEqual([value, code])
        expect(error.message).toMatch(
          code === 'ERR_INVALID_IP_ADDRESS' ? /resolve it first/ : `options.${name}`,
        )
      }
    },
  )

  test.each(rowsOf({ ...onlyFromFdOptions, ...commonOptions }))(
    'by fromFd: a bad %s with %s',
    (name, code, values) => {
      for (const value of values) expect([value, fromFdOf({ [name]: value }).code]).toEqual([value, code])
    },
  )

  test.each([
    ['bind', bindOf, 'adress', 'address'],
    ['bind', bindOf, 'reuseAdr', 'reuseAddr'],
    ['bind', bindOf, 'backends', 'backend'],
    ['bind', bindOf, 'ipv6only', 'ipv6Only'],
    ['bind', bindOf, 'recvBufferSise', 'recvBufferSize'],
    ['fromFd', fromFdOf, 'Dup', 'dup'],
    ['fromFd', fromFdOf, 'packetsize', 'packetSize'],
  ])('by %s: an unknown name, which is answered (%#)', (_function, call, name, meant) => {
    expect(call({ [name]: 1 })).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringContaining(`did you mean '${meant}'?`),
    })
  })

  test('by fromFd: what only a bind can do', () => {
    for (const name of Object.keys(onlyBindOptions)) {
      expect([name, fromFdOf({ [name]: undefined }).code]).toEqual([name, 'ERR_INVALID_ARG_VALUE'])
    }
  })

  test.each([null, 5353, '::1', [], () => {}])('options that are no object: %p', (options) => {
    expect(bindOf(options).code).toBe('ERR_INVALID_ARG_TYPE')
    expect(fromFdOf(options).code).toBe('ERR_INVALID_ARG_TYPE')
  })

  test('gro with slots that are too small for it', () => {
    for (const call of [bindOf, fromFdOf]) {
      expect(call({ gro: true, packetSize: 65_535 })).toMatchObject({
        code: 'ERR_INVALID_ARG_VALUE',
        message: expect.stringMatching(/options\.gro.*packetSize.*65536/),
      })
    }
  })

  test('a signal that is aborted, with its reason', () => {
    const signal = AbortSignal.abort(new Error('because'))
    const [expected] = [{ name: 'AbortError', code: 'ABORT_ERR', message: 'The operation was aborted' }]
    expect(bindOf({ signal })).toEqual(expected)
    expect(fromFdOf({ signal })).toEqual(expected)
    expect(() => UdpSocket.bind({ signal })).toThrow(expect.objectContaining({ cause: signal.reason }))
  })
})

test('IPv6 is in the tables wherever an interface has it', () => {
  const addresses = Object.values(os.networkInterfaces()).flatMap((list = []) =>
    list.map(({ address }) => address),
  )
  expect(hasIpv6).toBe(addresses.includes('::1'))
})

describe('by default', () => {
  test.each([undefined, {}, { port: undefined, address: undefined, backend: undefined, signal: undefined }])(
    '(%j) a socket is bound to a free port of every IPv4 address',
    (options) => {
      const socket = track(UdpSocket.bind(options))
      expect(socket.address()).toEqual({ address: '0.0.0.0', family: 'IPv4', port: expect.any(Number) })
      expect(socket.address().port).toBeGreaterThan(0)
      expect(socket.backend).toBe(capabilities().recvmmsg ? 'mmsg' : 'portable')
    },
  )
})

describeRows('bind', (row) => {
  const option = (socket: UdpSocket, level: string, name: string) =>
    testkit.getsockoptInt(socket.fd, numbers[level]!, numbers[name]!)

  test('takes a port as a number and as a string', () => {
    for (const write of [
      String,
      (port: number) => ` ${port} `,
      (port: number) => `0x${port.toString(16)}`,
      Number,
    ]) {
      const first = bind(row)
      const { port } = first.address()
      first.close()
      expect(bind(row, { port: write(port) as number }).address()).toMatchObject({
        address: row.loopback,
        port,
      })
      closeAll()
    }
    expect(bind(row, { port: '0' as never }).address().port).toBeGreaterThan(0)
  })

  test('receives as backend says', () => {
    expect(bind(row).backend).toBe(row.backend)
  })

  test('shares a port by reuseAddr, and by reusePort, when all ask so', () => {
    for (const share of [{ reuseAddr: true }, { reusePort: true }]) {
      const { port } = bind(row, share).address()
      expect(bind(row, { ...share, port }).address().port).toBe(port)
      expect(thrown(() => bind(row, { port })).code).toBe('EADDRINUSE')
    }
  })

  test('sets no more socket options than it was asked to', () => {
    const options: UdpSocketOptions[] = [{}, { reuseAddr: true }, { reusePort: true }]
    const told = options.map((given) => {
      const socket = bind(row, given)
      return ['SO_REUSEADDR', 'SO_REUSEPORT', 'SO_BROADCAST'].map((name) =>
        option(socket, 'SOL_SOCKET', name),
      )
    })
    expect(told).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ])
  })

  test('asks for buffers as node:dgram does, and gets the same', async () => {
    for (const sizes of [{}, { recvBufferSize: 10_000, sendBufferSize: 20_000 }]) {
      const theirs = await dgramSocket(row, sizes)
      const ours = bind(row, sizes)
      expect(ours.getRecvBufferSize()).toBe(theirs.getRecvBufferSize())
      expect(ours.getSendBufferSize()).toBe(theirs.getSendBufferSize())
    }
  })

  const groTest = capabilities().gro ? test : test.skip
  const groReason = capabilities().gro ? '' : ' [skipped: no UDP_GRO]'
  groTest.each<[UdpSocketOptions, number]>([
    [{}, 1],
    [{ gro: true }, 1],
    [{ gro: false }, 0],
    [{ packetSize: 65_535 }, 0],
    [{ packetSize: 2048, gro: false }, 0],
  ])(`with %j has UDP_GRO at %i${groReason}`, (options, expected) => {
    const socket = bind(row, options)
    expect(option(socket, 'IPPROTO_UDP', 'UDP_GRO')).toBe(expected)
    const small = new PacketBatch({ packetSize: 2048 })
    const read = () => socket.recv(small)
    const outcomes = [() => read(), () => thrown(read).code]
    expect(outcomes[expected]!()).toBe([0, 'ERR_BATCH_SLOT_TOO_SMALL'][expected])
  })

  test('gives its batches the shape it was asked for', async () => {
    const socket = bind(row, { capacity: 3, packetSize: 100 })
    const arrived = once(socket, 'batch')
    bind(row).send('x', socket.address())
    const [batch] = await arrived
    expect(batch).toMatchObject({ capacity: 3, packetSize: 100, length: 1 })
  })

  test('closes with its signal, and lets go of it when closed', async () => {
    const controller = new AbortController()
    const socket = bind(row, { signal: controller.signal })
    const other = bind(row, { signal: controller.signal })
    other.close()
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    const closed = once(socket, 'close')
    controller.abort()
    expect(thrown(() => socket.address()).code).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING')
    await closed
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  test('leaves nothing behind when it fails', () => {
    const { signal } = new AbortController()
    const { port } = bind(row).address()
    const fds = () => fs.readdirSync('/dev/fd').length
    const before = fds()
    for (let index = 0; index < 10; index++)
      expect(thrown(() => bind(row, { port, signal })).code).toBe('EADDRINUSE')
    expect(fds()).toBe(before)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

const dual = hasIpv6
  ? describe.each(matrix.filter(({ family }) => family === 'udp6'))
  : describe.skip.each(matrix)
dual(`ipv6Only: $backend${hasIpv6 ? '' : ' [skipped: no IPv6]'}`, (row: Row) => {
  const sendIPv4 = (socket: UdpSocket) =>
    track(UdpSocket.bind({ address: '127.0.0.1' })).send('four', {
      ...socket.address(),
      address: '127.0.0.1',
    })

  test('false takes IPv4 peers, by their mapped addresses', () => {
    const socket = bind(row, { address: '::' })
    sendIPv4(socket)
    const [copy] = collect(socket, new PacketBatch(), 1)
    expect(copy).toMatchObject({ address: '::ffff:127.0.0.1', family: 'IPv6' })
    expect(testkit.getsockoptInt(socket.fd, numbers.IPPROTO_IPV6!, numbers.IPV6_V6ONLY!)).toBe(0)
  })

  test('true leaves IPv4 to others', () => {
    const socket = bind(row, { address: '::', ipv6Only: true })
    const four = track(UdpSocket.bind({ port: socket.address().port }))
    sendIPv4(socket)
    expect(collect(four, new PacketBatch(), 1)[0]?.data.toString()).toBe('four')
    expect(socket.recv(new PacketBatch())).toBe(0)
  })
})

describe.each(matrix.filter(({ family }) => family === 'udp4'))('between families: $backend', (row) => {
  const unreachable = (to: [number, string], code: string, socket: UdpSocket) => {
    const [port, address] = to
    expect(thrown(() => socket.send('x', port, address))).toMatchObject({
      code,
      syscall: 'send',
      address,
      port,
    })
    expect(thrown(() => socket.connect(port, address))).toMatchObject({
      code,
      syscall: 'connect',
      address,
      port,
    })
    expect(thrown(() => socket.remoteAddress()).code).toBe('ERR_SOCKET_DGRAM_NOT_CONNECTED')
  }

  test('an IPv4 socket sends nothing to IPv6', () => {
    unreachable([9, '::1'], 'EINVAL', bind(row))
  })

  const ipv6Test = hasIpv6 ? test : test.skip
  const reason = hasIpv6 ? '' : ' [skipped: no IPv6]'

  ipv6Test(`a dual-stack socket sends to IPv4, and one with ipv6Only does not${reason}`, () => {
    const to = bind(row)
    const { port } = to.address()
    const dual = bind(row, { address: '::' })
    expect(dual.send('x', port, '127.0.0.1')).toBe(true)
    expect(dual.connect(port, '127.0.0.1').send('y')).toBe(true)
    expect(dual.remoteAddress()).toEqual({ address: '::ffff:127.0.0.1', family: 'IPv6', port })
    const from = { address: '127.0.0.1', family: 'IPv4', port: dual.address().port }
    expect(collect(to, new PacketBatch(), 2)).toMatchObject([from, from])
    unreachable([port, '127.0.0.1'], 'ENETUNREACH', bind(row, { address: '::', ipv6Only: true }))
  })
})
