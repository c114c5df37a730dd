// `recvmmsg bench`: what it measures adds up, and what it says of it. Figures of performance are not looked at.

import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { median, type Results, results } from '../cli/bench/results'
import { plan, type Row } from '../cli/bench/run'
import { asText } from '../cli/bench/text'
import { endAll, Running, root, run, until } from './support/command'

const PATIENCE = 120_000

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recvmmsg-bench-'))
})

afterEach(async () => {
  await endAll()
  rmSync(folder, { recursive: true })
})

/** Where there is Node, perhaps, and certainly neither Bun nor Deno, and what else is given. */
function bench(args: string[], ...path: string[]): Running {
  return new Running(['bench', ...args], { env: { PATH: [folder, ...path].join(delimiter) } })
}

const ours = ['recvmmsg, gro: false', 'recvmmsg', 'recvmmsg/dgram']

test(
  'measures, and what it tells adds up',
  async () => {
    const running = bench(['--seconds', '4', '--size', '100', '--json'])
    expect(await running.end(PATIENCE)).toBe(0)
    const told = JSON.parse(running.stdout) as Results
    expect(told.load).toEqual({ size: 100, segments: 40, flows: 4 })
    expect(told.notes.join(' ')).toMatch(/loopback: no network card/)
    const names = ['node:dgram', ...ours, 'Bun udpSocket', 'Deno listenDatagram']
    expect(told.receivers.map(({ name }) => name)).toEqual(names)
    const [dgram] = told.receivers
    for (const each of told.receivers.slice(0, 4)) {
      expect(each).toMatchObject({
        missing: null,
        version: process.versions.node,
        bufferBytes: expect.any(Number),
      })
      expect(each.rounds.length).toBeGreaterThanOrEqual(1)
      for (const { sent, received, lost, cpuNanoseconds, nsPerDatagram } of each.rounds) {
        expect(received).toBeGreaterThan(0)
        expect(lost).toBeGreaterThanOrEqual(0)
        expect(received + lost).toBe(sent)
        expect(nsPerDatagram).toBe(cpuNanoseconds / received)
      }
      const sum = (name: 'sent' | 'received' | 'lost') =>
        each.rounds.reduce((all, round) => all + round[name], 0)
      expect(each).toMatchObject({ sent: sum('sent'), received: sum('received'), lost: sum('lost') })
      expect(each.nsPerDatagram).toBe(median(each.rounds.map(({ nsPerDatagram }) => nsPerDatagram!)))
      expect(each.dgramTimes).toBe(dgram!.nsPerDatagram! / each.nsPerDatagram!)
    }
    for (const each of told.receivers.slice(4)) {
      expect(each).toMatchObject({
        missing: 'it is not on PATH',
        version: null,
        rounds: [],
        nsPerDatagram: null,
      })
    }
  },
  PATIENCE,
)

const packages = join(root, 'bench', 'node_modules')
const runtimes: [string, string, string][] = [
  [
    'bun',
    'Bun udpSocket',
    join(packages, `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin`),
  ],
  ['deno', 'Deno listenDatagram', join(packages, `@deno/linux-${process.arch}-glibc`)],
]

const found = runtimes.flatMap(([program, name, ofBench]) => {
  const place = [ofBench, ...(process.env.PATH ?? '').split(delimiter)].find((each) =>
    existsSync(join(each, program)),
  )
  return place === undefined ? [] : [{ place, name }]
})
const beside = found.map(({ name }) => name).join(' and ') || 'Bun and Deno'

;(found.length > 0 ? test : test.skip)(
  `has ${beside} beside it where they are on PATH${found.length > 0 ? '' : ' [skipped: neither]'}`,
  async () => {
    const running = bench(['--seconds', '4', '--json'], ...found.map(({ place }) => place))
    expect(await running.end(PATIENCE)).toBe(0)
    const told = JSON.parse(running.stdout) as Results
    for (const { name } of found) {
      const result = told.receivers.find((each) => each.name === name)!
      expect(result).toMatchObject({
        missing: null,
        version: expect.stringMatching(/^\d+\./),
        bufferBytes: null,
      })
      expect(result.received).toBeGreaterThan(0)
    }
    expect(told.notes.at(-1)).toMatch(/^Bun and Deno cannot ask for a receive buffer/)
  },
  PATIENCE,
)

const shell = process.platform === 'win32' ? ' [skipped: no sh]' : ''

;(shell ? test.skip : test)(
  `goes on without a receiver that fails, and says why${shell}`,
  async () => {
    const script =
      '#!/bin/sh\n[ "$1" = --version ] && echo 1.2.3 && exit\necho "error: no such thing" >&2\nexit 1\n'
    writeFileSync(join(folder, 'bun'), script)
    chmodSync(join(folder, 'bun'), 0o755)
    const running = bench(['--seconds', '2'])
    expect(await running.end(PATIENCE)).toBe(0)
    expect(running.stdout).toMatch(/^Bun udpSocket: not measured, error: no such thing$/m)
    expect(running.stdout).toMatch(/^Deno listenDatagram: not measured, it is not on PATH$/m)
    for (const name of ours) expect(running.stdout).toMatch(new RegExp(`^${name} .* \\d`, 'm'))
  },
  PATIENCE,
)

test(
  'fails where this package cannot be measured, and tells of the others',
  async () => {
    const addons = readdirSync(root).filter((name) => name.endsWith('.node'))
    const parts = ['cli', 'lib', 'index.js', 'binding.js', 'package.json', ...addons]
    for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true })
    // What is not there is dgram.js.
    const command = [process.execPath, join(folder, 'cli', 'main.js')]
    const running = new Running(['bench', '--seconds', '2'], { command, env: { PATH: folder } })
    expect(await running.end(PATIENCE)).toBe(1)
    expect(running.stdout).toMatch(
      /^recvmmsg\/dgram: not measured, Error: Cannot find module '..\/..\/dgram'$/m,
    )
    expect(running.stdout).toMatch(/^recvmmsg .*%\)$/m)
  },
  PATIENCE,
)

