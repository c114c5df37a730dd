// The examples that ingest: a forwarder, a statsd aggregator in a worker, a market-data listener.

import { capabilities, UdpSocket } from '../index'
import { Example, endAll } from './support/example'
import { until } from './support/loop'
import { closeAll, track } from './support/matrix'

jest.setTimeout(60_000)

afterEach(async () => {
  closeAll()
  await endAll()
})

function receiver(): { socket: UdpSocket; texts: string[]; port: number } {
  const socket = track(UdpSocket.bind({ address: '127.0.0.1' }))
  const texts: string[] = []
  socket.on('batch', (batch) => {
    for (const { data } of batch) texts.push(String(data))
  })
  return { socket, texts, port: socket.address().port }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(100 + index))

describe('forwarder', () => {
  test('is an echo without anybody to send to', async () => {
    const example = new Example('forwarder', '0')
    const { port } = (await example.listening()).listening as { port: number }
    const { socket, texts } = receiver()
    socket.sendToMany('x', Array(3).fill({ port, address: '127.0.0.1' }))
    for (const text of numbers(50)) socket.send(text, port, '127.0.0.1')
    await until(() => texts.length === 53)
    expect(texts).toEqual(['x', 'x', 'x', ...numbers(50)])
    expect(await example.end()).toBe(0)
    expect(example.lines.at(-1)).toMatchObject({ datagrams: 53, bytes: 153, failed: 0 })
  })

  test('sends to each in turn, or to all', async () => {
    for (const all of [false, true]) {
      const [one, two] = [receiver(), receiver()]
      const targets = [one, two].map(({ port }) => `127.0.0.1:${port}`)
      const example = new Example('forwarder', '0', ...targets, ...(all ? ['--all'] : []))
      const { port } = (await example.listening()).listening as { port: number }
      const from = receiver()
      for (const text of numbers(20)) from.socket.send(text, port, '127.0.0.1')
      await until(() => one.texts.length + two.texts.length === (all ? 40 : 20))
      if (all) expect([one.texts, two.texts]).toEqual([numbers(20), numbers(20)])
      else expect([...one.texts, ...two.texts].sort()).toEqual(numbers(20))
      expect(await example.end()).toBe(0)
      closeAll()
    }
  })
})

test('statsd-worker adds up what comes, and ends on a signal', async () => {
  const example = new Example('statsd-worker', '0')
  const { port } = (await example.listening()).listening as { port: number }
  const { socket } = receiver()
  const lines = [
    'requests:1|c',
    'requests:2|c|@0.5\nrequests:1|c\n',
    'users:7|g',
    'users:+3|g',
    ...numbers(20).map((text) => `latency:${text}|ms`),
    'who:ann|s\nwho:bob|s\nwho:ann|s',
    'nonsense',
  ]
  for (const line of lines) socket.send(line, port, '127.0.0.1')
  const sum = { requests: 0, latencies: 0, bad: 0 }
  await until(() => {
    Object.assign(sum, { requests: 0, latencies: 0, bad: 0 })
    for (const { counters, timers, bad } of example.lines.slice(1) as unknown as Flushed[]) {
      sum.requests += counters.requests ?? 0
      sum.latencies += timers.latency?.count ?? 0
      sum.bad += bad
    }
    return sum.bad === 1
  }, 20_000)
  expect(sum).toEqual({ requests: 6, latencies: 20, bad: 1 })
  const flushed = example.lines.slice(1) as unknown as Flushed[]
  // All in one flush, but on a machine that stands still between two datagrams.
  if (flushed.length === 1) {
    expect(flushed[0]).toMatchObject({
      gauges: { users: 10 },
      sets: { who: 2 },
      timers: { latency: { min: 100, max: 119, mean: 109.5, p95: 118 } },
      kernelDrops: 0,
    })
  }
  // It ends with the worker's end, whose code is 1.
  expect([0, 1]).toContain(await example.end())
})

interface Flushed {
  counters: Record<string, number>
  timers: Record<string, { count: number }>
  bad: number
}

const noDrops = capabilities().drops ? '' : ' [skipped: the kernel does not tell drops]'

;(noDrops ? test.skip : test)(`market-data fills one line's gaps from the other${noDrops}`, async () => {
  const port = 20_000 + (process.pid % 20_000)
  const groups = ['232.1.83.1', '232.1.83.2']
  const lines = groups.map((group) => `${group}:${port}`)
  const example = new Example('market-data', ...lines, '--interface', '127.0.0.1')
  expect(await example.listening()).toEqual({ listening: lines })
  const { socket } = receiver()
  socket.setMulticastInterface('127.0.0.1')
  const publish = (group: string, numbers: (number | bigint)[]) => {
    for (const number of numbers) {
      const data = Buffer.alloc(64)
      data.writeBigUInt64BE(BigInt(number))
      socket.send(data, port, group)
    }
  }
  const all = Array.from({ length: 100 }, (_, index) => 1000 + index)
  publish(
    groups[0]!,
    all.filter((number) => number % 10 !== 3),
  )
  publish(
    groups[1]!,
    all.filter((number) => number % 10 !== 5),
  )
  await until(() => (example.lines.at(-1) as { received?: number }).received === 100, 20_000)
  // Both have lost 1105.
  publish(groups[0]!, [1106, 1107])
  await until(() => (example.lines.at(-1) as { received?: number }).received === 102, 20_000)
  const seen = { received: 102, repeated: 80, missing: 6, lost: 0 }
  await until(() => (example.lines.at(-1) as { repeated?: number }).repeated === 80, 20_000)
  expect(example.lines.at(-1)).toMatchObject(seen)
  // A number from nowhere is a gap, and no more than that.
  publish(groups[0]!, [2n ** 40n])
  await until(() => (example.lines.at(-1) as { received?: number }).received === 103, 20_000)
  expect(await example.end()).toBe(0)
  expect(example.lines.at(-1)).toEqual({
    received: 103,
    repeated: 80,
    missing: 100_000,
    lost: 2 ** 40 - 1108 - 100_000 + seen.missing,
    lines: [
      { line: lines[0], datagrams: 93, dropped: 0 },
      { line: lines[1], datagrams: 90, dropped: 0 },
    ],
  })
})
