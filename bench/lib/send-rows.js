'use strict'

// What is measured of sending: one entry per row, in the order of the tables. `base` is the row that a row is compared
// with.

/** Rows that the short run has, too. */
const MAIN = [
  'send-c',
  'send-dgram',
  'send-items',
  'send-c-gso',
  'send-items-gso',
  'echo-dgram',
  'echo-ours-gso',
]

const STYLES = [
  ['items', '`sendBatch` of items'],
  ['batch', '`sendBatch` of a PacketBatch, `to`'],
  ['segments', '`sendBatch` of one buffer, `segmentSize`'],
  ['one', '`send` of each'],
]

const sending = { section: 'send', kind: 'send', times: { warm: 600, window: 700 } }
const theirs = [
  { name: 'send-c', label: 'C, sendmmsg(64)', peer: 'send-c', args: ['1'] },
  { name: 'send-dgram', label: 'node:dgram, 64 in flight', peer: 'send-dgram' },
  {
    name: 'send-swapped',
    label: '`recvmmsg/dgram`, 64 in flight',
    peer: 'send-dgram',
    args: ['--ours'],
    ours: true,
  },
  { name: 'send-bun', label: 'Bun.udpSocket, `sendMany`', peer: 'send-bun' },
]
const segmented = [
  ['send-c-gso-40', 40],
  ['send-c-gso', 128],
].map(([name, segments]) => ({
  name,
  label: `C, sendmmsg(64), ${segments} datagrams to a message`,
  peer: 'send-c',
  args: [String(segments)],
  gso: true,
}))

const send = [false, true]
  .flatMap((gso) => {
    const suffix = gso ? '-gso' : ''
    // A single one is not to be put together with others.
    const styles = STYLES.filter(([style]) => !gso || style !== 'one')
    const ours = styles.map(([style, label]) => ({
      name: `send-${style}${suffix}`,
      label,
      peer: 'send-ours',
      args: gso ? [style] : [style, '--no-gso'],
      ours: true,
      gso,
    }))
    const rows = [...(gso ? segmented : theirs), ...ours]
    return rows.map((row) => ({ ...row, base: `send-c${suffix}` }))
  })
  .map((row) => ({ ...row, ...sending, quick: MAIN.includes(row.name) }))

const ECHO = "`'batch'` listener and `sendBatch(batch)`"
const echoing = {
  section: 'echo',
  kind: 'echo',
  base: 'echo-dgram',
  load: { segments: 40, flows: 4 },
  times: { warm: 250, window: 700 },
}
const echo = [
  { name: 'echo-c', label: 'C, recvmmsg(64) and sendmmsg', peer: 'echo-c' },
  { name: 'echo-dgram', label: 'node:dgram', peer: 'echo-dgram' },
  { name: 'echo-bun', label: 'Bun.udpSocket', peer: 'echo-bun', givenBuffer: true },
  { name: 'echo-ours', label: ECHO, peer: 'echo-ours', args: ['--no-segments'], ours: true },
  {
    name: 'echo-c-gso',
    label: 'C, recvmmsg(64) and sendmmsg',
    peer: 'echo-c',
    args: ['--segments'],
    gro: true,
  },
  { name: 'echo-ours-gso', label: ECHO, peer: 'echo-ours', gro: true, ours: true },
].map((row) => ({ ...row, ...echoing, quick: MAIN.includes(row.name) }))

module.exports = { echo, send }
