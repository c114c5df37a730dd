// The table between Rust and TypeScript: both sides name the same words.

import os from 'node:os'
import * as native from '../binding'
import { UdpSocket } from '../index'
import * as layout from '../lib/layout'
import { closeAll, matrix, type Row, track } from './support/matrix'
import { describeRows } from './support/net'

afterEach(closeAll)

test('has the sizes that native code has', () => {
  const { tableHeader, tableMessage, tableDatagram, tableDetail, tableName, maxSegments } =
    native.systemConstants()
  const { HEADER, MESSAGE, DATAGRAM, DETAIL, NAME, MAX_SEGMENTS } = layout
  expect([HEADER, MESSAGE, DATAGRAM, DETAIL, NAME, MAX_SEGMENTS]).toEqual([
    tableHeader,
    tableMessage,
    tableDatagram,
    tableDetail,
    tableName,
    maxSegments,
  ])
})

test('has no two words in one place', () => {
  const { DATAGRAMS, MESSAGES, MORE, DETAILED, DROPPED, HEADER } = layout
  const { FAMILY, PORT, SCOPE_ID, ADDRESS, SOCKADDR, MESSAGE } = layout
  const { OFFSET, SIZE, MESSAGE_INDEX, FLAGS, DATAGRAM } = layout
  const { CREDENTIALS, DESTINATION, INTERFACE, LENGTH, NAME_LENGTH } = layout
  const who = [0, 1, 2, 3].map((word) => CREDENTIALS + word)
  const parts = [
    { words: [DATAGRAMS, MESSAGES, MORE, DETAILED, DROPPED], length: HEADER },
    { words: [FAMILY, PORT, SCOPE_ID, ...[0, 1, 2, 3].map((word) => ADDRESS + word)], length: SOCKADDR },
    { words: [OFFSET, SIZE, MESSAGE_INDEX, FLAGS], length: DATAGRAM },
    // A Unix socket's message: those that are read of it, its length and its interface among them.
    { words: [FAMILY, PORT, NAME_LENGTH, DESTINATION, LENGTH, INTERFACE, ...who], length: MESSAGE },
  ]
  for (const { words, length } of parts) {
    expect(new Set(words).size).toBe(words.length)
    expect(Math.min(...words)).toBe(0)
    expect(Math.max(...words)).toBeLessThan(length)
  }
  expect(SOCKADDR).toBeLessThanOrEqual(MESSAGE)
})

test('knows from which slot size on a message may be coalesced: none is longer', () => {
  expect(layout.COALESCED_SLOT).toBeGreaterThanOrEqual(65_527)
})

test('knows what a receive into detached memory gives', () => {
  const handle = native.socketCreate()
  const [none, words] = [new Uint8Array(0), new Uint32Array(100)]
  expect(native.socketReceive(handle, none, words, 2048, 1, 0, 0)).toBe(layout.DETACHED)
  expect(native.socketReceive(handle, new Uint8Array(2048), new Uint32Array(0), 2048, 1, 0, 0)).toBe(
    layout.DETACHED,
  )
})

const SLOT = 16
const SLOTS = 2

/** The table after `count` of the payloads, which came from and to `address`, were received with one call. */
function receive(row: Row, address: string, payloads: string[], count: number) {
  const handle = native.socketCreate()
  const config = { reuseAddr: false, reusePort: false, ipv6Only: false, recvBufferSize: 0, sendBufferSize: 0 }
  const portable = row.backend === 'portable'
  expect(native.socketBind(handle, address, 0, { ...config, gro: false, portable })).toBe(0)
  const name = new Uint32Array(layout.SOCKADDR)
  expect(native.socketName(handle, false, name)).toBe(0)
  const sender = track(UdpSocket.bind({ address }))
  const bytes = Buffer.alloc(SLOT * SLOTS)
  const table = new Uint32Array(
    layout.HEADER + SLOTS * (layout.MESSAGE + layout.DATAGRAM + layout.DETAIL + layout.NAME),
  )
  const call = (timeout: number) => native.socketReceive(handle, bytes, table, SLOT, SLOTS, 0, timeout)
  try {
    // Nearly always at once: the loopback interface delivers within the send.
    for (let round = 0; round < 20; round++) {
      for (const payload of payloads) sender.send(payload, name[layout.PORT], address)
      if (call(5000) === count) return { bytes, table, sender: sender.address(), name }
      while (call(100) > 0);
    }
    throw new Error('the datagrams never came together')
  } finally {
    native.socketClose(handle)
  }
}

describeRows('a received message', (row) => {
  test('is described word by word', () => {
    const { table, sender, name, bytes } = receive(row, row.loopback, ['0123456789abcdef+'], 1)
    const message = table.subarray(layout.HEADER)
    const datagram = table.subarray(layout.HEADER + SLOTS * layout.MESSAGE)
    expect([table[layout.DATAGRAMS], table[layout.MESSAGES], table[layout.MORE]]).toEqual([1, 1, 0])
    const { family, address } = {
      udp4: { family: 4, address: [0x7f000001, 0, 0, 0] },
      udp6: { family: 6, address: [0, 0, 0, 1] },
    }[row.family]
    expect([message[layout.FAMILY], message[layout.PORT], message[layout.SCOPE_ID]]).toEqual([
      family,
      sender.port,
      0,
    ])
    expect([...message.subarray(layout.ADDRESS, layout.ADDRESS + 4)]).toEqual(address)
    expect([name[layout.FAMILY], ...name.subarray(layout.ADDRESS, layout.ADDRESS + 4)]).toEqual([
      family,
      ...address,
    ])
    expect([datagram[layout.OFFSET], datagram[layout.SIZE], datagram[layout.MESSAGE_INDEX]]).toEqual([
      0,
      SLOT,
      0,
    ])
    expect(datagram[layout.FLAGS]! & 0xffff).toBe(layout.TRUNCATED)
    expect(datagram[layout.FLAGS]! >>> layout.PORT_SHIFT).toBe(sender.port)
    expect(bytes.toString('latin1', 0, SLOT)).toBe('0123456789abcdef')
  })

  test('has its place, and more may follow when the slots are full', () => {
    const { table } = receive(row, row.loopback, ['one', 'three', 'x'], SLOTS)
    const second = table.subarray(layout.HEADER + SLOTS * layout.MESSAGE + layout.DATAGRAM)
    expect([second[layout.OFFSET], second[layout.SIZE], second[layout.MESSAGE_INDEX]]).toEqual([SLOT, 5, 1])
    expect([table[layout.DATAGRAMS], table[layout.MESSAGES], table[layout.MORE]]).toEqual([2, 2, 1])
  })
})

const linkLocal = Object.entries(os.networkInterfaces())
  .flatMap(([name, list = []]) => list.map((entry) => ({ ...entry, name })))
  .find(({ address, family }) => family === 'IPv6' && address.startsWith('fe80:'))
const scoped = linkLocal === undefined ? describe.skip : describe
const reason = linkLocal === undefined ? ' [skipped: no link-local address]' : ''

scoped(`a message of a link-local sender${reason}`, () => {
  test.each(matrix.filter(({ family }) => family === 'udp6'))('tells the interface: $backend', (row) => {
    const address = `${linkLocal?.address}%${linkLocal?.name}`
    const { table, sender } = receive(row, address, ['x'], 1)
    const { scopeid } = linkLocal as { scopeid?: number }
    expect(table[layout.HEADER + layout.SCOPE_ID]).toBe(scopeid)
    expect(sender.address).toBe(address)
  })
})
