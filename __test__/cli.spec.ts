// The `recvmmsg` command as its users have it: a child process, its output and its exit code.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from '../cli/datagrams'
import { Meter } from '../cli/meter'
import { statusLine, summaryText } from '../cli/report'
import type { ListenBatch } from '../cli/sink'
import { wallClock } from '../cli/time'
import { type PacketBatch, type SocketStats, UdpSocket } from '../index'
import { bombard } from './support/bombard'
import { closeAll, hasIpv6, matrix, type Row, track } from './support/matrix'

const root = join(__dirname, '..')
const main = join(root, 'cli', 'main.js')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const DEADLINE = 10_000
const ESCAPE = '\x1b'

const children = new Set<ChildProcess>()

afterEach(async () => {
  closeAll()
  await Promise.all([...children].map(ended))
})

/** Ends a child and waits for that. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children.delete(child)
}

async function until<T>(what: string, find: () => T | null | undefined | false): Promise<T> {
  const deadline = Date.now() + DEADLINE
  for (;;) {
    const found = find()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A running command. */
class Running {
  stdout = ''
  stderr = ''
  code: number | null | undefined
  readonly child: ChildProcess

  /** With `stalled` nobody reads its standard output. */
  constructor(command: string, args: string[], { stalled = false, env = {} } = {}) {
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    children.add(this.child)
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
    })
    if (!stalled) {
      this.child.stdout!.setEncoding('utf8').on('data', (text) => {
        this.stdout += text
      })
    }
    this.child.on(stalled ? 'exit' : 'close', (code) => {
      this.code = code
    })
  }

  /** The port it listens on. */
  async port(): Promise<number> {
    const find = () => /^listening on \S+:(\d+) /m.exec(this.stderr) ?? /"port":(\d+)/.exec(this.stderr)
    return Number((await until('it listens', find))[1])
  }

  /** Its exit code; `null` when a signal ended it. */
  end(): Promise<number | null> {
    return until('it ends', () => this.code !== undefined && { code: this.code }).then(({ code }) => code)
  }

  lines(): string[] {
    return this.stdout.split('\n').slice(0, -1)
  }

  /** What it says in lines of JSON on standard error. */
  events(event: string): Record<string, unknown>[] {
    const lines = this.stderr.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line)).filter((each) => each.event === event)
  }
}

function listen(row: Row, args: string[], options: ConstructorParameters<typeof Running>[2] = {}): Running {
  const where = ['--address', row.loopback, '--backend', row.backend]
  return new Running(process.execPath, [main, 'listen', ...where, ...args], options)
}

/** A socket to send from. */
function sender(row: Row): UdpSocket {
  return track(UdpSocket.bind({ address: row.loopback }))
}

/** Sends with the testkit's program until it is ended; a minute at most. */
function flood(row: Row, port: number, ...args: string[]): ChildProcess {
  const to = row.family === 'udp6' ? `[${row.loopback}]:${port}` : `${row.loopback}:${port}`
  const program = join(root, '.build', 'sender')
  const child = spawn(program, ['--to', to, '--duration', '60000', ...args], { stdio: 'ignore' })
  children.add(child)
  return child
}

function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: DEADLINE,
  })
  return { code: status, stdout, stderr }
}

const [first] = matrix
const row = first!

