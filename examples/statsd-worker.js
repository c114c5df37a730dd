'use strict'
// A statsd aggregator. The socket is a worker's, which does nothing but receive and add up, with calls that wait on its
// own thread: there is no event loop in the way of the next datagram, and none of the program's work is in its way either.
//
//   node examples/statsd-worker.js [port] [address]     8125 and 127.0.0.1
//   echo 'requests:1|c' | nc -u -w0 127.0.0.1 8125
//
// The main thread gets what was added up, ten times a second, prints it, and ends the worker on a signal.

const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads')
const { PacketBatch, recvMmsg, UdpSocket } = require('recvmmsg')

const FLUSH_MS = 100
const NEWLINE = 10

function main() {
  const [port = '8125', address = '127.0.0.1'] = process.argv.slice(2)
  const worker = new Worker(__filename, { workerData: { port: Number(port), address } })
  worker.on('message', (message) => console.log(JSON.stringify(message)))
  worker.on('error', (error) => {
    console.error(error)
    process.exitCode = 1
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => worker.terminate())
}

function aggregate() {
  const socket = UdpSocket.bind({ ...workerData, recvBufferSize: 4 << 20 })
  const batch = new PacketBatch({ capacity: 256 })
  parentPort.postMessage({ listening: socket.address() })
  let metrics = new Metrics()
  let flushAt = performance.now() + FLUSH_MS
  for (;;) {
    const wait = Math.max(0, flushAt - performance.now())
    // It waits for the first datagram, and takes what else is there.
    if (recvMmsg(socket, batch, { vlen: batch.capacity, timeout: wait }) > 0) {
      for (let index = 0; index < batch.length; index++) metrics.addAll(batch.dataAt(index))
      batch.clear()
    }
    if (performance.now() < flushAt) continue
    flushAt += FLUSH_MS * Math.ceil((performance.now() - flushAt + 1) / FLUSH_MS)
    if (metrics.empty) continue
    const { kernelDrops } = socket.stats()
    parentPort.postMessage({ ...metrics.flush(), kernelDrops })
    metrics = new Metrics()
  }
}

/** What came since the last flush. */
class Metrics {
  #counters = new Map()
  #gauges = new Map()
  #timers = new Map()
  #sets = new Map()
  #bad = 0

  get empty() {
    return (
      [this.#counters, this.#gauges, this.#timers, this.#sets].every((map) => map.size === 0) &&
      this.#bad === 0
    )
  }

  /** The metrics of one datagram, one a line: `name:value|type[|@rate]`. */
  addAll(data) {
    for (let start = 0; start < data.length; ) {
      let end = data.indexOf(NEWLINE, start)
      if (end < 0) end = data.length
      if (end > start) this.#add(data.latin1Slice(start, end))
      start = end + 1
    }
  }

  #add(line) {
    const [, name, text, type, rate = '1'] =
      /^([^:|]+):([^|]+)\|(c|g|ms|h|s)(?:\|@([\d.]+))?/.exec(line) ?? []
    const value = Number(text)
    if (name === undefined || (type !== 's' && !Number.isFinite(value)) || !(rate > 0)) this.#bad++
    else if (type === 'c') this.#counters.set(name, (this.#counters.get(name) ?? 0) + value / rate)
    else if (type === 'g') {
      // A sign means "by", none means "to".
      const relative = text.startsWith('+') || text.startsWith('-')
      this.#gauges.set(name, relative ? (this.#gauges.get(name) ?? 0) + value : value)
    } else if (type === 's') listOf(this.#sets, name).push(text)
    else listOf(this.#timers, name).push(value)
  }

  flush() {
    const timers = Array.from(this.#timers, ([name, values]) => {
      values.sort((a, b) => a - b)
      const sum = values.reduce((a, b) => a + b)
      const p95 = values[Math.ceil(values.length * 0.95) - 1]
      return [
        name,
        { count: values.length, min: values[0], max: values.at(-1), mean: sum / values.length, p95 },
      ]
    })
    const sets = Array.from(this.#sets, ([name, values]) => [name, new Set(values).size])
    return {
      counters: Object.fromEntries(this.#counters),
      gauges: Object.fromEntries(this.#gauges),
      timers: Object.fromEntries(timers),
      sets: Object.fromEntries(sets),
      bad: this.#bad,
    }
  }
}

function listOf(map, name) {
  let list = map.get(name)
  if (list === undefined) {
    list = []
    map.set(name, list)
  }
  return list
}

if (isMainThread) main()
else aggregate()
