// `recvmmsg listen --pcap` and `--unix`: what a capture holds, byte by byte, and what tcpdump makes of it.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressBytes } from '../cli/address-bytes'
import { Capture } from '../cli/capture'
import type { CaptureFile } from '../cli/capture-file'
import { type Captured, fileHeader, writeRecord } from '../cli/pcap'
import { capabilities, PacketBatch, UdpSocket, UnixDatagramSocket } from '../index'
import { endAll, main, Running, run, until } from './support/command'
import { closeAll, hasIpv6, matrix, type Row, track } from './support/matrix'
import { readCapture } from './support/pcap'
import { runSender } from './support/testkit'

const { timestamps, recvTtl, recvTos, unixSockets } = capabilities()

const DEADLINE = 10_000

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recvmmsg-pcap-'))
  file = join(folder, 'it.pcap')
})

afterEach(async () => {
  closeAll()
  await endAll()
  rmSync(folder, { recursive: true })
})

describe('a record', () => {
  const datagram: Captured = {
    seconds: 1_732_177_777,
    nanoseconds: 456_789,
    source: addressBytes('192.0.2.1'),
    destination: addressBytes('198.51.100.2'),
    sourcePort: 53,
    destinationPort: 8125,
    tos: 0x2a,
    ttl: 63,
    ...payloadOf(Buffer.from('abc')),
  }

  /** Somewhere in a batch's memory. */
  function payloadOf(payload: Buffer): Pick<Captured, 'bytes' | 'start' | 'length' | 'size'> {
    const { length } = payload
    const bytes = Buffer.concat([Buffer.from('before'), payload, Buffer.from('behind')])
    return { bytes, start: 6, length, size: length }
  }

  function written(more: Partial<Captured>, keep = 65_527): ReturnType<typeof readCapture>['records'][0] {
    const buffer = Buffer.alloc(70_000, 0xee)
    const end = writeRecord(buffer, 7, { ...datagram, ...more }, keep)
    expect(buffer[end]).toBe(0xee)
    const capture = readCapture(Buffer.concat([fileHeader(keep), buffer.subarray(7, end)]))
    expect(capture).toMatchObject({ magic: 0xa1b23c4d, snap: 48 + keep, link: 101 })
    return capture.records[0]!
  }

  test('of IPv4 has what was told, and right lengths and checksums', () => {
    expect(written({})).toEqual({
      timestamp: 1_732_177_777_000_456_789n,
      original: 31,
      included: 31,
      version: 4,
      tos: 0x2a,
      ttl: 63,
      source: '192.0.2.1',
      destination: '198.51.100.2',
      sourcePort: 53,
      destinationPort: 8125,
      payload: Buffer.from('abc'),
      headerChecksum: true,
      checksum: true,
    })
  })

  test('of IPv6, too', () => {
    const addresses = { source: addressBytes('2001:db8::1'), destination: addressBytes('fe80::1%eth0') }
    expect(written(addresses)).toMatchObject({
      original: 51,
      version: 6,
      tos: 0x2a,
      ttl: 63,
      source: '2001:db8::1',
      destination: 'fe80::1',
      checksum: true,
    })
  })

  test.each([0, 1, 2, 65_507])('is right with %d bytes of payload', (size) => {
    expect(written(payloadOf(Buffer.alloc(size, 0xff)))).toMatchObject({
      original: 28 + size,
      headerChecksum: true,
      checksum: true,
    })
  })

  test('has a checksum of all ones where the sum is zero, which would say that there is none', () => {
    const sums = new Set<number>()
    for (let word = 0; word < 0x10000; word++) {
      const payload = Buffer.from([word >> 8, word & 255])
      const buffer = Buffer.alloc(64)
      writeRecord(buffer, 0, { ...datagram, ...payloadOf(payload) }, 2)
      sums.add(buffer.readUInt16BE(16 + 20 + 6))
    }
    expect({ zero: sums.has(0), ones: sums.has(0xffff) }).toEqual({ zero: false, ones: true })
  })

  test('says how long a datagram was of which it keeps less', () => {
    const kept = written(payloadOf(Buffer.from('abcdefgh')), 3)
    expect(kept).toMatchObject({ original: 36, included: 31, payload: Buffer.from('abc') })
    // Of all of it, as it was on the wire.
    const whole = Buffer.alloc(100)
    writeRecord(whole, 0, { ...datagram, ...payloadOf(Buffer.from('abcdefgh')) }, 8)
    const cut = Buffer.alloc(100)
    writeRecord(cut, 0, { ...datagram, ...payloadOf(Buffer.from('abcdefgh')) }, 3)
    expect(cut.readUInt16BE(42)).toBe(whole.readUInt16BE(42))
  })

  test('says how long a datagram was of which less arrived, and no checksum', () => {
    const buffer = Buffer.alloc(100)
    const end = writeRecord(buffer, 0, { ...datagram, size: 2000 }, 65_527)
    expect({ end, original: buffer.readUInt32LE(12), checksum: buffer.readUInt16BE(42) }).toEqual({
      end: 16 + 28 + 3,
      original: 2028,
      checksum: 0,
    })
  })
})

