// Options by their names, filters, and options of Linux's own: one interface, no fragments, groups of others.

import { readFileSync } from 'node:fs'
import { type Filter, PacketBatch, type SocketOptionName, type SocketOptionValue, UdpSocket } from '../index'
import { expectWell, modes, runChild } from './support/loop'
import { bind, closeAll, hasIpv6, type Row, track } from './support/matrix'
import {
  addresses,
  DEVICE,
  describeIf,
  lacking,
  makeNetwork,
  type Network,
  removeAll,
} from './support/namespace'
import { collect, describeRows, thrown } from './support/net'
import { testkit } from './support/testkit'

afterEach(closeAll)

const linux = process.platform === 'linux'
const notLinux = linux ? '' : ' [skipped: Linux only]'
const onLinux = linux ? test : test.skip
const batch = new PacketBatch({ capacity: 64 })

/** Whether this process has CAP_NET_ADMIN, capabilities(7). */
const admin =
  linux &&
  (BigInt(`0x${/CapEff:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`) & 0x1000n) !== 0n
const asAdmin = admin ? test : test.skip
const notAdmin = admin ? '' : ' [skipped: needs CAP_NET_ADMIN]'

/** Values that everybody may set, and those for which it takes a capability. */
const free: [SocketOptionName, (number | boolean)[]][] = [
  ['SO_INCOMING_CPU', [0, 1, -1]],
  ['SO_PRIORITY', [0, 6]],
  ['IP_FREEBIND', [true, false]],
  ['IPV6_FREEBIND', [true, false]],
  ['IP_TOS', [0, 0x28, 255]],
  ['IPV6_TCLASS', [0, 0x28, 255]],
]
const dear: [SocketOptionName, (number | boolean)[]][] = [
  ['SO_BUSY_POLL', [0, 50, 2 ** 31 - 1]],
  ['SO_MARK', [0, 1, 2 ** 32 - 1]],
  ['SO_PRIORITY', [7, 0x8001_0001]],
  ['IP_TRANSPARENT', [true, false]],
  ['IPV6_TRANSPARENT', [true, false]],
]