describe('recvmmsg', () => {
  test.each([
    [[], /a command is missing \(see 'recvmmsg --help'\)/],
    [['lisen'], /unknown command 'lisen', did you mean 'listen'\? \(see 'recvmmsg --help'\)/],
    [['constructor'], /unknown command 'constructor' \(/],
    [['--verion'], /unknown option '--verion', did you mean '--version'\?/],
    [
      ['listen', '--prot', '1'],
      /unknown option '--prot', did you mean '--port'\? \(see 'recvmmsg listen --help'\)/,
    ],
    [['listen', '-x'], /unknown option '-x' \(/],
    [['listen', '8125'], /unexpected argument '8125'/],
    [['listen', '--port'], /--port needs a value/],
    [['listen', '--json=yes'], /--json takes no value/],
    [
      ['listen', '--port', '65536'],
      /invalid value '65536' for --port: it must be a whole number, 0 to 65535/,
    ],
    [['listen', '--port', '1e3'], /invalid value '1e3' for --port/],
    [['listen', '--port', '--json'], /invalid value '--json' for --port/],
    [
      ['listen', '--address', 'localhost'],
      /'localhost' for --address: .* a host name has to be resolved first/,
    ],
    [['listen', '--capacity', '0'], /invalid value '0' for --capacity: .* 1 to 16384/],
    [
      ['listen', '--backend', 'uring'],
      /invalid value 'uring' for --backend: it must be one of auto, mmsg, portable/,
    ],
    [['listen', '--duration', '0'], /invalid value '0' for --duration/],
    [['listen', '--duration', '2h'], /invalid value '2h' for --duration/],
    [['listen', '--count', '-3'], /invalid value '-3' for --count: it must be a whole number, 1 or more/],
    [['listen', '--status', 'xml'], /invalid value 'xml' for --status: it must be one of text, json/],
    [['listen', '--hex', '--json'], /--hex and --json exclude each other/],
    [['listen', '--hex', '--text'], /--hex and --text exclude each other/],
  ])('%j is a usage error', (args, sentence) => {
    const { code, stdout, stderr } = run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^recvmmsg: [^\n]* \(see 'recvmmsg (listen )?--help'\)\n$/)
    expect(stderr).toMatch(sentence)
  })

  test.each([[['--version']], [['listen', '--version']]])('%j tells the version', (args) => {
    expect(run(...args)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.each([[['--help']], [['-h']]])('%j lists the commands', (args) => {
    const { stdout, ...rest } = run(...args)
    expect(rest).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: recvmmsg <command>.*\n\n {2}listen /s)
  })

  test('listen --help lists its options in 120 columns', () => {
    const { stdout, ...rest } = run('listen', '--help')
    expect(rest).toEqual({ code: 0, stderr: '' })
    const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name)
    const options =
      'port address unix capacity no-gro backend duration count json hex text pcap size status help version'
    expect(listed).toEqual(options.split(' '))
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
  })

  test('what is wrong on the system side is one line and exit code 1', () => {
    const taken = sender(row).address()
    const outcome = run('listen', '--address', taken.address, '--port', String(taken.port))
    const sentence = `recvmmsg: cannot listen on 127.0.0.1:${taken.port}: address already in use (EADDRINUSE)\n`
    expect(outcome).toEqual({ code: 1, stdout: '', stderr: sentence })
    const elsewhere = run('listen', '--address', '192.0.2.1')
    expect(elsewhere).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^recvmmsg: .*\(EADDRNOTAVAIL\)\n$/),
    })
  })

  test('without the addon it tells its version, and that it cannot listen', () => {
    const folder = mkdtempSync(join(tmpdir(), 'recvmmsg-cli-'))
    try {
      const parts = ['cli', 'lib', 'index.js', 'binding.js', 'package.json']
      for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true })
      const call = (...args: string[]) =>
        spawnSync(process.execPath, [join(folder, 'cli', 'main.js'), ...args], { encoding: 'utf8' })
      expect(call('--version')).toMatchObject({ status: 0, stdout: `${version}\n` })
      const sentence =
        /^recvmmsg: The addon of recvmmsg cannot be loaded: the package @recvmmsg\/[\w-]+ is not installed: .+\n$/
      expect(call('listen')).toMatchObject({ status: 1, stderr: expect.stringMatching(sentence) })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe.each(matrix)('listen shows what was sent: $backend $family', (row) => {
  const family = row.family === 'udp6' ? 'IPv6' : 'IPv4'
  const payloads = [
    Buffer.from('héllo'),
    Buffer.alloc(0),
    Buffer.from([0, 255, 10, 34]),
    Buffer.alloc(2000, 'x'),
  ]

  /** Runs it until it has shown `data`, and tells who sent. */
  async function show(
    data: Buffer[],
    args: string[],
    env = {},
  ): Promise<Running & { from: number; name: string }> {
    const running = listen(row, [...args, '--count', String(data.length)], { env })
    const port = await running.port()
    const socket = sender(row)
    for (const each of data) expect(socket.send(each, port, row.loopback)).toBe(true)
    expect(await running.end()).toBe(0)
    const from = socket.address().port
    const name = row.family === 'udp6' ? `[::1]:${from}` : `127.0.0.1:${from}`
    return Object.assign(running, { from, name })
  }

  test.each([{}, { RECVMMSG_STRICT: '1' }])('as lines of JSON with --json, %j', async (env) => {
    const before = Date.now() - 1
    const shown = await show(payloads, ['--json'], env)
    const lines = shown.lines().map((line) => JSON.parse(line))
    expect(lines).toEqual(
      payloads.map((data) => ({
        timestamp: expect.any(Number),
        address: row.loopback,
        port: shown.from,
        family,
        size: data.length,
        data: data.toString('base64'),
      })),
    )
    for (const { timestamp } of lines) {
      expect(timestamp).toBeGreaterThan(before)
      expect(timestamp).toBeLessThan(Date.now() + 1)
    }
    expect(Object.keys(lines[0])).toEqual(['timestamp', 'address', 'port', 'family', 'size', 'data'])
    expect(shown.stderr).toContain(`(${row.backend}, receive buffer `)
    expect(shown.stderr).toMatch(/^4 datagrams, 2,010 bytes in /m)
  })

  const hostile = 'a\\b\n\r\t\0\x1b[2J\x7f\u009b31m\u2028\u202eé"'

  test('as text with --json --text', async () => {
    const shown = await show([Buffer.from(hostile)], ['--json', '--text'])
    const [line] = shown.lines()
    expect(JSON.parse(line!)).toMatchObject({
      port: shown.from,
      size: Buffer.byteLength(hostile),
      text: hostile,
    })
    expect(JSON.parse(line!)).not.toHaveProperty('data')
    expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}]/u)
  })

  test('as text with --text, a line each, with who sent it', async () => {
    const shown = await show([Buffer.from(hostile), Buffer.from('two'), Buffer.from([0xff])], ['--text'])
    const escaped = 'a\\\\b\\n\\r\\t\\x00\\x1b[2J\\x7f\\x9b31m\\u2028\\u202eé"'
    expect(shown.lines()).toEqual([`${shown.name} ${escaped}`, `${shown.name} two`, `${shown.name} \ufffd`])
  })

  test('as a hex dump with --hex', async () => {
    const shown = await show([Buffer.from('0123456789abcdef\n\xff', 'latin1'), Buffer.from('!')], ['--hex'])
    expect(shown.lines()).toEqual([
      `${shown.name} 18 bytes`,
      '00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|',
      '00000010  0a ff                                             |..|',
      `${shown.name} 1 byte`,
      '00000000  21                                                |!|',
    ])
  })

  test('and no more than --count, from large batches', async () => {
    const running = listen(row, ['--json', '--count', '1003'])
    flood(row, await running.port(), '--segments', '40', '--rate', '50000')
    expect(await running.end()).toBe(0)
    expect(running.lines()).toHaveLength(1003)
    for (const line of running.lines()) expect(JSON.parse(line)).toMatchObject({ size: 64 })
    expect(running.stderr).toMatch(/^1,003 datagrams, 64,192 bytes in /m)
  })

  test('or counts only', async () => {
    const running = listen(row, ['--count', '1003', '--status', 'json'])
    flood(row, await running.port(), '--segments', '40', '--rate', '50000')
    expect(await running.end()).toBe(0)
    expect(running.stdout).toBe('')
    const [summary] = running.events('summary')
    expect(summary).toMatchObject({ datagrams: 1003, bytes: 64_192, unwritten: 0, address: row.loopback })
  })
})

