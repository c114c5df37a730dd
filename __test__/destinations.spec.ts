// Where a datagram was sent to, and answers that come from there. Loopback has a whole network of addresses (127.0.0.0/8).

import { networkInterfaces } from 'node:os'
import { capabilities, PacketBatch, type Payload, type Target, type UdpSocket } from '../index'
import { bind, closeAll, hasIpv6, matrix, type Row } from './support/matrix'
import { collect } from './support/net'

afterEach(closeAll)

const linux = process.platform === 'linux'
const suite = linux ? describe : describe.skip
const reason = linux ? '' : ' [skipped: only Linux has all of 127.0.0.0/8]'

/** A responder, where it is asked, and what its packets then tell. */
interface Case {
  name: string
  bound: string
  asked: string
  destination: string
  /** The asker's own address. */
  asker: string
}

const cases: Case[] = [
  { name: 'v4', bound: '0.0.0.0', asked: '127.0.0.2', destination: '127.0.0.2', asker: '127.0.0.1' },
  ...(hasIpv6
    ? [
        {
          name: 'mapped',
          bound: '::',
          asked: '127.0.0.2',
          destination: '::ffff:127.0.0.2',
          asker: '127.0.0.1',
        },
        { name: 'v6', bound: '::', asked: '::1', destination: '::1', asker: '::1' },
      ]
    : []),
]
const rows = cases.flatMap((each) =>
  matrix.filter(({ family }) => family === 'udp4').map((row) => ({ ...each, row })),
)

suite.each(rows)(`$name, $row.backend${reason}`, ({ bound, asked, destination, asker, row }) => {
  /** A responder, and one who has asked it and hears only whom it asked. */
  function ask(options = {}) {
    const responder = bind(row, { address: bound, ...options })
    const client = bind(row, { address: asker })
    client.connect(responder.address().port, asked)
    client.send('question')
    const batch = new PacketBatch()
    expect(responder.recv(batch, { timeout: 2000 })).toBe(1)
    return { responder, client, batch, packet: batch.at(0)! }
  }

  const answer = (client: UdpSocket) => collect(client, new PacketBatch(), 1)[0]!.data.toString()

  test('a socket of all addresses is told, and of which interface', () => {
    const { packet } = ask()
    expect(packet.destination).toBe(destination)
    expect(packet.copy()).toMatchObject({ destination, interfaceIndex: packet.interfaceIndex })
    const loopback = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.internal)
    expect(loopback).toBeDefined()
    expect(packet.interfaceIndex).toBe(1)
  })

  test('with destinations: false it is not', () => {
    const { packet } = ask({ destinations: false })
    expect([packet.destination, packet.interfaceIndex]).toEqual([null, null])
  })

  test.each<[string, (socket: UdpSocket, data: Payload, batch: PacketBatch) => unknown]>([
    ['send to a packet', (socket, data, batch) => socket.send(data, batch.at(0)!)],
    ['send to a copy', (socket, data, batch) => socket.send(data, batch.copy()[0]!)],
    ['sendBatch to a packet', (socket, data, batch) => socket.sendBatch([{ data, to: batch.at(0)! }])],
    ['sendBatch to a copy', (socket, data, batch) => socket.sendBatch([{ data, to: batch.copy()[0]! }])],
    ['sendBatch of the batch', (socket, _data, batch) => socket.sendBatch(batch)],
    ['sendBatch of packets', (socket, _data, batch) => socket.sendBatch([...batch])],
    ['sendBatch of copies', (socket, _data, batch) => socket.sendBatch(batch.copy())],
    [
      'sendBatch to one copy',
      (socket, data, batch) => socket.sendBatch([{ data }], { to: batch.copy()[0]! }),
    ],
    ['sendToMany', (socket, data, batch) => socket.sendToMany(data, batch as Iterable<Target>)],
    ['sendAll', (socket, data, batch) => socket.sendAll([{ data, to: batch.at(0)! }])],
  ])('%s answers from where it was asked', (_name, reply) => {
    const { responder, client, batch } = ask()
    void reply(responder, 'question', batch)
    expect(answer(client)).toBe('question')
  })

  test('answers of one call each come from their own', () => {
    const { responder, client, packet } = ask()
    const other = bind(row, { address: asker })
    other.connect(responder.address().port, asker)
    other.send('x')
    const batch = new PacketBatch()
    expect(responder.recv(batch, { timeout: 2000 })).toBe(1)
    const items = [packet.copy(), batch.at(0)!, packet.copy(), batch.at(0)!].map((to) => ({
      data: 'same',
      to,
    }))
    expect(responder.sendBatch(items)).toMatchObject({ sent: 4, failed: 0 })
    for (const socket of [client, other]) {
      const texts = collect(socket, new PacketBatch(), 2).map(({ data }) => data.toString())
      expect(texts).toEqual(['same', 'same'])
    }
  })

  test('an address that is nobody’s is left to the kernel', () => {
    const { responder, client, packet } = ask()
    client.disconnect()
    const gone = asker === '::1' ? '2001:db8::1' : '192.0.2.1'
    const here = bind(row, { address: asker })
    const to = { ...here.address(), destination: gone, interfaceIndex: 1 }
    expect(packet.size).toBe(8)
    expect(responder.send('one', to)).toBe(true)
    expect(responder.sendBatch([{ data: 'two', to }])).toMatchObject({ sent: 1, failed: 0, error: null })
    expect(collect(here, new PacketBatch(), 2).map(({ data }) => data.toString())).toEqual(['one', 'two'])
  })
})

