// What `npm start` shows when everything is built: two receivers under load, and a line that compares them.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bombard } from './support/bombard'

const repository = join(__dirname, '..')
const DEADLINE = 30_000

jest.setTimeout(DEADLINE + 5000)

const children = new Set<ChildProcess>()
const folders: string[] = []

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    // Not the signal that gives it no time to end its own.
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  children.clear()
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true })
})

interface Demo {
  child: ChildProcess
  output: { stdout: string; stderr: string }
  end: Promise<number | null>
}

function start(command: string, args: string[], cwd = repository): Demo {
  const child = spawn(command, args, { cwd, stdio: 'pipe' })
  children.add(child)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
    })
  }
  return { child, output, end: once(child, 'close').then(([code]) => code) }
}

async function until<T>(what: string, find: () => T | false): Promise<T> {
  const deadline = Date.now() + DEADLINE
  for (;;) {
    const found = find()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A copy of what the demo is made of, with a command that cannot send. */
function copy(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'recvmmsg-demo-'))
  folders.push(folder)
  fs.cpSync(join(repository, 'scripts'), join(folder, 'scripts'), { recursive: true })
  fs.symlinkSync(join(repository, 'package.json'), join(folder, 'package.json'))
  fs.mkdirSync(join(folder, 'cli'))
  for (const name of ['report', 'main']) {
    const real = JSON.stringify(join(repository, 'cli', name))
    fs.writeFileSync(
      join(folder, 'cli', `${name}.js`),
      `if (process.argv[2] !== 'send') module.exports = require(${real})\n`,
    )
  }
  return folder
}

/** As scripts/start.js has it, and on its own. */
const ways = [
  ['-e', "require('./scripts/demo').done.catch(require('./scripts/setup').giveUp)"],
  ['scripts/demo.js'],
]

test('compares both receivers under the same load in its last line', async () => {
  const { output, end } = start(process.execPath, ['scripts/demo.js'])
  expect({ code: await end, stderr: output.stderr }).toEqual({ code: 0, stderr: '' })
  const lines = output.stdout.trimEnd().split('\n')
  const status = lines.filter((line) => /^[\d,]+ datagrams\/s .* drops [\d,]+ messages$/.test(line))
  expect(status.length).toBeGreaterThanOrEqual(4)
  const last = new RegExp(
    '^recvmmsg: ([\\d.]+) s, ([\\d,]+) datagrams, ([\\d,]+|an unknown number of) messages dropped by the kernel, ' +
      '([\\d,]+) ns of CPU per datagram; node:dgram here and now: ([\\d,]+) ns \\(([\\d.]+) times as much\\)$',
  ).exec(lines.at(-1)!)
  const [seconds, datagrams, , ours, theirs, times] = last!
    .slice(1)
    .map((text) => Number(text.replaceAll(',', '')))
  expect(seconds).toBeCloseTo(5, 0)
  expect(datagrams).toBeGreaterThan(10_000)
  expect(theirs).toBeGreaterThan(100)
  // The figures are rounded.
  expect(times).toBeGreaterThanOrEqual((theirs! - 1) / (ours! + 1) - 0.1)
  expect(times).toBeLessThanOrEqual((theirs! + 1) / (ours! - 1) + 0.1)
  // What it is for: anything near 1 is a defect, or no measurement.
  expect(times).toBeGreaterThan(2)
})

test.each(ways)('fails in a sentence when nothing is received: node %s', async (...args) => {
  const { output, end } = start(process.execPath, args.filter(Boolean), copy())
  expect(await end).toBe(1)
  expect(output.stderr).toBe('Nothing was received: the sender and the receiver have not met.\n')
})

const proc = process.platform === 'linux' ? '' : ' [skipped: no /proc]'

;(proc ? test.skip : test).each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(`ends its children on %s, and with code %d${proc}`, async (signal, code) => {
  const { child, output, end } = start(process.execPath, ['scripts/demo.js'])
  await until('the listener is under load', () => output.stdout.includes(' datagrams/s'))
  const list = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
  const pids = list.trim().split(' ')
  expect(pids).toHaveLength(2)
  const asked = performance.now()
  await bombard(child, signal)
  expect(await end).toBe(code)
  expect(performance.now() - asked).toBeLessThan(2500)
  expect(output.stderr).toBe('')
  expect(pids.filter((pid) => fs.existsSync(`/proc/${pid}`))).toEqual([])
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
  const { child, output, end } = start('script', ['-qec', `${process.execPath} scripts/demo.js`, '/dev/null'])
  await until('the line is drawn twice', () => output.stdout.split('\r\x1b[K').length > 2)
  child.stdin!.write('\x03')
  expect(await end).toBe(130)
  const [before, ...drawn] = output.stdout.split('\r\n').at(-1)!.split('\r\x1b[K')
  expect(before).toBe('')
  expect(drawn.length).toBeGreaterThanOrEqual(2)
  for (const line of drawn) expect(line).toMatch(/^[\d,]+ datagrams\/s /)
})