const signals = process.platform === 'win32' ? ' [skipped: no signals]' : ''

;(signals ? test.skip : test)(
  `tells what it has of whole rounds when interrupted${signals}`,
  async () => {
    const running = bench(['--seconds', '30', '--json'])
    await until('there is one', () => /^round 2 of \d: recvmmsg$/m.test(running.stderr), PATIENCE)
    running.child.kill('SIGINT')
    expect(await running.end(PATIENCE)).toBe(0)
    const { receivers } = JSON.parse(running.stdout) as Results
    expect(receivers.slice(0, 4).map(({ rounds }) => rounds.length)).toEqual([1, 1, 1, 1])
  },
  PATIENCE,
)

;(signals ? test.skip : test)(`fails when interrupted before${signals}`, async () => {
  const running = bench([])
  await until('it has begun', () => running.stderr.includes('warming up'), PATIENCE)
  running.child.kill('SIGTERM')
  expect(await running.end(PATIENCE)).toBe(1)
  expect(running.stdout).toBe('')
  expect(running.stderr).toMatch(/\nrecvmmsg: interrupted before there was anything to tell\n$/)
})

test.each([
  [12_000, 100, { rounds: 3, windowMs: 3000 }],
  [3000, 200, { rounds: 3, windowMs: 800 }],
  [1100, 200, { rounds: 2, windowMs: 350 }],
  [700, 200, { rounds: 1, windowMs: 500 }],
  [100, 200, { rounds: 1, windowMs: 100 }],
  [-5000, 200, { rounds: 1, windowMs: 100 }],
])('with %d ms for each receiver, and %d beside a measurement: %j', (time, beside, planned) => {
  expect(plan(time, beside)).toEqual(planned)
})

test.each([
  [[], null],
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 100], 3.5],
])('the median of %j is %j', (values, middle) => {
  expect(median(values)).toBe(middle)
})

describe('as text', () => {
  const row = (
    name: string,
    version: string | null,
    ...figures: [ns: number, received: number, lost: number][]
  ): Row => ({
    peer: { name, version, command: '', args: [], required: false },
    bufferBytes: 1,
    missing: version === null ? 'it is not on PATH' : null,
    rounds: figures.map(([ns, received, lost]) => ({
      sent: received + lost,
      received,
      lost,
      seconds: 2,
      cpuNanoseconds: ns * received,
      nsPerDatagram: received === 0 ? null : ns,
    })),
  })

  const rows = [
    row('node:dgram', '20.1.0', [2000, 1000, 1000], [2500, 2000, 2000], [2300, 3000, 3000]),
    row('recvmmsg', '20.1.0', [40, 100_000, 0], [46, 100_000, 0], [50, 100_000, 0]),
    row('Bun udpSocket', null),
    row('Deno listenDatagram', '2.0.0', [4600, 500, 0]),
    row('mute', '1.0.0', [0, 0, 10]),
  ]

  test('it is a table, with what was not measured below, and what to know', () => {
    const load = { size: 64, segments: 40, flows: 4 }
    const lines = asText(results({ rows, windowMs: 2000 }, load, { gso: true, gro: true })).split('\n')
    expect(lines.slice(1, 11)).toEqual([
      'datagrams of 64 bytes, 40 to a message, 4 flows, over loopback',
      'medians of 3 rounds of 2.0 s each',
      '',
      'receiver                   CPU ns each  beside dgram  datagrams/s  received          lost',
      'node:dgram 20.1.0                2,300             1        1,000     6,000  6,000 (50 %)',
      'recvmmsg                            46          1/50       50,000   300,000       0 (0 %)',
      'Deno listenDatagram 2.0.0        4,600           2.0          250       500       0 (0 %)',
      'mute 1.0.0                           -             -            0         0    10 (100 %)',
      'Bun udpSocket: not measured, it is not on PATH',
      '',
    ])
    expect(lines.slice(11).join(' ')).toMatch(/loopback: no network card, no driver/)
    expect(lines.filter((line) => line.length > 110)).toEqual([])
  })

  test('it says where there is no UDP_SEGMENT and no UDP_GRO', () => {
    const load = { size: 1, segments: 40, flows: 4 }
    const text = asText(results({ rows, windowMs: 500 }, load, { gso: false, gro: false }))
    expect(text).toMatch(/^datagrams of 1 byte, each a message of its own \(no UDP_SEGMENT here\), 4 flows,/m)
    expect(text).toMatch(/^medians of 3 rounds of 0\.5 s each; no UDP_GRO here$/m)
  })
})

describe('the command', () => {
  test.each([
    [['--sise', '9'], /unknown option '--sise', did you mean '--size'\? \(see 'recvmmsg bench --help'\)/],
    [['--size', '0'], /invalid value '0' for --size: it must be a whole number, 1 to 65507/],
    [['--seconds', 'x'], /invalid value 'x' for --seconds/],
  ])('%j is a usage error', (args, sentence) => {
    const { code, stdout, stderr } = run('bench', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(sentence)
  })

  test('--help lists its options in 120 columns', () => {
    const { code, stdout } = run('bench', '--help')
    expect(code).toBe(0)
    const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name)
    expect(listed).toEqual(['seconds', 'size', 'json', 'help', 'version'])
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
  })
})
