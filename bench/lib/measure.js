'use strict'

// One measurement of one row: start the receiver, warm it up, load it, and take stock while nothing moves.

const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { cpuBetween, cpuOf, residentBytes } = require('./cpu')
const { measureSending } = require('./measure-send')
const { Child, childEnvironment } = require('./process')
const { takeStock } = require('./stock')
const { check, checkEcho, SIZE } = require('./sums')

const sender = path.resolve(__dirname, '..', '..', '.build', 'sender')

/** What is asked for; the kernel doubles it, and clamps it to net.core.rmem_max. */
const BUFFER_BYTES = 4 << 20
const WARM_UP = { segments: 40, flows: 4 }

/** @returns what the measurement gave, or `{ missing }` with a reason. */
async function measure(row, { peers, cpus, neighbours }) {
  const peer = peers[row.peer]
  if (peer.missing) return { missing: peer.missing }
  if (row.kind === 'send') return measureSending(row, { peers, cpus })
  if (row.kind === 'echo' && peers.load.missing) return { missing: `no load: ${peers.load.missing}` }
  const send = row.kind === 'echo' ? exchange(peers.load) : flood
  const [command, args] = peer.start
  const options = { cpu: cpus?.receiver, env: childEnvironment(row.env) }
  const receiver = new Child(command, [...args, ...row.args], options)
  try {
    const { ports } = await receiver.answer()
    if (row.kind === 'idle') return await idle(row, receiver)
    const buffer = await setBuffer(peers, receiver, ports)
    const warm = row.kind === 'busy' ? row.load : WARM_UP
    await send(ports, warm, row.times.warm, cpus)
    const before = await takeStock(receiver, ports)
    const work = async () => {
      const sent = await send(ports, row.load, row.times.window, cpus)
      // Beside them also while it comes to the end of its queue.
      return [sent, await takeStock(receiver, ports, true)]
    }
    const [sent, after] = await (row.beside ? neighbours.beside(work) : work())
    return { ...result(row, before, after, sent), ...buffer }
  } finally {
    await receiver.end()
  }
}

/** Sends to each port from a process of its own; what they sent. */
function flood(ports, load, duration, cpus) {
  const options = ['--size', SIZE, '--duration', duration, '--flows', load.flows]
  if (load.segments) options.push('--segments', load.segments)
  if (load.rate) options.push('--rate', load.rate)
  if (load.stamp) options.push('--stamp')
  const all = (port) => ['--to', `127.0.0.1:${port}`, ...options.map(String)]
  return Promise.all(ports.map((port) => reportOf(sender, all(port), duration, cpus)))
}

/** Sends as a row's `load` says and takes what comes back: peers/c/load.c, which knows no other load. */
function exchange({ start: [command] }) {
  return ([port], _load, duration, cpus) =>
    Promise.all([reportOf(command, [port, duration].map(String), duration, cpus)])
}

/** Runs what loads a receiver, to its end. */
async function reportOf(command, args, duration, cpus) {
  const child = new Child(command, args, { cpu: cpus?.sender })
  try {
    return await child.answer(duration + 20_000)
  } finally {
    await child.end()
  }
}

/** Gives a receiver the buffer that all have, and tells what is in force. */
async function setBuffer(peers, receiver, ports) {
  if (peers.buffer.missing) return {}
  const [command, args] = peers.buffer.start
  const sizes = []
  for (const port of ports) {
    const child = new Child(command, [...args, receiver.pid, port, BUFFER_BYTES].map(String))
    sizes.push(await child.answer().catch(() => null))
    await child.end()
  }
  return { bufferBytes: sizes[0] }
}

function result(row, before, after, sent) {
  const cpuNs = cpuBetween(before.cpu, after.cpu)
  const seconds = Math.max(...sent.map((report) => report.seconds))
  const sockets = sent.map((report, index) => {
    const told = ({ told }) => told.sockets?.[index] ?? told
    return check(row, report, told(before), told(after), after.drops[index] - before.drops[index])
  })
  const [{ told: first }, { told: last }] = [before, after]
  const unanswered = row.kind === 'echo' ? checkEcho(row, sent[0], last.sent - first.sent, sockets[0]) : []
  const sum = (name) => sockets.reduce((total, socket) => total + socket[name], 0)
  const received = sum('received')
  const { p50, p99, samples, lag, minor, calls } = last
  return {
    sent: sum('sent'),
    received,
    lostMessages: sum('lostMessages'),
    lost: sum('lost'),
    problems: [...sockets.flatMap((socket) => socket.problems), ...unanswered],
    seconds,
    cpuNs,
    nsPerDatagram: cpuNs / received,
    perSecond: received / seconds,
    cpuShare: cpuNs / 1e9 / seconds,
    ...(calls && { perCall: received / (calls - first.calls) }),
    ...(samples && { samples, p50, p99 }),
    ...(lag !== undefined && { lagMs: lag }),
    ...(sockets.length > 1 && { shares: sockets.map((socket) => socket.received / received) }),
    ...(minor !== undefined && { minor: minor - first.minor }),
    ...(minor !== undefined && { minorPer10M: ((minor - first.minor) * 1e7) / received }),
  }
}

/** CPU and memory of many sockets to which nothing comes. */
async function idle(row, receiver) {
  await sleep(300)
  const memory = residentBytes(receiver.pid)
  const { open } = await receiver.ask()
  await sleep(500)
  const cpu = cpuOf(receiver.pid)
  await sleep(row.times.idle)
  const cpuNs = cpuBetween(cpu, cpuOf(receiver.pid))
  return { open, cpuNs, cpuMs: cpuNs / 1e6, grownBytes: residentBytes(receiver.pid) - memory, problems: [] }
}

module.exports = { measure }
