// What has to be so before a socket is bound: options by name, and a filter.

import { capabilities, type Filter, PacketBatch, UdpSocket, type UdpSocketOptions } from '../index'
import { texts } from './support/loop'
import { bind, closeAll, matrix, type Row, track } from './support/matrix'
import { thrown } from './support/net'

afterEach(closeAll)

const linux = process.platform === 'linux'
const table = linux ? describe.each(matrix) : describe.skip.each(matrix)
const reason = linux ? '' : ' [skipped: Linux]'

/** Of documentation, RFC 5737 and RFC 3849: nobody's. */
const nobodys = { udp4: '198.51.100.77', udp6: '2001:db8::77' }
/** What begins with an x is dropped. */
const noX: Filter = [
  [0x30, 0, 0, 8],
  [0x15, 0, 1, 0x78],
  [0x06, 0, 0, 0],
  [0x06, 0, 0, 0xffffffff],
]

table(`$backend $family${reason}`, (row: Row) => {
  test('socketOptions are set before it is bound', () => {
    const address = nobodys[row.family]
    expect(thrown(() => bind(row, { address }))).toMatchObject({ code: 'EADDRNOTAVAIL', address })
    for (const name of ['IP_FREEBIND', 'IPV6_FREEBIND'] as const) {
      const socket = bind(row, {
        address,
        socketOptions: { [name]: true, IP_TOS: 0xb8, SO_PRIORITY: undefined },
      })
      expect(socket.address().address).toBe(address)
      expect([socket.getSocketOption(name), socket.getSocketOption('IP_TOS')]).toEqual([true, 0xb8])
      socket.close()
    }
  })

  test('a filter is in force from the first datagram on', () => {
    const socket = bind(row, { filter: noX })
    const from = bind(row, { gro: false })
    const { port } = socket.address()
    for (const text of ['x1', 'a', 'x2', 'b']) from.send(text, port, row.loopback)
    const batch = new PacketBatch({ packetSize: 100 }) // no GRO: any slot will do
    expect(socket.recv(batch, { timeout: 5000 })).toBe(2)
    expect(texts(batch)).toEqual(['a', 'b'])
    expect(socket.stats().kernelDrops).toBe(2)
    socket.detachFilter()
    from.send('x3', port, row.loopback)
    expect(socket.recv(batch, { timeout: 5000 })).toBe(1)
  })
})

test('both are checked before anything is made', () => {
  const cases: [object, string, string][] = [
    [{ socketOptions: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.socketOptions'],
    [{ socketOptions: { IP_TOS: 256 } }, 'ERR_OUT_OF_RANGE', 'options.socketOptions.IP_TOS'],
    [{ socketOptions: { IP_TO: 1 } }, 'ERR_INVALID_ARG_VALUE', "did you mean 'IP_TOS'?"],
    [{ socketOptions: { UDP_GRO: 1 } }, 'ERR_INVALID_ARG_VALUE', 'bind with the option gro'],
    [{ filter: {} }, 'ERR_INVALID_ARG_TYPE', 'options.filter'],
    [{ filter: [] }, 'ERR_OUT_OF_RANGE', 'options.filter.length'],
    [{ filter: [[0, 0, 0]] }, 'ERR_INVALID_ARG_VALUE', 'options.filter[0]'],
    [{ filter: [[0x10000, 0, 0, 0]] }, 'ERR_OUT_OF_RANGE', 'options.filter[0].code'],
  ]
  if (linux) cases.push([{ filter: noX, gro: true }, 'ERR_INVALID_ARG_VALUE', 'options.gro'])
  for (const [options, code, words] of cases) {
    const error = thrown(() => UdpSocket.bind(options as UdpSocketOptions))
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(words)
  }
})

const tells = linux && capabilities().recvmmsg ? test : test.skip
tells(`the kernel’s refusal of a program is the error of bind${reason}`, () => {
  const jump: Filter = [[0x05, 0, 0, 7]]
  const options = { address: '127.0.0.1', filter: jump }
  expect(thrown(() => track(UdpSocket.bind(options)))).toMatchObject({ code: 'EINVAL', syscall: 'bind' })
})