test.each([
  ['192.0.2.255', [192, 0, 2, 255]],
  ['::ffff:192.0.2.1', [192, 0, 2, 1]],
  ['::', new Array(16).fill(0)],
  ['::1', [...new Array(15).fill(0), 1]],
  ['::192.0.2.1', [...new Array(12).fill(0), 192, 0, 2, 1]],
  ['fe80::1%a::b', [0xfe, 0x80, ...new Array(13).fill(0), 1]],
  ['2001:db8::', [0x20, 1, 0xd, 0xb8, ...new Array(12).fill(0)]],
  ['1:2:3:4:5:6:7:abcd', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0xab, 0xcd]],
])('the bytes of %s', (text, bytes) => {
  expect([...addressBytes(text)]).toEqual(bytes)
})

test.each([
  [['--pcap', '-', '--json'], /--pcap - and --json exclude each other: both write to standard output/],
  [['--pcap', '-', '--text'], /--pcap - and --text exclude each other/],
  [['--pcap', ''], /invalid value '' for --pcap/],
  [['--size', '9'], /--size is for a capture: --pcap is missing/],
  [['--pcap', 'x', '--size', '65528'], /invalid value '65528' for --size: .* 0 to 65527/],
  [['--pcap', 'x', '--unix', 'y'], /--pcap is for UDP: a Unix socket has no addresses/],
  [['--unix', 'y', '--port', '1'], /--unix and --port exclude each other/],
  [['--unix', 'y', '--address', '::'], /--unix and --address exclude each other/],
  [['--unix', 'y', '--no-gro'], /--unix and --no-gro exclude each other/],
  [['--unix', ''], /invalid value '' for --unix/],
])('listen %j is a usage error', (args, sentence) => {
  const { code, stdout, stderr } = run('listen', ...args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(sentence)
})

function listen(row: Row, ...args: string[]): Running {
  return new Running(['listen', '--address', row.loopback, '--backend', row.backend, ...args])
}

/** A socket to send from. */
function sender({ loopback }: Pick<Row, 'loopback'>): UdpSocket {
  return track(UdpSocket.bind({ address: loopback }))
}

test('a batch that is more than one write holds is counted once, and in whole records', async () => {
  const socket = track(UdpSocket.bind({ address: '127.0.0.1', recvBufferSize: 4 << 20 }))
  const { port, ...name } = socket.address()
  const batch = new PacketBatch({ capacity: 1 })
  const writes: Buffer[] = []
  const file = { isRead: false, write: async (bytes: Buffer) => void writes.push(Buffer.from(bytes)) }
  const signal = new AbortController().signal
  const capture = new Capture(file as unknown as CaptureFile, { ...name, port }, 65_527, signal, 1)
  const payload = Buffer.alloc(60_000, 'x')
  await capture.begin()
  // The same one ten times: what a batch of ten would show.
  socket.send(payload, port, '127.0.0.1')
  expect(socket.recv(batch, { timeout: DEADLINE })).toBe(1)
  const ten = new Proxy(batch, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? () => value.call(target, 0) : value
    },
  })
  await capture.show(ten, 10)
  expect(capture.unwritten).toBe(0)
  // Four of these fit into one.
  expect(writes.map((write) => write.length)).toEqual([
    24,
    ...[4, 4, 2].map((count) => count * (16 + 28 + 60_000)),
  ])
  expect(readCapture(Buffer.concat(writes)).records).toHaveLength(10)
})

