'use strict'

// What is measured: one entry per row, in the order of the tables.

const { echo, send } = require('./send-rows')

/** As much as one core can send: datagrams of 64 bytes, 40 to a message. `segments` is the sender's --segments. */
const FLOOD = { segments: 40, flows: 4 }

/** How long one measurement takes, in ms, and how often it is made at most. */
const TIMES = { warm: 350, window: 900, idle: 10_000, rounds: Number.POSITIVE_INFINITY }
const QUICK = { ...TIMES, warm: 250, window: 400 }

const SECTIONS = {
  flood: 'Saturated: 64-byte datagrams, 40 to a message, from 4 senders',
  senders: 'Saturated by 1,000 senders: payload, address and port of each datagram',
  alone: 'The same flood, but the receiver has a CPU to itself and is mostly not saturated',
  paced: 'Paced: single datagrams at a steady rate',
  latency: 'Latency: one datagram each 200 µs, from sending to reading the clock in the listener',
  busy: 'A busy listener: 100 ns of work for each datagram, under the flood',
  collections: 'Garbage collections under the flood',
  send: 'Sending: 64-byte datagrams to one receiver, which keeps up',
  echo: 'Echo: 64-byte datagrams, 40 to a message, back to the 4 that sent them',
  idle: '1,000 sockets that are read and to which nobody sends, for 10 seconds',
}

const STYLES = [
  ['recv', '`recv` with a timeout, columns'],
  ['batch', "`'batch'` listener, columns"],
  ['for-await', '`for await`, columns'],
  ['bytes', 'columns and the first byte'],
  ['packets', '`for (const packet of batch)`, size and port'],
  ['views', '`data`, `address`, `port` of each packet'],
  ['copies', '`batch.copy()`'],
]

/** Flooded, without and with UDP_GRO; `base` is the row that a row is compared with. */
const flood = [false, true].flatMap((gro) => {
  const suffix = gro ? '-gro' : ''
  const base = `c${suffix}`
  const common = { section: 'flood', load: FLOOD, beside: true, gro, base, quick: true }
  const c = { ...common, name: base, peer: 'c', args: gro ? ['--gro'] : [], label: 'C, recvmmsg(64)' }
  // One core sends more than these can take: they have their CPU to themselves.
  const alone = { ...common, beside: false }
  const theirs = [
    { ...alone, name: 'dgram', peer: 'dgram', label: 'node:dgram' },
    { ...alone, name: 'bun', peer: 'bun', label: 'Bun.udpSocket', givenBuffer: true },
    { ...alone, name: 'deno', peer: 'deno', label: 'Deno.listenDatagram', givenBuffer: true },
    { ...common, name: 'go', peer: 'go', label: 'Go, ReadBatch(64)' },
  ]
  const ours = STYLES.map(([style, label]) => ({
    ...ourRow(style, gro),
    ...common,
    name: style + suffix,
    label,
  }))
  const swapped = {
    ...dgramRow(gro),
    ...(gro ? common : alone),
    name: `swapped${suffix}`,
    label: '`recvmmsg/dgram`',
  }
  return [c, ...(gro ? [] : theirs), swapped, ...ours]
})

const thousand = {
  section: 'senders',
  load: { segments: 40, flows: 1000 },
  beside: true,
  gro: true,
  base: 'senders-c',
}
const senders = [
  {
    ...thousand,
    name: 'senders-c',
    peer: 'c',
    args: ['--gro'],
    label: 'C, recvmmsg(64), size and port only',
  },
  {
    ...ourRow('views', true),
    ...thousand,
    name: 'senders-views',
    label: '`data`, `address`, `port` of each packet',
  },
]

const ALONE = ['c', 'go', 'batch', 'c-gro', 'recv-gro', 'batch-gro', 'for-await-gro']
const alone = flood
  .filter(({ name }) => ALONE.includes(name))
  .flatMap((row) => {
    const own = {
      ...row,
      section: 'alone',
      name: `alone-${row.name}`,
      base: `alone-${row.base}`,
      beside: false,
      quick: false,
    }
    if (row.name !== 'batch-gro') return [own]
    const label = `${row.label}, \`coalesce: 1\``
    return [own, { ...coalescing(own), name: 'alone-coalesce-gro', label }]
  })