describeRows('an option by its name', (row) => {
  const set = (socket: UdpSocket, name: unknown, value: unknown) =>
    thrown(() => socket.setSocketOption(name as SocketOptionName, value as never))
  const get = (socket: UdpSocket, name: unknown) =>
    thrown(() => socket.getSocketOption(name as SocketOptionName))

  function roundTrip(socket: UdpSocket, name: SocketOptionName, values: (number | boolean)[]): void {
    for (const value of values) {
      socket.setSocketOption(name, value as SocketOptionValue<SocketOptionName>)
      expect([name, socket.getSocketOption(name)]).toEqual([name, value])
    }
  }

  const portable = free.filter(([name]) => linux || /TOS|TCLASS/.test(name))
  test.each(portable)('%s is what it was set to', (name, values) => {
    roundTrip(bind(row), name, values)
  })

  asAdmin.each(dear)(`%s is what it was set to, by who may${notAdmin}`, (name, values) => {
    roundTrip(bind(row), name, values)
  })

  onLinux(`is the system's: what is set by its number is read by its name${notLinux}`, () => {
    const socket = bind(row)
    // SOL_SOCKET and SO_PRIORITY, IPPROTO_IPV6 and IPV6_TCLASS, IPPROTO_IP and IP_TOS of Linux.
    testkit.setsockoptInt(socket.fd, 1, 12, 5)
    expect(socket.getSocketOption('SO_PRIORITY')).toBe(5)
    if (row.family === 'udp6') testkit.setsockoptInt(socket.fd, 41, 67, 0x48)
    else testkit.setsockoptInt(socket.fd, 0, 1, 0x48)
    expect(socket.getSocketOption('IP_TOS')).toBe(0x48)
    expect(socket.getSocketOption('IPV6_TCLASS')).toBe(0x48)
  })

  onLinux(`IP_TOS arrives, by either name and at a mapped peer${notLinux}`, () => {
    const sockets = [bind(row)]
    if (hasIpv6 && row.family === 'udp4') sockets.push(bind(row, { address: '::' }))
    const receiver = bind(row, { recvTos: true })
    for (const socket of sockets) {
      for (const [name, tos] of [
        ['IP_TOS', 0xb8],
        ['IPV6_TCLASS', 0x2a],
      ] as const) {
        socket.setSocketOption(name, tos)
        socket.send('x', receiver.address().port, row.loopback)
        expect(collect(receiver, batch, 1)).toMatchObject([{ tos }])
      }
    }
  })

  test('a value of another type, or outside its range', () => {
    const socket = bind(row)
    const type = { code: 'ERR_INVALID_ARG_TYPE', message: expect.stringContaining('"value"') }
    const range = { code: 'ERR_OUT_OF_RANGE', message: expect.stringContaining('"value"') }
    for (const value of ['1', true, null, undefined, 1n, {}])
      expect(set(socket, 'IP_TOS', value)).toMatchObject(type)
    for (const value of [-1, 256, 1.5, Number.NaN]) expect(set(socket, 'IP_TOS', value)).toMatchObject(range)
    if (!linux) return
    for (const value of [0, 1, 'true', null, undefined])
      expect(set(socket, 'IP_FREEBIND', value)).toMatchObject(type)
    for (const [name, values] of [
      ['SO_PRIORITY', [-1, 2 ** 32]],
      ['SO_MARK', [-1, 2 ** 32]],
      ['SO_BUSY_POLL', [-1, 2 ** 31]],
      ['SO_INCOMING_CPU', [-2, 2 ** 31]],
    ] as const) {
      for (const value of values) expect(set(socket, name, value)).toMatchObject(range)
    }
  })

  test.each([
    ['UDP_GRO', 'option gro'],
    ['UDP_SEGMENT', 'segmentSize'],
    ['IP_PKTINFO', 'option destinations'],
    ['IPV6_RECVPKTINFO', 'option destinations'],
    ['IP_RECVERR', 'option errorQueue'],
    ['SO_RCVTIMEO', 'timeout'],
    ['SO_TIMESTAMPNS', 'option timestamps'],
    ['SO_RXQ_OVFL', 'option drops'],
    ['SO_REUSEADDR', 'reuseAddr'],
    ['SO_RCVBUF', 'setRecvBufferSize()'],
    ['SO_MEMINFO', 'stats()'],
    ['IP_MTU_DISCOVER', 'setDontFragment()'],
    ['SO_BINDTODEVICE', 'bindToDevice()'],
    ['IP_ADD_MEMBERSHIP', 'addMembership()'],
    ['SO_PRIORTY', "did you mean 'SO_PRIORITY'?"],
    ['ip_tos', "did you mean 'IP_TOS'?"],
    ['SO_SNDLOWAT', 'must be one of'],
    ['toString', 'must be one of'],
    ['', 'must be one of'],
  ])('%p is refused with what is to be used instead: %s', (name, instead) => {
    const socket = bind(row)
    const refused = { code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining(instead) }
    expect(set(socket, name, true)).toMatchObject(refused)
    expect(get(socket, name)).toMatchObject(refused)
  })

  test('a name that is none', () => {
    const socket = bind(row)
    for (const name of [1, null, undefined, {}, Symbol('IP_TOS')]) {
      expect(set(socket, name, 1)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
      expect(get(socket, name)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    }
  })
})

describeRows("Linux's own", (row) => {
  const v6 = row.family === 'udp6'
  /** IP_MTU_DISCOVER and IP_MULTICAST_ALL, and IPv6's, of Linux. */
  const read = (socket: UdpSocket, [v4Name, v6Name]: number[]) =>
    testkit.getsockoptInt(socket.fd, v6 ? 41 : 0, v6 ? v6Name! : v4Name!)
  const mtuDiscover = [10, 23]
  const multicastAll = [49, 29]

  onLinux(`dontFragment is IP_PMTUDISC_DO, or WANT${notLinux}`, () => {
    expect(read(bind(row, { dontFragment: true }), mtuDiscover)).toBe(2)
    const socket = bind(row, { dontFragment: false })
    expect(read(socket, mtuDiscover)).toBe(1)
    socket.setDontFragment(true)
    expect(read(socket, mtuDiscover)).toBe(2)
    socket.setDontFragment(false)
    expect(read(socket, mtuDiscover)).toBe(1)
    // An IPv6 socket has IPv4's for mapped peers.
    expect(testkit.getsockoptInt(socket.fd, 0, mtuDiscover[0]!)).toBe(1)
  })

  onLinux(`multicastAll is as it was set, and otherwise the system's${notLinux}`, () => {
    expect(
      [undefined, true, false].map((flag) => read(bind(row, { multicastAll: flag }), multicastAll)),
    ).toEqual([1, 1, 0])
    const socket = bind(row)
    socket.setMulticastAll(false)
    expect(read(socket, multicastAll)).toBe(0)
    expect(testkit.getsockoptInt(socket.fd, 0, multicastAll[0]!)).toBe(0)
    socket.setMulticastAll(true)
    expect(read(socket, multicastAll)).toBe(1)
  })

  onLinux(`bindToDevice: what comes by that interface${notLinux}`, () => {
    const sender = bind(row)
    for (const socket of [bind(row, { bindToDevice: 'lo' }), bind(row, { bindToDevice: '' }), bind(row)]) {
      socket.bindToDevice('lo')
      sender.send('x', socket.address().port, row.loopback)
      expect(collect(socket, batch, 1)).toHaveLength(1)
    }
  })

  onLinux(`an interface that is not there, and what is no name${notLinux}`, () => {
    const bindTo = (device: unknown) => thrown(() => bind(row, { bindToDevice: device as string }))
    const socket = bind(row)
    expect(thrown(() => socket.bindToDevice('no-such'))).toMatchObject({
      code: 'ENODEV',
      syscall: 'bindToDevice',
    })
    expect(bindTo('no-such')).toMatchObject({ code: 'ENODEV', syscall: 'bind' })
    for (const device of ['x'.repeat(16), 'ä'.repeat(8), 'lo\0'])
      expect(thrown(() => socket.bindToDevice(device))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    for (const device of [undefined, null, 1])
      expect(thrown(() => socket.bindToDevice(device as never))).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
      })
    expect(socket.stats().errors).toEqual({ ENODEV: 1 })
  })

  test('flags are booleans', () => {
    const socket = bind(row)
    for (const flag of [0, 1, 'true', null, undefined]) {
      for (const call of [
        () => socket.setMulticastAll(flag as never),
        () => socket.setDontFragment(flag as never),
      ])
        expect(thrown(call)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    }
  })
})

// bpf(4) of BSD, and include/uapi/linux/bpf_common.h.
const LOAD_BYTE = 0x30 // BPF_LD | BPF_B | BPF_ABS
const JUMP_EQUAL = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
const RETURN = 0x06 // BPF_RET | BPF_K
const ALL = 2 ** 32 - 1
const X = 'x'.charCodeAt(0)
/** Drops what begins with an x; the payload is behind the UDP header. */
const noX: Filter = [
  { code: LOAD_BYTE, jt: 0, jf: 0, k: 8 },
  [JUMP_EQUAL, 0, 1, X],
  [RETURN, 0, 0, 0],
  { code: RETURN, jt: 0, jf: 0, k: ALL },
]

describeRows('a filter', (row) => {
  const attach = (socket: UdpSocket, instructions: unknown) =>
    thrown(() => socket.attachFilter(instructions as Filter))

  function pair(): { socket: UdpSocket; send: (...payloads: string[]) => void } {
    const [socket, sender] = [bind(row, { gro: false }), bind(row)]
    const { port } = socket.address()
    return {
      socket,
      send: (...payloads) => {
        for (const payload of payloads) sender.send(payload, port, row.loopback)
      },
    }
  }

  const texts = (socket: UdpSocket, count: number) =>
    collect(socket, batch, count).map(({ data }) => String(data))

  onLinux(`drops what it refuses, which is counted, until it is detached${notLinux}`, () => {
    const { socket, send } = pair()
    socket.attachFilter(noX)
    send('x1', 'a', 'x2', 'b', 'xc', 'c')
    expect(texts(socket, 3)).toEqual(['a', 'b', 'c'])
    expect(socket.recv(batch)).toBe(0)
    expect(socket.stats().kernelDrops).toBe(3)
    socket.detachFilter()
    send('x3')
    expect(texts(socket, 1)).toEqual(['x3'])
    expect(thrown(() => socket.detachFilter())).toMatchObject({ code: 'ENOENT', syscall: 'detachFilter' })
  })

  onLinux(`takes the place of the last one, and cuts where it says so${notLinux}`, () => {
    const { socket, send } = pair()
    socket.attachFilter([[RETURN, 0, 0, 0]])
    send('lost')
    socket.attachFilter([[RETURN, 0, 0, 8 + 2]])
    send('12345')
    expect(texts(socket, 1)).toEqual(['12'])
    expect(socket.stats().kernelDrops).toBe(1)
  })

  onLinux(`has to be there before the first read, by whatever reads${notLinux}`, () => {
    const state = { code: 'ERR_INVALID_STATE', message: expect.stringContaining('before the first read') }
    const { socket, send } = pair()
    expect(socket.recv(batch)).toBe(0)
    socket.attachFilter(noX)
    send('a')
    collect(socket, batch, 1)
    expect(attach(socket, noX)).toMatchObject(state)
    const listening = bind(row, { gro: false }).on('batch', () => {})
    expect(attach(listening, noX)).toMatchObject(state)
    const iterated = bind(row, { gro: false })
    void iterated[Symbol.asyncIterator]().next()
    expect(attach(iterated, noX)).toMatchObject(state)
  })

  onLinux(`is not for a socket that coalesces${notLinux}`, () => {
    const state = { code: 'ERR_INVALID_STATE', message: expect.stringMatching(/UDP_GRO.*gro: false/) }
    const socket = bind(row)
    expect(attach(socket, noX)).toMatchObject(state)
    const adopted = track(UdpSocket.fromFd(socket.fd, { dup: true, backend: row.backend }))
    expect(attach(adopted, noX)).toMatchObject(state)
  })

  onLinux(`that the kernel refuses is its error${notLinux}`, () => {
    const socket = bind(row, { gro: false })
    const refused = { code: 'EINVAL', syscall: 'attachFilter' }
    expect(attach(socket, [[LOAD_BYTE, 0, 0, 8]])).toMatchObject(refused) // it does not return
    expect(attach(socket, [[0xffff, 0, 0, 8]])).toMatchObject(refused)
    expect(
      attach(socket, [
        [JUMP_EQUAL, 9, 9, 8],
        [RETURN, 0, 0, 0],
      ]),
    ).toMatchObject(refused)
  })

  onLinux(`has up to 4,096 instructions${notLinux}`, () => {
    const { socket, send } = pair()
    const last: [number, number, number, number] = [RETURN, 0, 0, ALL]
    const long = (length: number) => [...Array(length - 1).fill([LOAD_BYTE, 0, 0, 8]), last] as Filter
    socket.attachFilter(long(1000))
    send('a')
    expect(texts(socket, 1)).toEqual(['a'])
    const other = bind(row, { gro: false })
    // Beyond net.core.optmem_max it is ENOMEM.
    try {
      other.attachFilter(long(4096))
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOMEM', syscall: 'attachFilter' })
    }
    expect(attach(other, long(4097))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    expect(attach(other, [])).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
  })

  test('is an array of four numbers each', () => {
    const socket = bind(row, { gro: false })
    for (const instructions of [undefined, null, 1, 'ret', {}, new Uint32Array(4)])
      expect(attach(socket, instructions)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
    for (const instruction of [null, 6, 'ret', undefined, {}, { code: 6, jt: 0, jf: 0 }, [6, 0, 0, '0']])
      expect(attach(socket, [[6, 0, 0, 0], instruction])).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringContaining('instructions[1]'),
      })
    for (const instruction of [[], [6, 0, 0], [6, 0, 0, 0, 0]])
      expect(attach(socket, [instruction])).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' })
    for (const [field, max] of Object.entries({ code: 65_535, jt: 255, jf: 255, k: ALL })) {
      for (const value of [-1, max + 1, 0.5, Number.NaN])
        expect(attach(socket, [{ code: 6, jt: 0, jf: 0, k: 0, [field]: value }])).toMatchObject({
          code: 'ERR_OUT_OF_RANGE',
          message: expect.stringContaining(`instructions[0].${field}`),
        })
    }
  })
})

describeRows('a closed socket', (row) => {
  onLinux(`has no options${notLinux}`, () => {
    const socket = bind(row, { gro: false })
    socket.close()
    for (const call of [
      () => socket.setSocketOption('IP_TOS', 0),
      () => socket.getSocketOption('IP_TOS'),
      () => socket.setMulticastAll(true),
      () => socket.setDontFragment(true),
      () => socket.bindToDevice('lo'),
      () => socket.attachFilter(noX),
      () => socket.detachFilter(),
    ])
      expect(thrown(call)).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
  })
})

describeRows('a system that has not the option', (row) => {
  test('is ERR_RECVMMSG_UNSUPPORTED, which names it', () => {
    jest.isolateModules(() => {
      jest.doMock('../binding', () => ({
        ...jest.requireActual('../binding'),
        systemHasSocketOption: () => false,
      }))
      const { UdpSocket: Poor } = require('../index') as typeof import('../index')
      const make = (options = {}) => Poor.bind({ address: row.loopback, backend: row.backend, ...options })
      const socket = make({ gro: false })
      for (const [name, call] of [
        ['SO_PRIORITY', () => socket.setSocketOption('SO_PRIORITY', 0)],
        ['SO_PRIORITY', () => socket.getSocketOption('SO_PRIORITY')],
        ['IP_MULTICAST_ALL', () => socket.setMulticastAll(true)],
        ['IP_MULTICAST_ALL', () => make({ multicastAll: false })],
        ['IP_MTU_DISCOVER', () => socket.setDontFragment(true)],
        ['IP_MTU_DISCOVER', () => make({ dontFragment: true })],
        ['SO_BINDTODEVICE', () => socket.bindToDevice('lo')],
        ['SO_BINDTODEVICE', () => make({ bindToDevice: 'lo' })],
        ['SO_ATTACH_FILTER', () => socket.attachFilter(noX)],
        ['SO_ATTACH_FILTER', () => socket.detachFilter()],
      ] as const)
        expect(thrown(call)).toMatchObject({
          code: 'ERR_RECVMMSG_UNSUPPORTED',
          message: expect.stringContaining(name),
        })
      socket.close()
    })
    jest.dontMock('../binding')
  })
})

describe('a receive buffer beyond net.core.rmem_max', () => {
  const [mode] = modes
  const asked = 2 ** 30

  onLinux(`is clamped, with one warning a process${notLinux}`, async () => {
    const ended = await runChild('clamped', mode!, ['nobody'])
    expect(ended).toMatchObject({ code: 0, signal: null })
    const sizes = ended.lines.filter((line) => typeof line === 'number')
    const warnings = ended.lines.filter((line) => typeof line === 'object')
    const [small, given] = sizes as number[]
    expect(sizes).toEqual([8192, given, given, given])
    expect(small).toBeLessThan(given!)
    expect(warnings).toEqual([
      {
        name: 'RecvBufferWarning',
        code: 'RECVMMSG_RCVBUF',
        message: expect.stringMatching(
          new RegExp(`${asked} bytes .* gave ${given! / 2}, .*net\\.core\\.rmem_max.*=${asked}`),
        ),
      },
    ])
  })

  asAdmin(`is given to who may have it, without a word${notAdmin}`, async () => {
    expect(expectWell(await runChild('clamped', mode!))).toEqual([
      8192,
      asked * 2 - 2,
      asked * 2 - 2,
      asked * 2 - 2,
    ])
  })
})

describeIf(lacking, 'in a network', () => {
  let network: Network
  beforeAll(() => {
    network = makeNetwork()
  })
  afterAll(removeAll)

  describeRows('options', ({ backend, family }: Row) => {
    test('do what they say', async () => {
      const device = DEVICE
      const peer = addresses[family].client
      const [address] = addresses[family].server
      const settings = JSON.stringify({ family, device, address, peer })
      const program = network.server.start('options', [settings], { CHILD_BACKEND: backend })
      // What is too large: alone, among others; then the other way.
      const cut = [true, true, 4, 0, null]
      const refused = [true, 'EMSGSIZE', 2, 2, 'EMSGSIZE']
      expect(await program.next()).toEqual(cut)
      expect(await program.next()).toEqual(cut)
      expect(await program.next()).toEqual(refused.slice(0, 2))
      expect(await program.next()).toEqual(refused)
      expect(await program.next()).toEqual(cut.slice(0, 2))
      // What is sent to the cable's address: on loopback, any interface, the cable's, loopback.
      expect(await program.next()).toEqual([0, 1, 1, 0])
      expect(await program.next()).toEqual([1, 1, 1, 0])
      // The one that has joined, and the other: as it was bound, then false, then true.
      const got = (first: number) => [
        [1, first],
        [1, 0],
        [1, 1],
      ]
      expect(await program.next()).toEqual(got(1))
      expect(await program.next()).toEqual(got(1))
      expect(await program.next()).toEqual(got(0))
      await program.end()
    })
  })
})
