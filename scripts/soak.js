'use strict'

// `npm run soak [-- --minutes 30]`: the receiver under more than it can take, for long. Sockets come and go, with
// UDP_GRO and without; what must not grow is watched, and every datagram is accounted for.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const v8 = require('node:v8')
const vm = require('node:vm')
const { Problem } = require('./lib/problem')
const { run } = require('./lib/run')
const { sampleOf, verdict } = require('./lib/soak-samples')
const setup = require('./setup')

const root = path.resolve(__dirname, '..')
const SEGMENTS = 40

/** A phase is one socket and one sender, and is sampled every ten seconds, never at its ends. */
const PHASE_S = 30
const SAMPLE_S = 10
const OFFSET_S = 5

/** Phases until all kinds have had their turn: GRO, the way of reading and the backend change. */
const CYCLE = 8

/** The part of a long run that does not count, as pools and caches fill; of a short one it is a cycle. */
const WARM_UP = 1 / 3

/** How long the rest of the queue may take once nothing is sent any more. */
const DRAIN_MS = 10_000

function minutesOf(args) {
  const [flag = '--minutes', value = '30', ...rest] = args
  const minutes = Number(value)
  if (flag !== '--minutes' || !(minutes >= 3) || rest.length > 0) {
    throw new Problem('usage: npm run soak -- [--minutes N], three at least')
  }
  return minutes
}

/** The two ways of reading that have an engine behind them, told what to do with each batch. */
const readers = {
  event: (socket, take) => socket.on('batch', take),
  loop: async (socket, take) => {
    for await (const batch of socket) take(batch)
  },
}

/** Sends for so long to a socket that is read, and samples meanwhile. */
async function phase({ gro, reader, backend, seconds, begun }) {
  const { UdpSocket } = require('../index.js')
  const socket = UdpSocket.bind({ address: '127.0.0.1', gro, backend })
  const over = new AbortController()
  let seen = 0
  const take = (batch) => {
    for (let i = 0; i < batch.length; i++) seen += batch.sizeAt(i) > 0 && batch.portAt(i) > 0 ? 1 : 0
  }
  try {
    const reading = readers[reader](socket, take)
    const sampling = samplesOf(seconds, begun, over.signal)
    const [sent, samples] = await Promise.all([send(socket.address(), seconds), sampling])
    await drained(socket, sent, gro)
    const stats = socket.stats()
    socket.close()
    await reading
    return { gro, reader, backend, seconds, sent, stats, seen, samples }
  } finally {
    over.abort()
    socket.close()
  }
}

/** Has the sender saturate the socket, and resolves with its account of it. */
async function send({ address, port }, seconds) {
  const load = ['--size', 64, '--segments', SEGMENTS, '--flows', 4, '--duration', seconds * 1000]
  const args = ['--to', `${address}:${port}`, ...load].map(String)
  const { code, stdout, all } = await run(path.join(root, '.build', 'sender'), args)
  if (code !== 0) throw new Problem('The sender has failed.', all.trim())
  return JSON.parse(stdout.trim().split('\n').at(-1))
}

async function samplesOf(seconds, begun, signal) {
  const samples = []
  for (let at = OFFSET_S; at < seconds; at += SAMPLE_S) {
    await sleep((at === OFFSET_S ? OFFSET_S : SAMPLE_S) * 1000, undefined, { signal })
    samples.push(sampleOf((performance.now() - begun) / 60_000))
  }
  return samples
}

/** What has left the sender and is neither received nor dropped. With UDP_GRO the kernel drops whole messages. */
function missing({ datagrams, messages, kernelDrops }, sent, gro) {
  return gro ? sent.messages - messages - kernelDrops : sent.datagrams - datagrams - kernelDrops
}

async function drained(socket, sent, gro) {
  const deadline = performance.now() + DRAIN_MS
  while (missing(socket.stats(), sent, gro) > 0 && performance.now() < deadline) await sleep(10)
}