const tcpdump = spawnSync('tcpdump', ['--version']).status === 0
const lacking = tcpdump ? '' : ' [skipped: no tcpdump]'

/** What tcpdump makes of a capture, a line a record. */
function dumped(path: string): string[] {
  const args = ['-n', '-tt', '--nano', '-vv', '-r', path]
  return execFileSync('tcpdump', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .replace(/\n {4}/g, ' ')
    .split('\n')
    .slice(0, -1)
}

describe.each(matrix)('a capture: $backend $family', (row) => {
  test('holds what arrived, when, from where and to where', async () => {
    const payloads = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(3000, 'x'), Buffer.from('four')]
    const before = BigInt(Date.now() - 1) * 1_000_000n
    const running = listen(row, '--pcap', file, '--count', '4')
    const port = await running.port()
    const socket = sender(row)
    socket.setSocketOption(row.family === 'udp6' ? 'IPV6_TCLASS' : 'IP_TOS', 0x88)
    for (const data of payloads) socket.send(data, port, row.loopback)
    expect(await running.end()).toBe(0)
    expect(running.stdout).toBe('')
    expect(running.stderr).toMatch(/^4 datagrams, 3,007 bytes in /m)
    const { records, magic, snap } = readCapture(readFileSync(file))
    expect({ magic, snap }).toEqual({ magic: 0xa1b23c4d, snap: 65_575 })
    const headers = row.family === 'udp6' ? 48 : 28
    expect(records).toEqual(
      payloads.map((payload) => ({
        timestamp: expect.any(BigInt),
        original: headers + payload.length,
        included: headers + payload.length,
        version: row.family === 'udp6' ? 6 : 4,
        tos: recvTos ? 0x88 : 0,
        ttl: recvTtl ? 64 : 0,
        source: row.loopback,
        destination: row.loopback,
        sourcePort: socket.address().port,
        destinationPort: port,
        payload,
        headerChecksum: true,
        checksum: true,
      })),
    )
    const after = BigInt(Date.now() + 1) * 1_000_000n
    for (const { timestamp } of records) expect(timestamp > before && timestamp < after).toBe(true)
  })

  test('keeps --size bytes of each, and says how many there were', async () => {
    const running = listen(row, '--pcap', file, '--size', '5', '--count', '2')
    const port = await running.port()
    const socket = sender(row)
    socket.send('abcdefgh', port, row.loopback)
    socket.send('abc', port, row.loopback)
    expect(await running.end()).toBe(0)
    const headers = row.family === 'udp6' ? 48 : 28
    const { records, snap } = readCapture(readFileSync(file))
    expect(snap).toBe(53)
    expect(records).toMatchObject([
      { included: headers + 5, original: headers + 8, payload: Buffer.from('abcde') },
      { included: headers + 3, original: headers + 3, payload: Buffer.from('abc') },
    ])
  })

  ;(tcpdump ? test : test.skip)(`is one for tcpdump${lacking}`, async () => {
    const running = listen(row, '--pcap', file, '--count', '100')
    const port = await running.port()
    const to = row.family === 'udp6' ? `[${row.loopback}]:${port}` : `${row.loopback}:${port}`
    await runSender({ to, size: 101, segments: 40, messages: 3 })
    expect(await running.end()).toBe(0)
    const lines = dumped(file)
    expect(lines).toHaveLength(100)
    const pair = row.family === 'udp6' ? '::1\\.\\d+ > ::1\\.' : '127\\.0\\.0\\.1\\.\\d+ > 127\\.0\\.0\\.1\\.'
    for (const line of lines) {
      expect(line).toMatch(
        new RegExp(`^\\d{10}\\.\\d{9} IP6? .*${pair}${port}: \\[udp sum ok\\] UDP, length 101$`),
      )
      expect(line).not.toMatch(/bad|wrong|truncated|\|/)
    }
  })
})

