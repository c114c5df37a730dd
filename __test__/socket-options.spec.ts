// Options of an open UdpSocket: broadcast, time to live, multicast.

import { PacketBatch } from '../index'
import { numbers } from './support/loop'
import { bind, closeAll } from './support/matrix'
import { collect, describeRows, thrown } from './support/net'
import { testkit } from './support/testkit'

afterEach(closeAll)

describeRows('options', (row) => {
  const v6 = row.family === 'udp6'
  const group = v6 ? 'ff05::8353' : '232.1.8.36'
  const lo = v6 ? '::1%lo' : '127.0.0.1'
  const batch = new PacketBatch({ capacity: 8 })

  test('a time to live is within its range, and returned', () => {
    const socket = bind(row)
    for (const ttl of [1, 64, 255]) expect(socket.setTTL(ttl)).toBe(ttl)
    for (const ttl of [0, 1, 255]) expect(socket.setMulticastTTL(ttl)).toBe(ttl)
    for (const ttl of [0, 256, -1, 1.5]) {
      expect(thrown(() => socket.setTTL(ttl))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    }
    for (const ttl of [256, -1, Number.NaN]) {
      expect(thrown(() => socket.setMulticastTTL(ttl))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
    }
    expect(thrown(() => socket.setTTL('1' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  const linux = process.platform === 'linux'
  ;(linux ? test : test.skip)(
    `of an IPv6 socket hold for IPv4 peers, too${linux ? '' : ' [skipped: Linux]'}`,
    () => {
      const socket = bind(row)
      socket.setTTL(7)
      socket.setMulticastTTL(9)
      socket.setMulticastLoopback(false)
      // IP_TTL, IP_MULTICAST_TTL and IP_MULTICAST_LOOP of IPPROTO_IP, <linux/in.h>.
      expect([2, 33, 34].map((name) => testkit.getsockoptInt(socket.fd, 0, name))).toEqual([7, 9, 0])
    },
  )

  const ipv4Only = v6 ? ' [skipped: IPv6 has no broadcast]' : ''
  ;(v6 ? test.skip : test)(`sends to a broadcast address only when it may${ipv4Only}`, () => {
    const [receiver, socket] = [bind({ ...row, loopback: '0.0.0.0' }), bind(row)]
    const { port } = receiver.address()
    const broadcast = '127.255.255.255'
    expect(thrown(() => socket.send('x', port, broadcast))).toMatchObject({ code: 'EACCES' })
    socket.setBroadcast(true)
    expect(socket.send('x', port, broadcast)).toBe(true)
    expect(collect(receiver, batch, 1)[0]).toMatchObject({ destination: broadcast, size: 1 })
    socket.setBroadcast(false)
    expect(thrown(() => socket.send('x', port, broadcast))).toMatchObject({ code: 'EACCES' })
    expect(thrown(() => socket.setBroadcast(1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  test('joins a group once, and leaves it once', () => {
    const socket = bind(row)
    socket.addMembership(group, lo)
    const twice = { code: 'EADDRINUSE', syscall: 'addMembership' }
    expect(thrown(() => socket.addMembership(group, lo))).toMatchObject(twice)
    socket.dropMembership(group, lo)
    const gone = { code: 'EADDRNOTAVAIL', syscall: 'dropMembership' }
    expect(thrown(() => socket.dropMembership(group, lo))).toMatchObject(gone)
    socket.addSourceSpecificMembership(row.loopback, group, lo)
    socket.dropSourceSpecificMembership(row.loopback, group, lo)
    const { errors } = socket.stats()
    expect(errors).toEqual({ EADDRINUSE: 1, EADDRNOTAVAIL: 1 })
  })

  const routed = v6 ? ' [skipped: no route to groups on loopback]' : ''
  ;(v6 ? test.skip : test)(`gets what is sent to a group while it is in it${routed}`, () => {
    const [receiver, socket] = [bind({ ...row, loopback: '0.0.0.0' }), bind(row)]
    const { port } = receiver.address()
    socket.setMulticastInterface(lo)
    expect(socket.setMulticastLoopback(true)).toBe(true)
    receiver.addMembership(group, lo)
    socket.send('0', port, group)
    receiver.dropMembership(group, lo)
    socket.send('not', port, group)
    receiver.addSourceSpecificMembership(row.loopback, group, lo)
    socket.send('1', port, group)
    const packets = collect(receiver, batch, 2)
    expect(packets.map(({ data }) => String(data))).toEqual(numbers(2))
    expect(packets.map(({ destination }) => destination)).toEqual([group, group])
  })

  test('what is no address, no group or no interface is an error', () => {
    const socket = bind(row)
    const host = { code: 'ERR_INVALID_IP_ADDRESS' }
    expect(thrown(() => socket.addMembership('example.org'))).toMatchObject(host)
    expect(thrown(() => socket.addMembership(group, 'lo'))).toMatchObject(host)
    expect(thrown(() => socket.setMulticastInterface('eth0'))).toMatchObject(host)
    expect(thrown(() => socket.addSourceSpecificMembership('x', group))).toMatchObject(host)
    const no = { code: 'EINVAL', syscall: 'addMembership' }
    expect(thrown(() => socket.addMembership(row.loopback, lo))).toMatchObject(no)
    expect(thrown(() => socket.addMembership(group, v6 ? '127.0.0.1' : '::1'))).toMatchObject(no)
    expect(thrown(() => socket.addMembership(undefined as never))).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  test('a closed socket has none', () => {
    const socket = bind(row)
    socket.close()
    const calls = [
      () => socket.setBroadcast(true),
      () => socket.setTTL(1),
      () => socket.setMulticastTTL(1),
      () => socket.setMulticastLoopback(true),
      () => socket.setMulticastInterface(lo),
      () => socket.addMembership(group),
      () => socket.dropMembership(group),
      () => socket.addSourceSpecificMembership(row.loopback, group),
      () => socket.dropSourceSpecificMembership(row.loopback, group),
    ]
    for (const call of calls) {
      expect(thrown(call)).toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' })
    }
  })
})