function problemsOf({ gro, stats, sent, seen }) {
  const problems = []
  const lost = missing(stats, sent, gro)
  const what = gro ? 'messages' : 'datagrams'
  if (lost !== 0) problems.push(`${Math.abs(lost)} ${what} ${lost > 0 ? 'are unaccounted for' : 'too many'}`)
  if (gro && stats.datagrams !== stats.messages * SEGMENTS) {
    problems.push(`${stats.messages} messages of ${SEGMENTS} have become ${stats.datagrams} datagrams`)
  }
  if (seen !== stats.datagrams)
    problems.push(`${stats.datagrams} datagrams were received, ${seen} were shown`)
  if (stats.truncated + stats.overflow + stats.controlTruncated > 0 || Object.keys(stats.errors).length > 0) {
    problems.push(
      `truncated ${stats.truncated}, overflow ${stats.overflow}, errors ${JSON.stringify(stats.errors)}`,
    )
  }
  return problems
}

function tell(number, { gro, reader, backend, seconds, stats, sent, samples }) {
  const count = (value) => value.toLocaleString('en')
  console.log(
    `phase ${number}: gro ${gro ? 'on' : 'off'}, ${backend}, ${reader}: sent ${count(sent.datagrams)} datagrams, ` +
      `received ${count(stats.datagrams)} (${count(Math.round(stats.datagrams / seconds))}/s), ` +
      `dropped ${count(stats.kernelDrops)} ${gro ? 'messages' : 'datagrams'}`,
  )
  for (const { minute, rss, heap, fds, tasks } of samples) {
    const [resident, used] = [rss, heap].map((bytes) => (bytes / 1024 ** 2).toFixed(1))
    console.log(
      `  ${minute.toFixed(2)} min: RSS ${resident} MiB, heap ${used} MiB, ${fds} descriptors, ${tasks} threads`,
    )
  }
}

/** All phases; the samples that count, and what did not add up. */
async function phases(minutes, backends) {
  const count = Math.max(2 * CYCLE, Math.round((minutes * 60) / PHASE_S))
  const seconds = (minutes * 60) / count
  const begun = performance.now()
  const samples = []
  const problems = []
  for (let number = 0; number < count; number++) {
    // In turn: GRO changes every time, the way of reading every second time, the backend every fourth time.
    const [gro, second, fourth] = [0, 1, 2].map((nth) => (number >> nth) % 2)
    const how = { gro: gro === 1, reader: second ? 'loop' : 'event', backend: backends[fourth] }
    const result = await phase({ ...how, seconds, begun })
    tell(number + 1, result)
    if (number >= Math.max(CYCLE, count * WARM_UP)) samples.push(...result.samples)
    problems.push(...problemsOf(result).map((problem) => `phase ${number + 1}: ${problem}`))
  }
  return { samples, problems }
}

async function soak() {
  if (!fs.existsSync('/proc/self/task')) throw new Problem('The soak needs Linux: it reads /proc.')
  const minutes = minutesOf(process.argv.slice(2))
  await setup.ensure({})
  v8.setFlagsFromString('--expose-gc')
  globalThis.gc = vm.runInNewContext('gc')
  const { capabilities } = require('../index.js')
  const { gro, gso, recvmmsg } = capabilities()
  if (!gro || !gso) throw new Problem('The soak needs UDP_GRO and UDP_SEGMENT, which this kernel has not.')
  console.log(`soak: ${minutes} minutes, Node.js ${process.version}, Linux ${os.release()}`)

  const { samples, problems } = await phases(minutes, [recvmmsg ? 'mmsg' : 'portable', 'portable'])
  const { lines, broken } = verdict(samples)
  for (const line of lines) console.log(line)
  problems.push(...broken)
  for (const problem of problems) console.error(`soak: ${problem}`)
  if (problems.length > 0) throw new Problem(`The soak has broken ${problems.length} bounds.`)
  console.log('soak: every bound held')
}

soak().catch(setup.giveUp)