const ipv6 = hasIpv6 ? '' : ' [skipped: no IPv6]'
const local = { backend: matrix[0]!.backend, family: 'udp4', loopback: '127.0.0.1' } as const

;(hasIpv6 ? test : test.skip)(
  `a peer of the other family is in the capture as what it is${ipv6}`,
  async () => {
    const running = new Running(['listen', '--address', '::', '--pcap', file, '--count', '2'])
    const port = await running.port()
    for (const loopback of ['127.0.0.1', '::1']) sender({ loopback }).send('x', port, loopback)
    expect(await running.end()).toBe(0)
    const told = readCapture(readFileSync(file)).records.map(({ source, destination }) => [
      source,
      destination,
    ])
    expect(told.sort()).toEqual([
      ['127.0.0.1', '127.0.0.1'],
      ['::1', '::1'],
    ])
  },
)

;(timestamps ? test : test.skip)(
  `the kernel tells the nanoseconds${timestamps ? '' : ' [skipped: no timestamps]'}`,
  async () => {
    const running = listen(local, '--pcap', file, '--json', '--count', '300')
    const port = await running.port()
    const socket = sender(local)
    // The first of them may lack it.
    const again = setInterval(() => socket.send('x', port, local.loopback), 1)
    expect(await running.end().finally(() => clearInterval(again))).toBe(0)
    const { records } = readCapture(readFileSync(file))
    const shown = running.stdout.split('\n').slice(0, -1)
    expect(records).toHaveLength(300)
    // JSON tells the same, in milliseconds and as text, as a number has not all the digits.
    const texts = records.map(
      ({ timestamp: t }) => `${t / 1_000_000n}.${String(t % 1_000_000n).padStart(6, '0')}`,
    )
    expect(shown.map((line) => /^\{"timestamp":([\d.]+),/.exec(line)![1]).slice(-100)).toEqual(
      texts.slice(-100),
    )
    expect(records.slice(-100).filter(({ timestamp }) => timestamp % 1000n !== 0n).length).toBeGreaterThan(50)
  },
)

test('`-` is standard output, and nothing else is there', async () => {
  const running = listen(local, '--pcap', '-', '--status', 'json', '--count', '2')
  const port = await running.port()
  // What reads it knows at once what it is.
  await until('it has begun', () => running.bytes.length === 24)
  const socket = sender(local)
  socket.send('one', port, local.loopback)
  await until('the first is there', () => running.bytes.length === 24 + 16 + 31)
  socket.send('two', port, local.loopback)
  expect(await running.end()).toBe(0)
  const { records } = readCapture(running.bytes)
  expect(records.map(({ payload }) => payload.toString())).toEqual(['one', 'two'])
})

const windows = process.platform === 'win32' ? ' [skipped: no signals]' : ''

;(windows ? test.skip : test).each(['SIGINT', 'SIGTERM'] as const)(
  `on %s all is in the file that was received${windows}`,
  async (signal) => {
    const running = listen(local, '--pcap', file, '--status', 'json')
    const port = await running.port()
    let sending = true
    const load = { to: `127.0.0.1:${port}`, size: 300, segments: 40, flows: 4, messages: 400 }
    const sent = (async () => {
      while (sending) await runSender(load)
    })()
    await until('it writes', () => statSync(file).size > 1_000_000).finally(() => {
      running.child.kill(signal)
      sending = false
    })
    expect(await running.end()).toBe(0)
    await sent
    const [summary] = running.stderr.split('\n').filter((line) => line.includes('"summary"'))
    const { datagrams, unwritten } = JSON.parse(summary!)
    expect(unwritten).toBe(0)
    expect(readCapture(readFileSync(file)).records).toHaveLength(datagrams)
  },
)

test('a capture of nothing is one, too', async () => {
  const running = listen(local, '--pcap', file, '--duration', '0.1')
  expect(await running.end()).toBe(0)
  expect(readCapture(readFileSync(file))).toEqual({ magic: 0xa1b23c4d, snap: 65_575, link: 101, records: [] })
})

describe('a file that cannot be written', () => {
  test('is told in one line: no such folder, a folder', () => {
    const missing = join(folder, 'missing', 'x')
    for (const [path, words] of [
      [missing, 'no such file or directory (ENOENT)'],
      [folder, 'illegal operation on a directory (EISDIR)'],
    ]) {
      const { code, stderr } = run('listen', '--pcap', path!)
      expect({ code, stderr }).toEqual({ code: 1, stderr: `recvmmsg: cannot write to ${path}: ${words}\n` })
    }
  })

  const root = process.getuid?.() === 0
  const user = windows || (root ? ' [skipped: root may write anywhere]' : '')

  ;(user ? test.skip : test)(`is told in one line: no permission${user}`, () => {
    writeFileSync(file, '', { mode: 0o444 })
    const { code, stderr } = run('listen', '--pcap', file)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `recvmmsg: cannot write to ${file}: permission denied (EACCES)\n`,
    })
  })

  const full = existsSync('/dev/full') ? '' : ' [skipped: no /dev/full]'

  ;(full ? test.skip : test)(`is told in one line: no space${full}`, () => {
    const { code, stderr } = run('listen', '--pcap', '/dev/full')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'recvmmsg: cannot write to /dev/full: no space left on device (ENOSPC)\n',
    })
  })

  test('is not emptied where the port is taken', () => {
    writeFileSync(file, 'precious')
    const { port } = sender(local).address()
    const { code, stderr } = run('listen', '--address', '127.0.0.1', '--port', String(port), '--pcap', file)
    expect(code).toBe(1)
    expect(stderr).toMatch(/EADDRINUSE/)
    expect(readFileSync(file, 'utf8')).toBe('precious')
  })
})

