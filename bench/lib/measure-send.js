'use strict'

// One measurement of one row of sending. The sender is what is measured and has the CPU that receivers have elsewhere.
//
// The sink is the same for all: the bare C loop with UDP_GRO. It looks often instead of waiting for a wake-up, which a
// sender would pay for, a slow one for each datagram.
//
// A datagram that finds the receive buffer full costs its sender less than one that is queued, so none may: the sink shows
// what it has received, and a sender that is a window ahead of it sleeps. That is looked up once in so many datagrams.

const { cpuBetween, cpuOf } = require('./cpu')
const { Child } = require('./process')
const { takeStock } = require('./stock')
const { check } = require('./sums')

/** Datagrams that the sink's buffer of 8 MiB holds with room to spare; as parts of messages they take less. */
const WINDOW = 6144
const SEGMENTED_WINDOW = 65_536

async function measureSending(row, { peers, cpus }) {
  if (peers.c.missing) return { missing: `no sink: ${peers.c.missing}` }
  const [file, own] = peers.c.start
  const sink = new Child(file, [...own, '--gro', '--sink'], { cpu: cpus?.sender })
  let sender
  try {
    const { ports: to, shown } = await sink.answer()
    const { warm, window } = row.times
    const task = [shown, row.gso ? SEGMENTED_WINDOW : WINDOW, ...to, warm, window].map(String)
    const [command, args] = peers[row.peer].start
    sender = new Child(command, [...args, ...row.args, ...task], { cpu: cpus?.receiver })
    const { ports } = await sender.answer()
    await sender.ask() // the first turn warms it up
    const before = await takeStock(sink, to)
    const cpu = cpuOf(sender.pid)
    const sent = await sender.ask()
    const cpuNs = cpuBetween(cpu, cpuOf(sender.pid))
    return result(cpuNs, { ...sent, ports, gso: row.gso }, before, await takeStock(sink, to))
  } finally {
    await sender?.end()
    await sink.end()
  }
}

function result(cpuNs, report, before, after) {
  const { seconds, datagrams } = report
  // All messages of a row are alike, so what was lost can be told in datagrams.
  const messages = after.told.messages - before.told.messages
  const perMessage = (after.told.datagrams - before.told.datagrams) / messages
  const row = { gro: true, load: { segments: perMessage } }
  const lostMessages = after.drops[0] - before.drops[0]
  return {
    ...check(row, report, before.told, after.told, lostMessages),
    seconds,
    cpuNs,
    nsPerDatagram: cpuNs / datagrams,
    perSecond: datagrams / seconds,
    cpuShare: cpuNs / 1e9 / seconds,
    perMessage,
  }
}

module.exports = { measureSending }