const ipv6 = hasIpv6 ? '' : ' [skipped: no IPv6]'
if (!hasIpv6) test.skip(`listen shows what was sent: udp6${ipv6}`, () => {})

describe('listen', () => {
  ;(hasIpv6 ? test : test.skip)(`takes both families with --address ::${ipv6}`, async () => {
    const running = new Running(process.execPath, [
      main,
      'listen',
      '--address',
      '::',
      '--text',
      '--count',
      '2',
    ])
    const port = await running.port()
    for (const each of matrix.filter(({ backend }) => backend === row.backend)) {
      sender(each).send(each.family, port, each.loopback)
    }
    expect(await running.end()).toBe(0)
    const shown = running.lines().map((line) => line.replace(/\d+ /, ' '))
    expect(shown.sort()).toEqual(['[::1]: udp6', '[::ffff:127.0.0.1]: udp4'])
  })

  test('does without GRO with --no-gro, and with batches of --capacity', async () => {
    const running = listen(row, ['--no-gro', '--capacity', '3', '--count', '1000', '--status', 'json'])
    flood(row, await running.port(), '--segments', '40', '--rate', '50000')
    expect(await running.end()).toBe(0)
    const { batchSizes, messages, batches } = running.events('summary')[0] as Record<string, number[]>
    expect(Number(messages)).toBeGreaterThanOrEqual(1000)
    expect(batchSizes!.slice(2)).toEqual(new Array(batchSizes!.length - 2).fill(0))
    expect(batchSizes![0]! + batchSizes![1]!).toBe(batches)
  })

  test('ends after --duration, with the summary', async () => {
    const running = listen(row, ['--duration', '0.4'])
    expect(await running.end()).toBe(0)
    expect(running.stdout).toBe('')
    const [, seconds] = /^0 datagrams, 0 bytes in ([\d.]+) seconds: /m.exec(running.stderr)!
    expect(Number(seconds)).toBeGreaterThanOrEqual(0.39)
    expect(Number(seconds)).toBeLessThan(4)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)('ends on %s, with the summary', async (signal) => {
    const running = listen(row, ['--text'])
    const port = await running.port()
    const socket = sender(row)
    for (let index = 0; index < 5; index++) socket.send('x', port, row.loopback)
    await until('all are shown', () => running.lines().length === 5)
    running.child.kill(signal)
    expect(await running.end()).toBe(0)
    expect(running.stderr).toMatch(/^5 datagrams, 5 bytes in /m)
    expect(running.stderr).toMatch(
      /^kernel drops: 0 messages \(with GRO one message is up to 128 datagrams\)$/m,
    )
    expect(running.stderr).toMatch(/^CPU: [\d,]+ ns per datagram, [\d.]+ % of one core$/m)
    expect(running.stderr).toMatch(/^datagrams per batch, of \d batch(es)? with [\d.]+ on average:$/m)
    expect(running.stderr).toMatch(/^ +\d[-\d]* +\d+ {2}#{40}$/m)
  })

  test('says how it goes every second, without a terminal in plain lines', async () => {
    const running = listen(row, [])
    const load = flood(row, await running.port(), '--rate', '2000')
    const line = /^[\d,]+ datagrams\/s {2}[\d.]+ Mbit\/s {2}batch [\d.]+ {2}CPU \d+ % {2}drops 0 messages$/gm
    await until('three seconds have passed', () => (running.stderr.match(line) ?? []).length === 3)
    const rate = Number(running.stderr.trim().split('\n')[2]!.split(' ')[0]!.replace(',', ''))
    expect(rate).toBeGreaterThan(1000)
    expect(rate).toBeLessThan(3000)
    await ended(load)
    running.child.kill('SIGINT')
    expect(await running.end()).toBe(0)
    expect(running.stdout).toBe('')
    expect(running.stderr).not.toContain(ESCAPE)
    expect(running.stderr).not.toContain('\r')
  })

  test('says how it goes in JSON with --status json', async () => {
    const running = listen(row, ['--status', 'json'])
    const port = await running.port()
    sender(row).send('12345', port, row.loopback)
    await until('a second has passed', () => running.events('status').length > 0)
    running.child.kill('SIGTERM')
    expect(await running.end()).toBe(0)
    expect(running.events('listening')).toMatchObject([{ address: row.loopback, port, family: 'IPv4' }])
    expect(running.events('status')[0]).toMatchObject({
      datagrams: 1,
      bytes: 5,
      batches: 1,
      datagramsPerBatch: 1,
    })
    const [summary] = running.events('summary')
    expect(summary).toMatchObject({ datagrams: 1, messages: 1, kernelDrops: 0, errors: {}, truncated: 0 })
    const { cpuSeconds, cpuNanosecondsPerDatagram } = summary as Record<string, number>
    expect(cpuNanosecondsPerDatagram).toBeCloseTo(cpuSeconds! * 1e9, 0)
  })
})

const shell = process.platform === 'win32' ? ' [skipped: no sh]' : ''

;(shell ? describe.skip : describe)(`listen in a pipeline${shell}`, () => {
  test('ends quietly when its reader has seen enough', async () => {
    // The duration is for a test that fails: nobody ends what a shell leaves behind.
    const command = `{ "$0" "$1" listen --address 127.0.0.1 --duration 30 --json; echo "exit code $?" >&2; } | head -1`
    const running = new Running('sh', ['-c', command, process.execPath, main])
    flood(row, await running.port(), '--rate', '2000')
    expect(await running.end()).toBe(0)
    expect(running.lines().map((line) => JSON.parse(line))).toMatchObject([{ size: 64 }])
    const told = running.stderr.split('\n').filter((line) => !/^\d.* drops 0 messages$/.test(line))
    expect(told).toEqual([expect.stringMatching(/^listening on /), 'exit code 0', ''])
  })

  test('and so does its help', async () => {
    const running = new Running(process.execPath, [main, 'listen', '--help'], { stalled: true })
    running.child.stdout!.destroy()
    expect(await running.end()).toBe(0)
    expect(running.stderr).toBe('')
  })

  const full = existsSync('/dev/full') ? '' : ' [skipped: no /dev/full]'

  ;(full ? test.skip : test)(`fails in one line when its output cannot be written${full}`, async () => {
    const running = new Running('sh', [
      '-c',
      '"$0" "$1" listen --duration 30 --json >/dev/full',
      process.execPath,
      main,
    ])
    const port = await running.port()
    sender(row).send('x', port, row.loopback)
    expect(await running.end()).toBe(1)
    const told = running.stderr.split('\n').slice(1)
    expect(told).toEqual(['recvmmsg: cannot write to standard output: no space left on device (ENOSPC)', ''])
  })
})

const proc = process.platform === 'linux' ? '' : ' [skipped: no /proc]'

;(proc ? describe.skip : describe)(`listen into a pipe that nobody reads${proc}`, () => {
  /** Floods it until the kernel has dropped, and tells the most memory that it had by then, in bytes. */
  async function stall(args: string[]): Promise<{ running: Running; memory: number }> {
    const running = listen(row, args, { stalled: true })
    flood(row, await running.port(), '--segments', '40', '--flows', '4')
    let memory = 0
    const measure = () => {
      const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8')
      const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)
      memory = Math.max(memory, Number(resident?.[1] ?? 0) * 1024)
    }
    await until('it has stalled for three seconds', () => {
      measure()
      const seen = [...running.stderr.matchAll(/drops ([\d,]+) messages/g)].map(([, count]) =>
        Number(count!.replaceAll(',', '')),
      )
      return seen.length >= 4 && seen.at(-1)! > seen.at(-2)!
    })
    return { running, memory }
  }

  test.each([
    ['--json', 'SIGINT'],
    ['--hex', 'SIGTERM'],
  ] as const)(
    'stays small with %s, shows what the kernel drops, and ends on %s all the same',
    async (format, signal) => {
      const { running, memory } = await stall([format])
      expect(memory).toBeGreaterThan(20e6)
      expect(memory).toBeLessThan(100e6)
      // It does not run idle circles meanwhile.
      expect(running.stderr).toMatch(/^0 datagrams\/s {2}0\.0 Mbit\/s {2}batch - {2}CPU [0-4] % /m)
      const asked = performance.now()
      await bombard(running.child, signal)
      expect(await running.end()).toBe(0)
      expect(performance.now() - asked).toBeLessThan(3000)
      expect(running.stderr).toMatch(/^kernel drops: [1-9][\d,]* messages/m)
      expect(running.stderr).toMatch(/^not written: [1-9][\d,]* datagrams/m)
    },
  )

  test('ends after --duration all the same', async () => {
    const running = listen(row, ['--json', '--duration', '1.5'], { stalled: true })
    flood(row, await running.port(), '--segments', '40', '--flows', '4')
    expect(await running.end()).toBe(0)
    expect(running.stderr).toMatch(/^not written: [1-9][\d,]* datagrams/m)
  })

  test('loses nothing of what it has received when that is read after all', async () => {
    const running = listen(row, ['--json', '--status', 'json'], { stalled: true })
    const load = flood(row, await running.port(), '--segments', '40', '--flows', '4')
    await until('drops are counted', () =>
      running.events('status').some(({ kernelDrops }) => Number(kernelDrops) > 0),
    )
    await ended(load)
    running.child.stdout!.setEncoding('utf8').on('data', (text) => {
      running.stdout += text
    })
    running.child.kill('SIGTERM')
    expect(await running.end()).toBe(0)
    await until('its output has come', () => running.child.stdout!.readableEnded)
    const [summary] = running.events('summary')
    expect(summary).toMatchObject({ unwritten: 0, datagrams: running.lines().length })
    for (const line of running.lines()) JSON.parse(line)
  })
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

;(script ? describe : describe.skip)(`listen on a terminal${terminal}`, () => {
  const onTerminal = (...args: string[]) => {
    // Without exec, a shell such as dash stays in the foreground group and dies of the Ctrl-C itself.
    const command = ['exec', process.execPath, main, 'listen', '--address', '127.0.0.1', ...args].join(' ')
    return new Running('script', ['-qec', command, '/dev/null'], { env: { TERM: 'xterm' } })
  }

  /** A terminal merges standard error into standard output. */
  const portOf = (running: Running) =>
    until('it listens', () => /^listening on \S+:(\d+) /m.exec(running.stdout)).then((match) =>
      Number(match[1]),
    )

  test('redraws one line, and clears it for the summary after Ctrl-C', async () => {
    const running = onTerminal()
    flood(row, await portOf(running), '--rate', '2000')
    await until('the line is drawn three times', () => running.stdout.split(' datagrams/s').length > 3)
    running.child.stdin!.write('\x03')
    expect(await running.end()).toBe(0)
    const [listening, live, ...summary] = running.stdout.split('\r\n')
    expect(listening).toMatch(/^listening on /)
    // Ctrl-C is shown by the terminal.
    const drawn = live!.replace('^C', '').split('\r\x1b[K')
    expect(drawn.shift()).toBe('')
    expect(drawn.pop()).toMatch(/^[\d,]+ datagrams, /)
    expect(drawn.length).toBeGreaterThanOrEqual(3)
    for (const each of drawn) expect(each).toMatch(/^[\d,]+ datagrams\/s .{30,58}$/)
    expect(summary.join()).not.toContain(ESCAPE)
  })

  test('shows datagrams in place of the line, and no control character of theirs', async () => {
    const running = onTerminal('--text')
    const port = await portOf(running)
    const socket = sender(row)
    await until('the line is drawn', () => running.stdout.includes(' datagrams/s'))
    socket.send('\x1b[31mred', port, '127.0.0.1')
    const line = `\r\x1b[K127.0.0.1:${socket.address().port} \\x1b[31mred\r\n`
    await until('the datagram is shown', () => running.stdout.includes(line))
    running.child.stdin!.write('\x03')
    expect(await running.end()).toBe(0)
  })
})

describe('figures', () => {
  const stats = {
    datagrams: 300,
    bytes: 3000,
    messages: 20,
    batches: 12,
    fullBatches: 0,
    emptyWakes: 0,
    groMessages: 20,
    groDatagrams: 300,
    recvCalls: 12,
    sent: 0,
    sentBytes: 0,
    sentMessages: 0,
    sendCalls: 0,
    recvTime: null,
    sendTime: null,
    truncated: 0,
    overflow: 0,
    controlTruncated: 0,
    dropped: 0,
    descriptors: 0,
    kernelDrops: 7,
    errors: {},
    batchSizes: [1, 0, 10, 0, 0, 0, 0, 1, 0, 0],
  }
  const name = { address: '127.0.0.1', family: 'IPv4', port: 8125 } as const

  /** A meter over a socket whose counts are at first 0, and then those of `now`. */
  function meter(now: Partial<SocketStats>): Meter {
    let counts: SocketStats = { ...stats, datagrams: 0, bytes: 0, batches: 0, kernelDrops: 0 }
    const socket = { address: () => name, backend: 'mmsg', stats: () => ({ ...counts, ...now }) }
    const made = new Meter(socket as unknown as UdpSocket)
    counts = stats
    return made
  }

  function summary(now: Partial<SocketStats>, unwritten = 0): string {
    const measured = meter(now)
    measured.stop()
    return summaryText(measured.summary(unwritten))
  }

  test('rates are per second', () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1000)
    const measured = meter({})
    clock.mockReturnValue(3000)
    const rates = measured.rates()
    clock.mockRestore()
    expect(rates).toMatchObject({ seconds: 2, datagramsPerSecond: 150, megabitsPerSecond: 0.012 })
  })

  test('kernel drops are counted on where the kernel begins again at 0', () => {
    const now: Partial<SocketStats> = { kernelDrops: 2 ** 32 - 6 }
    const counting = meter(now)
    now.kernelDrops = 4
    expect(counting.rates()).toMatchObject({ kernelDrops: 2 ** 32 + 4 })
    now.kernelDrops = 5
    expect(counting.rates()).toMatchObject({ kernelDrops: 2 ** 32 + 5, datagrams: 300 })
  })

  test('a batch of which a part is left out is as large as the rest of it', () => {
    const measured = meter({})
    measured.leaveOut({ length: 200, sizeAt: () => 10 } as unknown as ListenBatch, 3)
    measured.stop()
    const { datagrams, bytes, batches, batchSizes } = measured.summary(0)
    expect({ datagrams, bytes, batches }).toEqual({ datagrams: 103, bytes: stats.bytes - 1970, batches: 12 })
    expect(batchSizes).toEqual([1, 1, 10, 0, 0, 0, 0, 0, 0, 0])
  })

  test('kernel drops are unknown where the system does not tell', () => {
    expect(statusLine(meter({ kernelDrops: null }).rates())).toMatch(/ drops unknown$/)
    expect(summary({ kernelDrops: null })).toMatch(/^kernel drops: unknown, this system does not tell$/m)
  })

  test('batch sizes are drawn up to the largest', () => {
    expect(summary({}).split('\n').slice(-10)).toEqual([
      'datagrams per batch, of 12 batches with 25.0 on average:',
      '        1   1  ####',
      '      2-3   0',
      `      4-7  10  ${'#'.repeat(40)}`,
      '     8-15   0',
      '    16-31   0',
      '    32-63   0',
      '   64-127   0',
      '  128-255   1  ####',
      '',
    ])
  })

  test('losses and errors are mentioned when there are any', () => {
    const words = /^(errors|truncated|overflow|control data|not written)/gm
    expect(summary({}).match(words)).toBeNull()
    const text = summary(
      { errors: { ECONNREFUSED: 3, EPERM: 1 }, truncated: 1, overflow: 2, controlTruncated: 4 },
      5000,
    )
    expect(text.match(words)).toHaveLength(5)
    expect(text).toMatch(/^errors: ECONNREFUSED 3, EPERM 1$/m)
    expect(text).toMatch(/^truncated: 1 datagram,/m)
    expect(text).toMatch(/^overflow: 2 datagrams /m)
    expect(text).toMatch(/^control data cut: 4 messages$/m)
    expect(text).toMatch(/^not written: 5,000 datagrams,/m)
  })

  test('a timestamp of the kernel keeps all its digits', () => {
    const packet = { timestamp: 1_732_177_777_000_456_789n, ...name, size: 2 }
    const batch = { at: () => packet, offsetAt: () => 1, sizeAt: () => 2, bytes: Buffer.from(' hi ') }
    const line = json(batch as unknown as PacketBatch, 0, 5)
    expect(line).toMatch(/^\{"timestamp":1732177777000\.456789,"address":"127.0.0.1","port":8125,/)
    expect(JSON.parse(line)).toMatchObject({ data: 'aGk=' })
  })

  test('the time of arrival follows the clock where that is set', () => {
    expect(Math.abs(wallClock() - Date.now())).toBeLessThan(5)
    const later = Date.now() + 3_600_000
    const clock = jest.spyOn(Date, 'now').mockReturnValue(later)
    expect(wallClock()).toBe(later)
    // With fractions all the same.
    const next = wallClock()
    expect(next).toBeGreaterThan(later)
    expect(next).toBeLessThan(later + 2)
    clock.mockRestore()
    expect(Math.abs(wallClock() - Date.now())).toBeLessThan(5)
  })
})

test('the command is executable and packed', () => {
  expect(readFileSync(main, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  const { bin, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(bin).toEqual({ recvmmsg: 'cli/main.js' })
  const folders = readdirSync(join(root, 'cli'), { withFileTypes: true }).filter((each) => each.isDirectory())
  const packed = ['cli', ...folders.map(({ name }) => `cli/${name}`)].map((folder) => `${folder}/*.js`)
  expect(files.filter((each: string) => each.startsWith('cli'))).toEqual(packed)
})
