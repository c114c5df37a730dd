'use strict'

// One measurement of one row: start the receiver, warm it up, load it, and take stock while nothing moves.

const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { cpuBetween, cpuOf, residentBytes } = require('./cpu')
const { dropsAt, untilQuiet } = require('./kernel')
const { Child, childEnvironment } = require('./process')
const { check, SIZE } = require('./sums')

const sender = path.resolve(__dirname, '..', '..', '.build', 'sender')

/** What is asked for; the kernel doubles it, and clamps it to net.core.rmem_max. */
const BUFFER_BYTES = 4 << 20
const WARM_UP = { segments: 40, flows: 4 }

/** @returns what the measurement gave, or `{ missing }` with a reason. */
async function measure(row, { peers, cpus, neighbours }) {
  const peer = peers[row.peer]
  if (peer.missing) return { missing: peer.missing }
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

/** The receiver's own account, the kernel's, and the CPU used: of a receiver at rest. */
async function takeStock(receiver, ports, end = false) {
  await untilQuiet(ports)
  // Outside of the window on both sides: answering is not receiving.
  const cpu = end && cpuOf(receiver.pid)
  const told = await receiver.ask()
  return { told, drops: dropsAt(ports), cpu: cpu || cpuOf(receiver.pid) }
}

/** Sends to each port from a process of its own; what they sent. */
function send(ports, load, duration, cpus) {
  const options = ['--size', SIZE, '--duration', duration, '--flows', load.flows]
  if (load.segments) options.push('--segments', load.segments)
  if (load.rate) options.push('--rate', load.rate)
  if (load.stamp) options.push('--stamp')
  const one = async (port) => {
    const child = new Child(sender, ['--to', `127.0.0.1:${port}`, ...options.map(String)], {
      cpu: cpus?.sender,
    })
    try {
      return await child.answer(duration + 20_000)
    } finally {
      await child.end()
    }
  }
  return Promise.all(ports.map(one))
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
  const sum = (name) => sockets.reduce((total, socket) => total + socket[name], 0)
  const received = sum('received')
  const { p50, p99, samples, lag, minor, calls } = after.told
  return {
    sent: sum('sent'),
    received,
    lostMessages: sum('lostMessages'),
    lost: sum('lost'),
    problems: sockets.flatMap((socket) => socket.problems),
    seconds,
    cpuNs,
    nsPerDatagram: cpuNs / received,
    perSecond: received / seconds,
    cpuShare: cpuNs / 1e9 / seconds,
    ...(calls && { perCall: received / (calls - before.told.calls) }),
    ...(samples && { samples, p50, p99 }),
    ...(lag !== undefined && { lagMs: lag }),
    ...(sockets.length > 1 && { shares: sockets.map((socket) => socket.received / received) }),
    ...(minor !== undefined && { minor: minor - before.told.minor }),
    ...(minor !== undefined && { minorPer10M: ((minor - before.told.minor) * 1e7) / received }),
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