const paced = [10_000, 100_000].flatMap((rate) => {
  const name = `paced-${rate / 1000}k`
  const common = { section: 'paced', load: { rate, flows: 4 }, base: `${name}-dgram`, rate }
  return [
    { ...common, name: `${name}-c`, peer: 'c', label: 'C, recvmmsg(64)' },
    { ...common, name: `${name}-dgram`, peer: 'dgram', label: 'node:dgram' },
    { ...dgramRow(true), ...common, name: `${name}-swapped`, label: '`recvmmsg/dgram`' },
    { ...ourRow('batch', true), ...common, name: `${name}-batch`, label: "`'batch'` listener, columns" },
    {
      ...coalescing(ourRow('batch', true)),
      ...common,
      name: `${name}-coalesce`,
      label: "`'batch'` listener, columns, `coalesce: 1`",
    },
  ]
})

const stamped = { section: 'latency', load: { rate: 5000, flows: 1, stamp: true }, times: { window: 2000 } }
const latency = [
  { ...stamped, name: 'latency-c', peer: 'c', args: ['--latency'], label: 'C, recvmmsg(64)' },
  { ...stamped, name: 'latency-dgram', peer: 'dgram', args: ['--latency'], label: 'node:dgram' },
  {
    ...stamped,
    name: 'latency-swapped',
    peer: 'dgram',
    args: ['--ours', '--latency'],
    label: '`recvmmsg/dgram`',
    ours: true,
  },
  { ...ourRow('latency', true), ...stamped, name: 'latency-batch', label: "`'batch'` listener" },
  {
    ...coalescing(ourRow('latency', true)),
    ...stamped,
    name: 'latency-coalesce',
    label: "`'batch'` listener, `coalesce: 1`",
  },
  {
    ...ourRow('latency', true),
    ...stamped,
    name: 'latency-thread',
    label: "`'batch'` listener, readiness by the helper thread",
    env: { RECVMMSG_READINESS: 'thread' },
  },
].map((row) => ({ ...row, base: 'latency-dgram' }))

const busy = [1, 2].map((sockets) => ({
  section: 'busy',
  name: sockets === 1 ? 'timer' : 'shares',
  label: sockets === 1 ? 'one socket' : 'two sockets, a sender each',
  kind: 'busy',
  peer: 'busy',
  args: [String(sockets)],
  load: FLOOD,
  gro: true,
}))

const collections = ['batch', 'packets'].flatMap((style) =>
  [false, true].map((gro) => {
    const row = ourRow(style, gro)
    const label = STYLES.find(([name]) => name === style)[1]
    return {
      ...row,
      section: 'collections',
      name: `gc-${style}${gro ? '-gro' : ''}`,
      label,
      args: [...row.args, '--gc'],
      load: FLOOD,
      gro,
      times: { window: 2000, rounds: 2 },
    }
  }),
)

const idle = ['uv', 'thread'].map((readiness) => ({
  section: 'idle',
  name: `idle-${readiness}`,
  label: readiness === 'uv' ? 'readiness by libuv' : 'readiness by the helper thread',
  kind: 'idle',
  peer: 'idle',
  args: ['1000'],
  env: { RECVMMSG_READINESS: readiness },
  times: { rounds: 1 },
}))

function ourRow(style, gro) {
  return { peer: 'recvmmsg', args: gro ? [style] : [style, '--no-gro'], ours: true }
}

/** node:dgram's program with the import changed. */
function dgramRow(gro) {
  return { peer: 'dgram', args: gro ? ['--ours'] : ['--ours', '--no-gro'], ours: true }
}

function coalescing(row) {
  return { ...row, args: [...row.args, '--coalesce'] }
}

const ROWS = [
  ...flood,
  ...senders,
  ...alone,
  ...paced,
  ...latency,
  ...busy,
  ...collections,
  ...send,
  ...echo,
  ...idle,
]

/** The rows to measure: all, those of --quick, or those named, by their own names or their sections'. */
function chooseRows({ only, quick }) {
  const chosen = ROWS.filter((row) => {
    if (only.length > 0) return only.includes(row.name) || only.includes(row.section)
    return !quick || row.quick
  })
  return chosen.map((row) => ({
    kind: 'load',
    args: [],
    ...row,
    times: { ...(quick ? QUICK : TIMES), ...row.times },
  }))
}

/** All that --only understands. */
const NAMES = [...Object.keys(SECTIONS), ...ROWS.map((row) => row.name)]

module.exports = { NAMES, SECTIONS, chooseRows }