const fifo = spawnSync('mkfifo', ['--version']).error ? ' [skipped: no mkfifo]' : ''

;(fifo ? describe.skip : describe)(`a FIFO${fifo}`, () => {
  /** A listener that writes to one, and its reading end. */
  async function piped(...args: string[]): Promise<{ running: Running; port: number; fd: number }> {
    execFileSync('mkfifo', [file])
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const running = listen(local, '--pcap', file, ...args)
    return { running, port: await running.port(), fd }
  }

  test('whose reader goes away ends it, and that is told', async () => {
    const { running, port, fd } = await piped('--duration', '30')
    closeSync(fd)
    sender(local).send('x', port, local.loopback)
    expect(await running.end()).toBe(1)
    expect(running.stderr.split('\n').slice(1)).toEqual([
      `recvmmsg: cannot write to ${file}: broken pipe (EPIPE)`,
      '',
    ])
  })

  test('that nobody reads holds the reading up, and ends on SIGINT all the same', async () => {
    const { running, port, fd } = await piped('--status', 'json')
    const told = (event: string) =>
      running.stderr
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
        .filter((each) => each.event === event)
    await runSender({ to: `127.0.0.1:${port}`, size: 1000, segments: 40, duration: 300 })
    await until('the kernel drops', () => told('status').at(-1)?.kernelDrops > 0)
    running.child.kill('SIGINT')
    expect(await running.end()).toBe(0)
    closeSync(fd)
    const [summary] = told('summary')
    expect(summary.unwritten).toBeGreaterThan(0)
    expect(summary.unwritten).toBeLessThanOrEqual(summary.datagrams)
  })
})

