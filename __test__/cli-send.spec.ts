// `recvmmsg send` as its users have it, mostly against `recvmmsg listen`: child processes, what they print, what arrives.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Lines } from '../cli/lines'
import { Numbered } from '../cli/numbered'
import { Paced } from '../cli/pace'
import { SendMeter } from '../cli/send-meter'
import { Transmission } from '../cli/transmission'
import { capabilities, type SendBatchOptions, type UdpSocket } from '../index'
import { bombard } from './support/bombard'
import { bind, closeAll, hasIpv6, matrix, type Row } from './support/matrix'

const root = join(__dirname, '..')
const main = join(root, 'cli', 'main.js')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const DEADLINE = 15_000
const { gso, gro } = capabilities()

/** One row for each family. */
const rows = matrix.filter(({ backend }) => backend === matrix[0]!.backend)
const row = rows[0]!

const children = new Set<ChildProcess>()
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recvmmsg-send-'))
})

afterEach(async () => {
  closeAll()
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children.clear()
  rmSync(folder, { recursive: true })
})

async function until<T>(what: string, find: () => T | null | undefined | false): Promise<T> {
  const deadline = Date.now() + DEADLINE
  for (;;) {
    const found = find()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

type Json = Record<string, unknown>

/** A running command. */
class Running {
  stdout = ''
  stderr = ''
  code: number | null | undefined
  readonly child: ChildProcess

  /** Its standard output goes to `file`, where one is given: a pipe that is not read in time would hold it up. */
  constructor(command: string, args: string[], file?: string) {
    const stdout = file === undefined ? 'pipe' : openSync(file, 'w')
    const env = { ...process.env, TERM: 'xterm' }
    this.child = spawn(command, args, { env, stdio: ['pipe', stdout, 'pipe'] })
    children.add(this.child)
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text) => {
        this[name] += text
      })
    }
    this.child.on('close', (code) => {
      this.code = code
    })
  }

  end(): Promise<number | null> {
    return until('it ends', () => this.code !== undefined && { code: this.code }).then(({ code }) => code)
  }

  /** What it tells in lines of JSON. */
  events(event: string): Json[] {
    const lines = `${this.stdout}${this.stderr}`.split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line)).filter((each) => each.event === event)
  }
}

function send(to: string, ...args: string[]): Running {
  return new Running(process.execPath, [main, 'send', '--to', to, ...args])
}

/** Where nobody listens for what comes. */
function nowhere(): string {
  return endpoint(row, bind(row).address().port)
}

function endpoint({ family, loopback }: Row, port: number): string {
  return family === 'udp6' ? `[${loopback}]:${port}` : `${loopback}:${port}`
}

interface Received {
  address: string
  port: number
  size: number
  data: Buffer
}

/** `recvmmsg listen --json`, and what it has received in the end. */
class Listener {
  readonly #file = join(folder, `received-${Math.random()}`)
  readonly #running: Running

  constructor({ loopback, backend }: Row, ...args: string[]) {
    const how = ['--address', loopback, '--backend', backend, '--json', '--status', 'json', ...args]
    this.#running = new Running(process.execPath, [main, 'listen', ...how], this.#file)
  }