suite(`sources${reason}`, () => {
  test.each(matrix.filter(({ family }) => family === 'udp4'))('are of one target each: $backend', (row) => {
    const [responder, client] = [bind(row, { address: '0.0.0.0' }), bind(row)]
    const { port, address } = client.address()
    const items = ['127.0.0.9', undefined, '127.0.0.2', undefined].map((destination, index) => ({
      data: String(index),
      to: { port, address, destination },
    }))
    expect(responder.sendBatch(items)).toMatchObject({ sent: 4, failed: 0 })
    const from = collect(client, new PacketBatch(), 4).map(({ address }) => address)
    expect(from).toEqual(['127.0.0.9', '127.0.0.1', '127.0.0.2', '127.0.0.1'])
  })

  test('of what another socket received do not overrule the address a socket is bound to', () => {
    const row = matrix[0]!
    const [everywhere, here, client] = [bind(row, { address: '0.0.0.0' }), bind(row), bind(row)]
    client.send('x', everywhere.address().port, '127.0.0.2')
    const batch = new PacketBatch()
    expect(everywhere.recv(batch, { timeout: 1000 })).toBe(1)
    here.sendBatch(batch)
    expect(collect(client, new PacketBatch(), 1)[0]).toMatchObject(here.address())
  })
})

suite(`a socket of one address${reason}`, () => {
  test.each(matrix)('is told when it asks to be: $backend $family', (row: Row) => {
    for (const destinations of [undefined, true]) {
      const socket = bind(row, destinations === undefined ? {} : { destinations })
      socket.send('x', socket.address())
      const [packet] = collect(socket, new PacketBatch(), 1)
      expect(packet!.destination).toBe(destinations ? row.loopback : null)
      expect(packet!.interfaceIndex).toBe(destinations ? 1 : null)
    }
  })

  test('forgets what a batch held of another', () => {
    const row = matrix[0]!
    const [told, untold] = [bind(row, { destinations: true }), bind(row)]
    const batch = new PacketBatch()
    for (const [socket, destination] of [
      [told, row.loopback],
      [untold, null],
      [told, row.loopback],
    ] as const) {
      socket.send('x', socket.address())
      expect(socket.recv(batch, { timeout: 1000 })).toBe(1)
      expect(batch.at(0)!.destination).toBe(destination)
    }
  })
})

test('capabilities() tells', () => {
  expect(capabilities().destinations).toBe(process.platform !== 'win32')
})
