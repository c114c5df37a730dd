'use strict'

// What the figures should be. Ratios are of medians of one run, so that the machine's speed does not matter.

const NS = (rows, name) => rows[name]?.median?.nsPerDatagram
const ratio =
  (name, base, of = NS) =>
  (rows) =>
    of(rows, name) / of(rows, base)
const PER_SECOND = (rows, name) => rows[name]?.median?.perSecond
const field = (name, key) => (rows) => rows[name]?.median?.[key]

/** Each with what it gives of the rows by name; `most` is the limit, `least` another one below. */
const TARGETS = [
  ['recv columns beside the bare loop', ratio('recv', 'c'), 1.08],
  ["'batch' columns beside the bare loop", ratio('batch', 'c'), 1.15],
  ['for await columns beside the bare loop', ratio('for-await', 'c'), 1.25],
  ["'batch' columns with GRO beside the bare GRO loop", ratio('batch-gro', 'c-gro'), 1.2],
  ['the same where the receiver has a CPU to itself', ratio('alone-batch-gro', 'alone-c-gro'), 1.2],
  ["'batch' columns with GRO beside node:dgram", ratio('batch-gro', 'dgram'), 1 / 50],
  ['data, address, port of 1,000 senders beside the bare GRO loop', ratio('senders-views', 'senders-c'), 2],
  ['CPU at 10,000/s beside node:dgram', ratio('paced-10k-batch', 'paced-10k-dgram'), 1],
  ['CPU at 100,000/s beside node:dgram', ratio('paced-100k-batch', 'paced-100k-dgram'), 1],
  ['latency p50 beside node:dgram', ratio('latency-batch', 'latency-dgram', (r, n) => field(n, 'p50')(r)), 1],
  ['latency p99 beside node:dgram', ratio('latency-batch', 'latency-dgram', (r, n) => field(n, 'p99')(r)), 1],
  ['`recvmmsg/dgram` without GRO beside node:dgram', ratio('swapped', 'dgram'), 0.3],
  ['`recvmmsg/dgram` with GRO beside node:dgram', ratio('swapped-gro', 'dgram'), 0.08],
  ['one `send` of `recvmmsg/dgram` beside node:dgram', ratio('send-swapped', 'send-dgram'), 0.7],
  ['`recvmmsg/dgram` at 10,000/s beside node:dgram', ratio('paced-10k-swapped', 'paced-10k-dgram'), 1],
  ['`recvmmsg/dgram` at 100,000/s beside node:dgram', ratio('paced-100k-swapped', 'paced-100k-dgram'), 1],
  ...['p50', 'p99'].map((quantile) => [
    `latency ${quantile} of \`recvmmsg/dgram\` beside node:dgram`,
    ratio('latency-swapped', 'latency-dgram', (r, n) => field(n, quantile)(r)),
    1,
  ]),
  ['worst lag of a 1 ms timer, one busy socket', field('timer', 'lagMs'), 5, 'ms'],
  ['larger share of two busy sockets', (rows) => largestShare(rows) * 100, 60, '%'],
  ...['gc-batch', 'gc-batch-gro', 'gc-packets', 'gc-packets-gro'].map((name) => [
    `minor collections per 10 million datagrams, ${name.slice(3)}`,
    field(name, 'minorPer10M'),
    100,
    '',
  ]),
  ['sendBatch of items, without GSO, beside C sendmmsg', ratio('send-items', 'send-c'), 1.1],
  [
    'sendBatch of one buffer with GSO beside C, 128 to a message',
    ratio('send-segments-gso', 'send-c-gso'),
    1.4,
  ],
  [
    'sendBatch of a PacketBatch with GSO beside C, 40 to a message, as it was received',
    ratio('send-batch-gso', 'send-c-gso-40'),
    1.4,
  ],
  ['sendBatch of items with GSO beside node:dgram', ratio('send-items-gso', 'send-dgram'), 1 / 8],
  [
    "node:dgram's echoes a second beside ours, GRO and GSO",
    ratio('echo-dgram', 'echo-ours-gso', PER_SECOND),
    1 / 5,
  ],
  ["node:dgram's echoes a second beside ours without", ratio('echo-dgram', 'echo-ours', PER_SECOND), 1 / 2],
  ...['uv', 'thread'].flatMap((readiness) => [
    [`CPU of 1,000 idle readers in 10 s, ${readiness}`, field(`idle-${readiness}`, 'cpuMs'), 20, 'ms'],
    [
      `memory of 1,000 idle readers, ${readiness}`,
      (r) => field(`idle-${readiness}`, 'grownBytes')(r) / 2 ** 20,
      64,
      'MiB',
    ],
  ]),
]

function largestShare(rows) {
  const shares = rows.shares?.median?.shares
  return shares ? Math.max(...shares) : undefined
}

/** The targets of what was measured, each with its value and whether it is met. */
function judge(results) {
  const rows = Object.fromEntries(results.map((row) => [row.name, row]))
  return TARGETS.flatMap(([text, value, most, unit = '×']) => {
    const actual = value(rows)
    return Number.isFinite(actual) ? [{ text, actual, most, unit, met: actual <= most }] : []
  })
}

module.exports = { judge }