  async port(): Promise<number> {
    return Number((await until('it listens', () => this.#running.events('listening')[0])).port)
  }

  /** Ends by itself where it has a --count, and is told to otherwise. */
  async end(signal?: 'SIGTERM'): Promise<{ received: Received[]; summary: Json }> {
    if (signal) this.#running.child.kill(signal)
    expect(await this.#running.end()).toBe(0)
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1)
    const received = lines.map((line) => {
      const { address, port, size, data } = JSON.parse(line)
      return { address, port, size, data: Buffer.from(data, 'base64') }
    })
    return { received, summary: this.#running.events('summary')[0]! }
  }
}

/** Sends `count` datagrams to a listener, and tells what both have to say. */
async function deliver(
  to: Row,
  count: number,
  args: string[],
  input?: string,
): Promise<{ received: Received[]; summary: Json; sending: Json; sent: Json; code: number | null }> {
  const listener = new Listener(to, '--count', String(count))
  const running = send(endpoint(to, await listener.port()), '--json', ...args)
  running.child.stdin!.end(input)
  const code = await running.end()
  expect(running.stderr).toBe('')
  const [sending] = running.events('sending')
  const [sent] = running.events('summary')
  return { ...(await listener.end()), sending: sending!, sent: sent!, code }
}

function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: DEADLINE,
  })
  return { code: status, stdout, stderr }
}

/** What a numbered datagram holds. */
function payload(sequence: number, size: number): Buffer {
  const data = Buffer.from(Uint8Array.from({ length: size }, (_, index) => index))
  if (size >= 8) data.writeBigUInt64LE(BigInt(sequence))
  return data
}

describe('the command line', () => {
  const to = ['--to', '127.0.0.1:9']

  test.each([
    [[], /--to is missing: where to send, HOST:PORT \(/],
    [['--to'], /--to needs a value/],
    [['--to', '127.0.0.1'], /invalid value '127.0.0.1' for --to: it must be HOST:PORT, an IPv6 address in/],
    [['--to', '::1:9'], /invalid value '::1:9' for --to: it must be HOST:PORT, an IPv6 address in brackets/],
    [['--to', '[127.0.0.1]:9'], /for --to: it must be HOST:PORT, an IPv6 address in brackets/],
    [['--to', ':9'], /for --to: it must be HOST:PORT/],
    [['--to', 'a b:9'], /for --to: it must be HOST:PORT/],
    [['--to', '127.0.0.1:0'], /for --to: it must be HOST:PORT with a port from 1 to 65535/],
    [['--to', '[::1]:65536'], /for --to: it must be HOST:PORT with a port from 1 to 65535/],
    [[...to, '--size', '65508'], /'65508' for --size: it must be a whole number, 0 to 65507/],
    [[...to, '--size', '-1'], /'-1' for --size/],
    [[...to, '--count', '0'], /'0' for --count: it must be a whole number, 1 or more/],
    [[...to, '--duration', '0'], /'0' for --duration: it must be seconds/],
    [[...to, '--rate', '0'], /'0' for --rate: it must be a whole number, 1 or more/],
    [[...to, '--rate', '1k'], /'1k' for --rate/],
    [[...to, '--gso', '129'], /'129' for --gso: it must be a whole number, 1 to 128/],
    [[...to, '--gso', 'off'], /'off' for --gso/],
    [[...to, '--flows', '0'], /'0' for --flows: it must be a whole number, 1 to 10000/],
    [[...to, '--file'], /--file needs a value/],
    [[...to, '--file', 'x', '--size', '3'], /--file and --size exclude each other/],
    [[...to, '--json=x'], /--json takes no value/],
    [[...to, '--flow', '3'], /unknown option '--flow', did you mean '--flows'\?/],
    [[...to, 'text'], /unexpected argument 'text'/],
  ])('%j is a usage error', (args, sentence) => {
    const { code, stdout, stderr } = run('send', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^recvmmsg: [^\n]* \(see 'recvmmsg send --help'\)\n$/)
    expect(stderr).toMatch(sentence)
  })

  test('--version tells the version', () => {
    expect(run('send', '--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('recvmmsg --help lists it, and it lists its options in 120 columns', () => {
    expect(run('--help').stdout).toMatch(/^ {2}send {4}\w/m)
    const { stdout, ...rest } = run('send', '--help')
    expect(rest).toEqual({ code: 0, stderr: '' })
    const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name)
    expect(listed).toEqual('to size file count duration rate gso flows json help version'.split(' '))
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
  })

  test.each([
    // A label of more than 63 characters is refused without asking anybody.
    [['--to', `${'x'.repeat(64)}.invalid:9`], /^recvmmsg: cannot resolve x+\.invalid: .+ \(E\w+\)\n$/],
    [
      [...to, '--file', join(root, 'nope')],
      /^recvmmsg: cannot read \S+: no such file or directory \(ENOENT\)\n$/,
    ],
    [[...to, '--file', root], /^recvmmsg: cannot read \S+: it is a directory\n$/],
  ])('%j is one line and exit code 1', (args, sentence) => {
    const { code, stdout, stderr } = run('send', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(sentence)
  })
})

describe.each(rows)('against recvmmsg listen: $family', (row) => {
  test('nothing is lost at a rate that it holds, and all comes in order', async () => {
    const count = 12_000
    const outcome = await deliver(row, count, ['--count', String(count), '--rate', '10000'])
    expect(outcome.summary).toMatchObject({
      datagrams: count,
      bytes: count * 64,
      kernelDrops: 0,
      truncated: 0,
    })
    expect(outcome.sent).toMatchObject({ datagrams: count, bytes: count * 64, failed: 0, errors: {} })
    expect(outcome.code).toBe(0)
    const numbers = outcome.received.map(({ data }) => Number(data.readBigUInt64LE()))
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index))
    const [first] = outcome.received
    expect(outcome.sending).toMatchObject({
      address: row.loopback,
      family: row.family === 'udp6' ? 'IPv6' : 'IPv4',
      size: 64,
      rate: 10_000,
      flows: 1,
      ports: [first!.port],
    })
  })

  test.each([0, 1, 7, 8, 9, 1472, 65_507])('payloads of %d bytes are as --help says', async (size) => {
    const { received, sent } = await deliver(row, 3, [
      '--size',
      String(size),
      '--count',
      '3',
      '--rate',
      '100',
    ])
    expect(received.map(({ data }) => data)).toEqual([0, 1, 2].map((sequence) => payload(sequence, size)))
    expect(sent).toMatchObject({ datagrams: 3, bytes: 3 * size, failed: 0 })
  })

  test('lines of a file, with any end, empty ones too', async () => {
    const lines = ['first', '', 'with CR', 'héllo', 'x'.repeat(3000), 'no end']
    const file = join(folder, 'lines')
    writeFileSync(file, 'first\n\nwith CR\r\nhéllo\n'.concat('x'.repeat(3000), '\nno end'))
    const { received, sent, sending, code } = await deliver(row, lines.length, ['--file', file])
    expect(received.map(({ data }) => data.toString())).toEqual(lines)
    expect(sent).toMatchObject({ datagrams: 6, bytes: Buffer.byteLength(lines.join('')), failed: 0 })
    expect(sending.size).toBeNull()
    expect(code).toBe(0)
  })
})

const ipv6 = hasIpv6 ? '' : ' [skipped: no IPv6]'
if (!hasIpv6) test.skip(`against recvmmsg listen: udp6${ipv6}`, () => {})

describe('what is sent', () => {
  test('is one datagram unless told otherwise', async () => {
    const listener = new Listener(row)
    const running = send(endpoint(row, await listener.port()))
    expect(await running.end()).toBe(0)
    expect(running.stdout).toBe('')
    expect(running.stderr).toMatch(
      /^sending to 127\.0\.0\.1:\d+: 64 bytes, as fast as it goes, 1 flow, GSO of 64\n/,
    )
    expect(running.stderr).toMatch(/\n1 datagram, 64 bytes in [\d.]+ seconds: [\d,]+ datagrams\/s, /)
    const { received } = await listener.end('SIGTERM')
    expect(received.map(({ data }) => data)).toEqual([payload(0, 64)])
  })

  test('goes to the IPv4 address of a host name', async () => {
    const listener = new Listener(row, '--count', '1')
    const running = send(`localhost:${await listener.port()}`)
    expect(await running.end()).toBe(0)
    expect(running.stderr).toMatch(/^sending to 127\.0\.0\.1:\d+ \(localhost\): /)
    expect((await listener.end()).received).toHaveLength(1)
  })

  test('comes from --flows in turn', async () => {
    const { received, sending } = await deliver(row, 8, ['--count', '8', '--flows', '4'])
    const [a, b, c, d] = sending.ports as number[]
    expect(received.map(({ port }) => port)).toEqual([a, a, b, b, c, c, d, d])
    expect(new Set([a, b, c, d]).size).toBe(4)
  })

  const together = gso && gro ? '' : ' [skipped: needs UDP_SEGMENT and UDP_GRO]'

  ;(together ? test.skip : test).each([
    // As so many messages they would be more at once than a receive buffer holds.
    [['--gso', '1', '--rate', '5000'], 1],
    [['--gso', '8'], 8],
    [['--gso', '8', '--flows', '3'], 8],
    [[], 64],
  ])(`leaves as %j says, in messages of %d${together}`, async (args, each) => {
    const count = 640
    const { summary } = await deliver(row, count, ['--count', String(count), ...args])
    expect(summary.messages).toBe(count / each)
  })

  test('is what standard input has, as it comes', async () => {
    const listener = new Listener(row, '--count', '3')
    const running = send(endpoint(row, await listener.port()), '--file', '-')
    const { stdin } = running.child
    stdin!.write('one\ntw')
    stdin!.write('o\nthree\nfour')
    // Before the input has ended.
    const { received } = await listener.end()
    expect(received.map(({ data }) => data.toString())).toEqual(['one', 'two', 'three'])
    expect(running.code).toBeUndefined()
    stdin!.end()
    expect(await running.end()).toBe(0)
    expect(running.stderr).toMatch(/^4 datagrams, 15 bytes in /m)
  })

  test('is all but a line that is too long, which has failed', async () => {
    const input = `short\n${'x'.repeat(200_000)}\nafter\n${'y'.repeat(65_508)}\nlast\n`
    const { received, sent, code } = await deliver(row, 3, ['--file', '-'], input)
    expect(received.map(({ data }) => data.toString())).toEqual(['short', 'after', 'last'])
    expect(sent).toMatchObject({ datagrams: 3, bytes: 14, failed: 2, errors: { EMSGSIZE: 2 } })
    expect(code).toBe(1)
  })

  test('is no more than --count lines, and the input need not end', async () => {
    const running = send(nowhere(), '--file', '-', '--count', '2')
    running.child.stdin!.write('1\n2\n3\n')
    expect(await running.end()).toBe(0)
    expect(running.stderr).toMatch(/^2 datagrams, 2 bytes in /m)
  })

  const proc = process.platform === 'linux' ? '' : ' [skipped: no /proc]'

  ;(proc ? test.skip : test)(`is never all in memory${proc}`, async () => {
    // No line of it ends.
    const running = send(nowhere(), '--file', '/dev/zero', '--duration', '1.5')
    let memory = 0
    await until('it has ended', () => {
      if (running.code !== undefined) return true
      const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${running.child.pid}/status`, 'utf8'))
      memory = Math.max(memory, Number(resident?.[1] ?? 0) * 1024)
      return false
    })
    expect(running.code).toBe(0)
    expect(memory).toBeGreaterThan(20e6)
    expect(memory).toBeLessThan(200e6)
  })

  const broadcast = process.platform === 'linux' ? '' : ' [skipped: not Linux]'

  ;(broadcast ? test.skip : test)(`is told with the codes of what failed${broadcast}`, async () => {
    // A socket without SO_BROADCAST.
    const running = send('255.255.255.255:9', '--count', '3')
    expect(await running.end()).toBe(1)
    expect(running.stderr).toMatch(/^0 datagrams, 0 bytes in /m)
    expect(running.stderr).toMatch(/^failed: 3 datagrams \(EACCES 3\)$/m)
    expect(running.stderr).toMatch(/^send buffer full: 0 times$/m)
  })
})

describe('--rate', () => {
  test.each([
    [2, 1.5],
    [10, 1.2],
    [1000, 2],
    [100_000, 3],
  ])('%d a second hold within 2 %%, over %d seconds', async (rate, duration) => {
    const running = send(nowhere(), '--rate', String(rate), '--duration', String(duration), '--json')
    expect(await running.end()).toBe(0)
    const [summary] = running.events('summary')
    const { datagrams, seconds, failed } = summary as Record<string, number>
    expect(failed).toBe(0)
    expect(Math.abs(datagrams! / (rate * duration) - 1)).toBeLessThanOrEqual(0.02)
    expect(seconds).toBeGreaterThan(duration * 0.98)
    expect(seconds).toBeLessThan(duration + 2)
  })

  test('gives the last of --count its part of the time', async () => {
    const running = send(nowhere(), '--rate', '10', '--count', '8', '--json')
    expect(await running.end()).toBe(0)
    const { datagrams, seconds } = running.events('summary')[0] as Record<string, number>
    expect(datagrams).toBe(8)
    expect(seconds).toBeGreaterThan(0.79)
    expect(seconds).toBeLessThan(3)
  })

  test('takes little CPU when it is low', async () => {
    const running = send(nowhere(), '--rate', '100', '--duration', '2', '--json')
    expect(await running.end()).toBe(0)
    // A spin takes a hundred.
    expect(Number(running.events('summary')[0]!.cpuPercent)).toBeLessThan(40)
  })

  describe('by the clock', () => {
    let now = 0
    let clock: jest.SpyInstance
    beforeEach(() => {
      now = 1000
      clock = jest.spyOn(performance, 'now').mockImplementation(() => now)
    })
    afterEach(() => clock.mockRestore())

    const { signal } = new AbortController()

    /** Takes all that is due, in pieces, as the event loop would. */
    async function takeAll(pace: Paced): Promise<number[]> {
      const pieces: number[] = []
      await pace.wait()
      for (let due = pace.due(); due > 0; due = pace.due()) {
        pieces.push(due)
        pace.sent(due)
        await pace.wait()
      }
      return pieces
    }

    test('the first is due at once, and others when their time has come', async () => {
      const pace = new Paced(100, signal)
      expect(await takeAll(pace)).toEqual([1])
      now += 9
      expect(await takeAll(pace)).toEqual([])
      now += 1
      expect(await takeAll(pace)).toEqual([1])
    })

    test('what is late is caught up in small pieces, a second of it at most', async () => {
      const pace = new Paced(10_000, signal)
      now += 100
      const pieces = await takeAll(pace)
      expect(pieces.reduce((sum, piece) => sum + piece)).toBe(1001)
      expect(Math.max(...pieces)).toBe(50)
      now += 3_600_000
      const late = (await takeAll(pace)).reduce((sum, piece) => sum + piece)
      expect(late).toBeGreaterThanOrEqual(10_000)
      expect(late).toBeLessThanOrEqual(10_001)
    })

    test('what could not be sent for want of it is not late', async () => {
      const pace = new Paced(10, signal)
      expect(await takeAll(pace)).toEqual([1])
      now += 5000
      pace.restart()
      expect(await takeAll(pace)).toEqual([1])
      // Not a way round the rate.
      pace.restart()
      expect(await takeAll(pace)).toEqual([])
    })
  })
})

describe('where there is no room', () => {
  test('it waits, goes on with what was left, and counts that', async () => {
    const seen: number[] = []
    let room = 5
    const socket = {
      sendBatch([{ data }]: [{ data: Buffer }], { segmentSize, start }: Required<SendBatchOptions>) {
        const total = data.length / segmentSize
        let next = start
        for (; next < total && room > 0; next++, room--) {
          seen.push(Number(data.readBigUInt64LE(next * segmentSize)))
        }
        return { sent: next - start, failed: 0, error: null, next }
      },
      writable: async () => {
        room = 3
        return true
      },
      stats: () => ({ errors: {} }),
    } as unknown as UdpSocket
    const to = { address: '127.0.0.1', port: 9, family: 'IPv4' } as const
    const meter = new SendMeter(to, [socket])
    const pace = { due: () => Number.POSITIVE_INFINITY, sent() {}, async wait() {}, restart() {} }
    const { signal } = new AbortController()
    await new Transmission([socket], to, meter, signal).send(new Numbered(16, 10), pace, 10, 20)
    meter.stop()
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => index))
    expect(meter.summary()).toMatchObject({ datagrams: 20, bytes: 320, failed: 0, bufferFull: 5 })
  })

  test('a line that comes in many pieces is whole', async () => {
    const text = `${'ab'.repeat(500)}\n\r\nc\r\n`
    async function* pieces() {
      for (const byte of text) yield Buffer.from(byte)
    }
    const stream = Object.assign(pieces(), { destroy() {} })
    const lines = new Lines(stream as never, new AbortController().signal)
    const seen: string[] = []
    while (await lines.ready()) for (const { data } of lines.take(10).packets) seen.push(String(data))
    expect(seen).toEqual(['ab'.repeat(500), '', 'c'])
  })
})

describe('it ends', () => {
  test.each([
    ['SIGINT', 'as fast as it goes', ['--duration', '60']],
    ['SIGTERM', 'between two datagrams', ['--rate', '1']],
    ['SIGINT', 'waiting for its input', ['--file', '-']],
  ] as const)('on %s %s, with the summary', async (signal, _when, args) => {
    const running = send(nowhere(), ...args)
    await until('a second has passed', () => / datagrams\/s .* CPU \d+ %/.test(running.stderr))
    const asked = performance.now()
    await bombard(running.child, signal)
    expect(await running.end()).toBe(0)
    expect(performance.now() - asked).toBeLessThan(3000)
    expect(running.stderr).toMatch(
      /^[\d,]+ datagrams?, [\d,]+ bytes in [\d.]+ seconds: .*\nfailed: 0 datagrams\n/m,
    )
  })

  test('after --duration', async () => {
    const running = send(nowhere(), '--duration', '0.4', '--flows', '2', '--json')
    expect(await running.end()).toBe(0)
    const { seconds, datagrams } = running.events('summary')[0] as Record<string, number>
    expect(seconds).toBeGreaterThan(0.39)
    expect(seconds).toBeLessThan(4)
    expect(datagrams).toBeGreaterThan(1000)
  })

  const shell = process.platform === 'win32' ? ' [skipped: no sh]' : ''

  ;(shell ? test.skip : test)(`quietly when nobody reads on${shell}`, async () => {
    const command = `{ "$0" "$1" send --to "$2" --rate 10 --duration 30 --json; echo "exit code $?" >&2; } | head -2`
    const running = new Running('sh', ['-c', command, process.execPath, main, nowhere()])
    expect(await running.end()).toBe(0)
    expect(running.stderr).toBe('exit code 0\n')
  })

  ;(shell ? test.skip : test)(`also while it waits for a FIFO${shell}`, async () => {
    const fifo = join(folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    const running = send(nowhere(), '--file', fifo)
    const writer = new Running('sh', ['-c', 'exec 3> "$0"; echo one >&3; read wait', fifo])
    await until('a second has passed', () => / datagrams\/s .* CPU \d+ %/.test(running.stderr))
    running.child.kill('SIGINT')
    expect(await running.end()).toBe(0)
    expect(running.stderr).toMatch(/^1 datagram, 3 bytes in /m)
    writer.child.stdin!.end()
    await writer.end()
  })
})

test('says how it goes in JSON with --json', async () => {
  const running = send(nowhere(), '--rate', '500', '--json')
  await until('two seconds have passed', () => running.events('status').length === 2)
  running.child.kill('SIGTERM')
  expect(await running.end()).toBe(0)
  expect(running.stderr).toBe('')
  const names = ['seconds', 'datagrams', 'bytes', 'failed', 'bufferFull', 'datagramsPerSecond']
  names.push('megabitsPerSecond', 'cpuPercent')
  const [, status] = running.events('status')
  expect(Object.keys(status!)).toEqual(['event', ...names])
  expect(Number(status!.datagramsPerSecond)).toBeGreaterThan(250)
  expect(Number(status!.datagramsPerSecond)).toBeLessThan(1000)
  const [summary] = running.events('summary')
  const more = ['cpuSeconds', 'cpuNanosecondsPerDatagram', 'errors']
  expect(Object.keys(summary!)).toEqual(['event', 'address', 'family', 'port', ...names, ...more])
  expect(running.stdout.trimEnd().split('\n').at(-1)).toContain('"event":"summary"')
})

/** util-linux's, which can run a command in a terminal. */
const script = (() => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
  } catch {
    return false
  }
})()
const terminal = script ? '' : ' [skipped: no util-linux script(1)]'

;(script ? test : test.skip)(`redraws one line on a terminal, and ends on Ctrl-C${terminal}`, async () => {
  const command = ['exec', process.execPath, main, 'send', '--to', nowhere(), '--rate', '2000'].join(' ')
  const running = new Running('script', ['-qec', command, '/dev/null'])
  await until('the line is drawn twice', () => running.stdout.split(' datagrams/s  ').length > 2)
  running.child.stdin!.write('\x03')
  expect(await running.end()).toBe(0)
  const [sending, live, failed] = running.stdout.split('\r\n')
  expect(sending).toMatch(/^sending to /)
  // Ctrl-C is shown by the terminal.
  const drawn = live!.replace('^C', '').split('\r\x1b[K')
  expect(drawn.shift()).toBe('')
  expect(drawn.pop()).toMatch(/^[\d,]+ datagrams, /)
  expect(drawn.length).toBeGreaterThanOrEqual(2)
  for (const each of drawn) {
    expect(each).toMatch(
      /^[\d,]+ datagrams\/s {2}[\d.]+ Mbit\/s {2}CPU \d+ % {2}failed 0 {2}buffer full 0 times$/,
    )
    expect(each.length).toBeLessThan(80)
  }
  expect(failed).toBe('failed: 0 datagrams')
})