const noUnix = unixSockets ? '' : ' [skipped: no Unix sockets]'

;(noUnix ? describe.skip : describe)(`listen --unix${noUnix}`, () => {
  const bound = (running: Running, path: string) =>
    until('it listens', () => running.stderr.startsWith(`listening on ${path} (`))

  /** Sends from a socket of that path, or from one without a name. */
  function sendTo(path: string, data: string[], from?: string): void {
    const options = from === undefined ? {} : { path: from }
    const socket = UnixDatagramSocket.bind(options)
    for (const each of data) expect(socket.send(each, path)).toBe(true)
    socket.close()
  }

  test('shows what comes to a path, as text, and leaves no file', async () => {
    const path = join(folder, 'in')
    const from = join(folder, 'from\x1b')
    const running = new Running(['listen', '--unix', path, '--text', '--count', '2'])
    await bound(running, path)
    sendTo(path, ['one', 'two'], from)
    expect(await running.end()).toBe(0)
    const name = from.replace('\x1b', '\\x1b')
    expect(running.stdout).toBe(`${name} one\n${name} two\n`)
    expect(running.stderr).toMatch(/^2 datagrams, 6 bytes in /m)
    expect(existsSync(path)).toBe(false)
  })

  test('as lines of JSON, with path', async () => {
    const path = join(folder, 'in')
    const from = join(folder, 'from')
    const running = new Running(['listen', '--unix', path, '--json', '--status', 'json', '--count', '1'])
    await until('it listens', () => running.stderr.includes('"listening"'))
    sendTo(path, ['one'], from)
    expect(await running.end()).toBe(0)
    expect(JSON.parse(running.stdout)).toEqual({
      timestamp: expect.any(Number),
      path: from,
      size: 3,
      data: Buffer.from('one').toString('base64'),
    })
    const [listening] = running.stderr.split('\n')
    expect(JSON.parse(listening!)).toMatchObject({ event: 'listening', path })
  })

  const abstract = process.platform === 'linux' ? '' : ' [skipped: no abstract names]'

  ;(abstract ? test.skip : test)(`takes an abstract name${abstract}`, async () => {
    const name = `recvmmsg-test-${process.pid}`
    const running = new Running(['listen', '--unix', `@${name}`, '--text', '--count', '1'])
    await bound(running, `@${name}`)
    sendTo(`\0${name}`, ['x'], `\0${name}-from`)
    expect(await running.end()).toBe(0)
    expect(running.stdout).toBe(`@${name}-from x\n`)
  })

  test('whose path is taken says so', () => {
    const path = join(folder, 'in')
    writeFileSync(path, '')
    const { code, stderr } = run('listen', '--unix', path)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `recvmmsg: cannot listen on ${path}: address already in use (EADDRINUSE)\n`,
    })
  })

  const shell = windows ? ' [skipped: no sh]' : ''

  ;(shell ? test.skip : test)(`leaves no file where its reader has seen enough${shell}`, async () => {
    const path = join(folder, 'in')
    const command = '"$0" "$1" listen --unix "$2" --duration 30 --text | head -1'
    const running = new Running([process.execPath, main, path], { command: ['sh', '-c', command] })
    await bound(running, path)
    const again = setInterval(() => {
      if (existsSync(path)) sendTo(path, ['x'])
    }, 20)
    expect(await running.end().finally(() => clearInterval(again))).toBe(0)
    expect(existsSync(path)).toBe(false)
  })
})
