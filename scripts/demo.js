'use strict'

// What `npm start` shows once everything is built: `recvmmsg listen` under the load of `recvmmsg send`, and node:dgram
// under the same load.

const { spawn } = require('node:child_process')
const dgram = require('node:dgram')
const os = require('node:os')
const path = require('node:path')
const { createInterface } = require('node:readline')
const { grouped, statusLine } = require('../cli/report')
const { Interrupted, Problem } = require('./lib/problem')

const main = path.resolve(__dirname, '..', 'cli', 'main.js')

const LOAD = ['--size', '64', '--gso', '40', '--flows', '4']
const LISTEN_SECONDS = 5
const DGRAM_SECONDS = 2

/** Nothing here takes longer, unless something hangs. */
const DEADLINE_MS = 30_000

const children = new Set()
let stopped = null

async function demo() {
  const deadline = setTimeout(stop, DEADLINE_MS, new Problem('The demo has taken too long.'))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => stop(new Interrupted(128 + os.constants.signals[signal])))
  }
  process.on('exit', () => killAll('SIGKILL'))
  // Handlers stay in place to the end when the process exits, not when it ends of itself.
  process.once('beforeExit', () => process.exit())
  const listen = [main, 'listen', '--address', '127.0.0.1', '--port', '0']
  listen.push('--duration', String(LISTEN_SECONDS), '--status', 'json')
  try {
    console.log(
      'Datagrams of 64 bytes, 4 flows in trains of 40 (UDP_SEGMENT, where there is such a thing), on loopback.',
    )
    console.log(`\nrecvmmsg listen, for ${LISTEN_SECONDS} seconds:`)
    const ours = await underLoad(listen, LISTEN_SECONDS)
    console.log(`\nnode:dgram, for ${DGRAM_SECONDS} seconds:`)
    const theirs = await underLoad([__filename, 'dgram'], DGRAM_SECONDS)
    console.log(`${grouped(theirs.datagrams / theirs.seconds)} datagrams/s`)
    console.log(`\n${comparison(ours, theirs)}`)
  } finally {
    clearTimeout(deadline)
    killAll('SIGTERM')
  }
}

/** Starts a receiver, sends to it from when it is bound to its end, and returns its figures. */
async function underLoad(args, seconds) {
  const receiver = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = ending(receiver)
  let load
  let figures
  createInterface({ input: receiver.stderr }).on('line', (line) => {
    // What is no JSON is a complaint, and for the user.
    if (!line.startsWith('{')) return console.error(line)
    const { event, ...fields } = JSON.parse(line)
    if (event === 'listening') load = send(fields.port, seconds)
    else if (event === 'status') showStatus(fields)
    else if (event === 'summary') figures = fields
  })
  await ended
  load?.child.kill()
  await load?.ended
  if (stopped) throw stopped
  if (!figures) throw new Problem('The receiver has ended before its time.')
  if (figures.datagrams === 0)
    throw new Problem('Nothing was received: the sender and the receiver have not met.')
  return figures
}

function send(port, seconds) {
  const args = [main, 'send', '--to', `127.0.0.1:${port}`, '--duration', String(seconds), '--json', ...LOAD]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return { child, ended: ending(child) }
}

/** What any program would do with node:dgram: a listener that looks at the length and the sender of each. */
function receiveWithDgram() {
  const tell = (event, fields) => process.stderr.write(`${JSON.stringify({ event, ...fields })}\n`)
  const socket = dgram.createSocket('udp4')
  let datagrams = 0
  let seen = 0
  socket.on('message', (message, rinfo) => {
    datagrams++
    seen += message.length + rinfo.port
  })
  // From the first datagram on: until then the sender is still starting.
  socket.once('message', () => {
    const before = process.cpuUsage()
    const started = performance.now()
    setTimeout(() => {
      const { user, system } = process.cpuUsage(before)
      const seconds = (performance.now() - started) / 1000
      const cpuNanosecondsPerDatagram = ((user + system) * 1000) / datagrams
      tell('summary', { datagrams, seconds, cpuNanosecondsPerDatagram, seen })
      socket.close()
    }, DGRAM_SECONDS * 1000)
  })
  socket.bind(0, '127.0.0.1', () => tell('listening', socket.address()))
}

function showStatus(fields) {
  if (process.stdout.isTTY) {
    process.stdout.write(`\r\x1b[K${statusLine(fields).slice(0, (process.stdout.columns || 80) - 1)}`)
  } else {
    console.log(statusLine(fields))
  }
}

/** The line that a newcomer can judge by. */
function comparison(ours, theirs) {
  const { cpuNanosecondsPerDatagram: cpu, kernelDrops } = ours
  const dropped = kernelDrops === null ? 'an unknown number of' : grouped(kernelDrops)
  return (
    `recvmmsg: ${grouped(ours.seconds, 1)} s, ${grouped(ours.datagrams)} datagrams, ${dropped} messages dropped by the kernel, ` +
    `${grouped(cpu)} ns of CPU per datagram; node:dgram here and now: ${grouped(theirs.cpuNanosecondsPerDatagram)} ns ` +
    `(${grouped(theirs.cpuNanosecondsPerDatagram / cpu, 1)} times as much)`
  )
}

/** Resolves, with nothing, when a child has ended or could not be started; until then it is ended with us. */
function ending(child) {
  children.add(child)
  return new Promise((resolve) => {
    const ended = () => {
      children.delete(child)
      resolve()
    }
    child.on('error', (error) => {
      console.error(error.message)
      ended()
    })
    child.on('close', ended)
  })
}

/** Ends the children, after which whoever waits for them finds out why. */
function stop(reason) {
  // npm passes on a signal that the terminal has already sent to everybody: the first one counts.
  stopped ??= reason
  killAll('SIGTERM')
}

function killAll(signal) {
  for (const child of children) child.kill(signal)
}

// `npm start` loads this file; as a child it is node:dgram's side.
if (require.main !== module) {
  module.exports = { done: demo() }
} else if (process.argv[2] === 'dgram') {
  receiveWithDgram()
} else {
  demo().catch(require('./setup').giveUp)
}
