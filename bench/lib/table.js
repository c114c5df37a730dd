'use strict'

// The figures as tables: for the terminal, and in Markdown.

const { SECTIONS } = require('./rows')

const grouped = (number) => Math.round(number).toLocaleString('en-US')
const fixed = (digits) => (number) => number.toFixed(digits)
const micros = (ns) => (ns / 1000).toFixed(1)
const percent = (share) => `${(share * 100).toFixed(0)} %`
const nanos = (ns) => (ns < 100 ? ns.toFixed(1) : grouped(ns))

/** Columns of each section: heading, and what it shows of a row. `base` is the row that this one is compared with. */
const cost = ['CPU ns/datagram', ({ median }) => nanos(median.nsPerDatagram)]
const speed = ['datagrams/s', ({ median }) => grouped(median.perSecond)]
const batch = ['datagrams/call', ({ median }) => (median.perCall ? grouped(median.perCall) : '')]
const share = ['CPU used', ({ median }) => percent(median.cpuShare)]
const beside = (heading) => [
  heading,
  ({ median }, base) => (base?.median ? `${fixed(2)(median.nsPerDatagram / base.median.nsPerDatagram)}` : ''),
]
const gro = ['UDP_GRO', (row) => (row.gro ? 'yes' : 'no')]
const gso = ['UDP_SEGMENT', (row) => (row.gso ? 'yes' : 'no')]
const message = ['datagrams/message', ({ median }) => grouped(median.perMessage)]
const account = ['sent = received + lost', ({ median }) => lossOf(median)]
const COLUMNS = {
  flood: [gro, cost, beside('× C'), speed, share, batch, account],
  senders: [cost, beside('× C'), speed, share, batch, account],
  alone: [gro, cost, beside('× C'), speed, share, batch, account],
  paced: [
    ['per second', ({ name }) => grouped(Number(/(\d+)k/.exec(name)[1]) * 1000)],
    cost,
    beside('× dgram'),
    share,
    account,
  ],
  latency: [
    ['p50 µs', ({ median }) => micros(median.p50)],
    ['p99 µs', ({ median }) => micros(median.p99)],
    ['datagrams a round', ({ median }) => grouped(median.samples)],
    account,
  ],
  busy: [
    ['worst lag of a 1 ms timer', ({ median }) => `${fixed(2)(median.lagMs)} ms`],
    ['shares', ({ median }) => (median.shares ?? [1]).map(percent).join(', ')],
    cost,
    account,
  ],
  collections: [
    gro,
    ['minor collections per 10 million datagrams', ({ median }) => fixed(1)(median.minorPer10M)],
    cost,
  ],
  send: [gso, cost, beside('× C'), speed, share, message, account],
  echo: [
    ['UDP_GRO, UDP_SEGMENT', (row) => (row.gro ? 'yes' : 'no')],
    speed,
    [
      '× dgram',
      ({ median }, base) => (base?.median ? fixed(1)(median.perSecond / base.median.perSecond) : ''),
    ],
    cost,
    share,
    ['sent = echoed + lost', ({ median }) => (median.lost === 0 ? 'all came back' : lossOf(median))],
  ],
  idle: [
    ['CPU', ({ median }) => `${fixed(1)(median.cpuMs)} ms`],
    ['memory they took', ({ median }) => `${fixed(1)(median.grownBytes / 2 ** 20)} MiB`],
  ],
}

/** Medians of one row need not add up; what is checked is each round. With GRO a message is what is lost. */
function lossOf({ sent, lost, lostMessages }) {
  if (lost === 0) return 'all received'
  const unit = lost === lostMessages ? '' : `, in ${grouped(lostMessages)} messages`
  return `${((lost / sent) * 100).toFixed(0)} % lost${unit}`
}

/** The sections that were measured, with heads and cells. */
function tables(results) {
  const byName = new Map(results.map((row) => [row.name, row]))
  return Object.keys(SECTIONS).flatMap((section) => {
    const rows = results.filter((row) => row.section === section)
    if (rows.length === 0) return []
    const columns = COLUMNS[section]
    const lines = rows.map((row) => [
      row.ours ? `recvmmsg: ${row.label}` : row.label,
      ...(row.missing
        ? [`not measured: ${row.missing}`, ...columns.slice(1).map(() => '')]
        : columns.map(([, show]) => show(row, byName.get(row.base)))),
      ...(row.problems.length > 0 ? [`WRONG: ${row.problems.join('; ')}`] : []),
    ])
    return [{ title: SECTIONS[section], head: ['', ...columns.map(([heading]) => heading)], lines }]
  })
}

/** Text for a terminal, in columns. */
function asText(results, targets) {
  const blocks = tables(results).map(({ title, head, lines }) => `${title}\n\n${aligned([head, ...lines])}`)
  return [...blocks, ...(targets.length > 0 ? [`Targets\n\n${aligned(targetLines(targets))}`] : [])].join(
    '\n\n',
  )
}

/** The same in Markdown. */
function asMarkdown(results, targets) {
  const table = ([head, ...lines]) => {
    const row = (cells) => `| ${cells.join(' | ')} |`
    const rule = `| --- ${'| ---: '.repeat(head.length - 1)}|`
    return [row(head), rule, ...lines.map(row)].join('\n')
  }
  const blocks = tables(results).map(({ title, head, lines }) => `### ${title}\n\n${table([head, ...lines])}`)
  return [...blocks, `### Targets\n\n${table(targetLines(targets))}`].join('\n\n')
}

function targetLines(targets) {
  const show = (number, unit) => {
    const digits = Math.abs(number) >= 10 ? 1 : number < 0.1 ? 4 : 2
    return `${fixed(digits)(number)}${unit && ` ${unit}`}`
  }
  return [
    ['', 'measured', 'at most', ''],
    ...targets.map(({ text, actual, most, unit, met }) => [
      text,
      show(actual, unit),
      show(most, unit),
      met ? 'met' : 'missed',
    ]),
  ]
}

function aligned(lines) {
  const widths = []
  for (const line of lines) {
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  }
  const pad = (cell, index) => (index === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[index]))
  return lines.map((line) => `  ${line.map(pad).join('  ').trimEnd()}`.replaceAll('`', '')).join('\n')
}

module.exports = { asMarkdown, asText, nanos }
