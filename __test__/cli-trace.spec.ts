// `recvmmsg trace` as its users have it: a child process over the kernel's tracing, beside what strace(1) says.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instanceName } from '../cli/trace/instance'
import { findTracefs } from '../cli/trace/tracefs'
import { bombard } from './support/bombard'
import {
  changeInstance,
  compiler,
  hasStrace,
  instances,
  noTracing,
  readInstance,
  type Straced,
  straced,
} from './support/tracing'

const root = join(__dirname, '..')
const main = join(root, 'cli', 'main.js')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const DEADLINE = 15_000

const children = new Set<ChildProcess>()
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'recvmmsg-trace-'))
})

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children.clear()
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function until<T>(what: string, find: () => T | null | undefined | false): Promise<T> {
  const deadline = Date.now() + DEADLINE
  for (;;) {
    const found = find()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

interface Line {
  timestamp: number
  processId: number
  threadId: number
  processName: string
  hostName: string
  eventId: string
  eventName: string
  argsNum: number
  returnValue: number
  args: { name: string; type: string; value: number }[]
  flags: string
  errno: string | null
}

/** A running program. */
class Running {
  stdout = ''
  stderr = ''
  code: number | null | undefined
  readonly child: ChildProcess

  /** With `stalled` nobody reads its standard output. */
  constructor(command: string, args: string[], { stalled = false, cwd = root } = {}) {
    this.child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
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

  /** Its exit code; `null` when a signal ended it. */
  end(): Promise<number | null> {
    return until('it ends', () => this.code !== undefined && { code: this.code }).then(({ code }) => code)
  }

  lines(): string[] {
    return this.stdout.split('\n').slice(0, -1)
  }

  calls(): Line[] {
    return this.lines().map((line) => JSON.parse(line))
  }
}

async function trace(args: string[], options = {}): Promise<Running> {
  const running = new Running(process.execPath, [main, 'trace', ...args], options)
  await until('it traces', () => {
    if (running.code !== undefined) throw new Error(`it has ended: ${running.stderr}`)
    return /^tracing /m.test(running.stderr)
  })
  return running
}

/** Ends a trace as a person does, with its summary. */
async function finish(tracing: Running): Promise<void> {
  tracing.child.kill('SIGINT')
  expect(await tracing.end()).toBe(0)
}

function run(args: string[], options = {}): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'trace', ...args], {
    encoding: 'utf8',
    timeout: DEADLINE,
    ...options,
  })
  return { code: status, stdout, stderr }
}

/** The instances of a trace. */
function own(tracing: Running): string[] {
  return instances().filter((each) => each.startsWith(`recvmmsg-${tracing.child.pid}-`))
}

/** What a trace tells of a call, as strace tells it. */
function asStraced({ threadId, eventName, args, flags, returnValue, errno }: Line): Straced {
  const value = (name: string) => args.find((each) => each.name === name)!.value
  return {
    threadId,
    name: eventName,
    sockfd: value('sockfd'),
    vlen: value('vlen'),
    flags,
    result: errno ?? returnValue,
  }
}

describe('the command line', () => {
  test.each([
    [['--pid', '0'], /invalid value '0' for --pid: it must be a whole number, 1 to 4194304/],
    [['--pid', '1', '--pid', 'x'], /invalid value 'x' for --pid/],
    [['--command', ''], /invalid value '' for --command/],
    [['--command', `a"'`], /invalid value 'a"'' for --command: .* one kind of quotes/],
    [['--pid', '1', '--command', 'x'], /--pid and --command exclude each other/],
    [['--duration', '0'], /invalid value '0' for --duration/],
    [['--sendmsg'], /unknown option '--sendmsg', did you mean '--sendmmsg'\?/],
    [['--json=x'], /--json takes no value/],
    [['ls'], /unexpected argument 'ls'/],
  ])('%j is a usage error', (args, sentence) => {
    const { code, stdout, stderr } = run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^recvmmsg: [^\n]* \(see 'recvmmsg trace --help'\)\n$/)
    expect(stderr).toMatch(sentence)
  })

  test('--version tells the version', () => {
    expect(run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test('--help lists the options in 120 columns', () => {
    const { stdout, ...rest } = run(['--help'])
    expect(rest).toEqual({ code: 0, stderr: '' })
    const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name)
    expect(listed).toEqual('pid command sendmmsg failed json duration help version'.split(' '))
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
  })

  const nobody = { uid: 65_534, gid: 65_534 }
  const isRoot = process.geteuid?.() === 0
  const options = isRoot ? nobody : {}
  // The checkout may be where only root gets to.
  const started = run(['--version'], options).code === 0
  const lack =
    process.platform !== 'linux' || !started ? ' [skipped: no Linux, or nobody cannot start it]' : ''

  ;(lack ? test.skip : test)(`who is not root is told so${lack}`, () => {
    const sentence = 'recvmmsg: trace needs root, as it sees all processes: run it with sudo\n'
    expect(run(['--duration', '0.1'], options)).toEqual({ code: 1, stdout: '', stderr: sentence })
  })
})

const noMounting = noTracing || (findTracefs() === null ? '' : ' [skipped: tracefs is mounted]')

;(noMounting ? test.skip : test)(
  `tracefs that cannot be mounted is told, with what to do${noMounting}`,
  () => {
    const { code, stdout, stderr } = run(['--duration', '0.1'], { env: { PATH: folder } })
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'recvmmsg: tracefs is not mounted, and cannot be mounted here: unshare: no such file or directory (ENOENT); ' +
        'as root of the machine: mount -t tracefs tracefs /sys/kernel/tracing; a container needs to be privileged\n',
    })
  },
)

const noCompiler = noTracing || (compiler === null ? ' [skipped: no C compiler]' : '')
const noStrace = noCompiler || (hasStrace ? '' : ' [skipped: no strace]')

;(noCompiler ? describe.skip : describe)(`over the kernel, with a C program${noCompiler}`, () => {
  /** Of this run alone: what else goes on in the machine has another one. In a thread it is what --command means. */
  const name = `mmsg-${process.pid}`
  let program: string

  beforeAll(() => {
    program = join(folder, name)
    const source = join(__dirname, 'children', 'mmsg.c')
    execFileSync(compiler!, ['-pthread', '-Wall', '-Wextra', '-Werror', '-o', program, source])
  })

  ;(noStrace ? test.skip : test)(`tells what strace tells of the same run${noStrace}`, async () => {
    const tracing = await trace(['--command', name, '--sendmmsg', '--json'])
    const file = join(folder, 'strace')
    const before = Date.now() - 1
    execFileSync('strace', ['-f', '-o', file, '-e', 'trace=recvmmsg,sendmmsg', program, 'rounds', '100'])
    const after = Date.now() + 1
    await finish(tracing)
    const expected = straced(readFileSync(file, 'utf8'))
    expect(expected).toHaveLength(700)
    const lines = tracing.calls()
    expect(lines.map(asStraced)).toEqual(expected)
    const times = lines.map(({ timestamp }) => timestamp / 1e6)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times[0]).toBeGreaterThan(before)
    expect(times.at(-1)).toBeLessThan(after)
    expect(tracing.stderr).toMatch(
      /^700 calls in [\d.]+ seconds: 1,600 datagrams, mean batch 3\.2, 100 empty, 100 failed$/m,
    )
    const rows = [...tracing.stderr.matchAll(new RegExp(`^${name} +${lines[0]!.processId} +(.*)$`, 'gm'))]
    expect(rows.map(([, cells]) => cells!.split(/ {2,}/))).toEqual([
      ['recvmmsg', '500', '800', '2.7', '100', 'EBADF 100'],
      ['sendmmsg', '200', '800', '4.0', '0', '-'],
    ])
  })

  test('has the fields of Tracee in --json', async () => {
    const tracing = await trace(['--command', name, '--sendmmsg', '--json'])
    execFileSync(program, ['rounds', '1'])
    await finish(tracing)
    const [line] = tracing.lines().filter((each) => each.includes('"timeout"'))
    const { args, ...fields } = JSON.parse(line!) as Line
    const id = { x64: '299', arm64: '243' }[process.arch as string]
    expect(fields).toEqual({
      timestamp: expect.any(Number),
      processId: expect.any(Number),
      threadId: fields.processId,
      processName: name,
      hostName: execFileSync('uname', ['-n'], { encoding: 'utf8' }).trim(),
      eventId: id ?? expect.any(String),
      eventName: 'recvmmsg',
      argsNum: 5,
      returnValue: 5,
      flags: 'MSG_DONTWAIT',
      errno: null,
    })
    expect(args).toEqual([
      { name: 'sockfd', type: 'int', value: 3 },
      { name: 'msgvec', type: 'struct mmsghdr*', value: expect.any(Number) },
      { name: 'vlen', type: 'unsigned int', value: 8 },
      { name: 'flags', type: 'int', value: 64 },
      { name: 'timeout', type: 'struct timespec*', value: 0 },
    ])
    // All digits are there.
    expect(line).toMatch(/^\{"timestamp":\d{16}000,/)
    expect(tracing.calls().filter(({ eventName }) => eventName === 'sendmmsg')[0]).toMatchObject({
      argsNum: 4,
    })
  })

  test('shows a table to people, without sendmmsg', async () => {
    const tracing = await trace(['--command', name])
    execFileSync(program, ['rounds', '1'])
    await finish(tracing)
    const [head, ...rows] = tracing.lines().map((line) => line.split(/ {2,}/))
    expect(head).toEqual(['TIME', 'COMMAND', 'PID', 'TID', 'RESULT', 'CALL', 'ARGUMENTS'])
    for (const row of rows)
      expect(row.slice(0, 2)).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{6}$/), name])
    const shown = rows.map((row) =>
      row
        .slice(4)
        .join(' ')
        .replace(/0x[0-9a-f]+/g, '0x…'),
    )
    expect(shown).toEqual([
      '5 recvmmsg sockfd 3, msgvec 0x…, vlen 8, flags MSG_DONTWAIT, timeout NULL',
      '2 recvmmsg sockfd 3, msgvec 0x…, vlen 2, flags MSG_TRUNC|MSG_WAITFORONE, timeout NULL',
      '1 recvmmsg sockfd 3, msgvec 0x…, vlen 8, flags MSG_DONTWAIT|MSG_WAITFORONE, timeout 0x…',
      'EAGAIN recvmmsg sockfd 3, msgvec 0x…, vlen 8, flags MSG_DONTWAIT, timeout NULL',
      'EBADF recvmmsg sockfd -1, msgvec 0x…, vlen 1, flags 0, timeout NULL',
    ])
  })

  test('with --failed shows what failed, and counts all', async () => {
    const tracing = await trace(['--command', name, '--failed', '--json'])
    execFileSync(program, ['rounds', '10'])
    await finish(tracing)
    const shown = tracing.calls().map(({ errno, returnValue }) => `${errno} ${returnValue}`)
    expect(shown).toEqual(Array.from({ length: 10 }, () => ['EAGAIN -11', 'EBADF -9']).flat())
    expect(tracing.stderr).toMatch(/^50 calls in .* 80 datagrams, mean batch 2\.7, 10 empty, 10 failed$/m)
  })

  test('tells threads and processes apart, even such as end at once', async () => {
    const tracing = await trace(['--command', name, '--command', 'nobody', '--json', '--sendmmsg'])
    const output = execFileSync(program, ['threads', '8'], { encoding: 'utf8' })
    const [parent, child] = output.trim().split(' ').map(Number)
    await finish(tracing)
    const calls = tracing.calls()
    const count = (pid?: number) => calls.filter(({ processId }) => processId === pid).length
    expect({ parent: count(parent), child: count(child), all: calls.length }).toEqual({
      parent: 560,
      child: 7,
      all: 567,
    })
    const threads = new Set(
      calls.filter(({ processId }) => processId === parent).map(({ threadId }) => threadId),
    )
    expect(threads.size).toBe(8)
    expect(threads).not.toContain(parent)
    for (const thread of threads) {
      const results = calls
        .filter(({ threadId }) => threadId === thread)
        .map((call) => call.errno ?? call.returnValue)
      expect(results).toEqual(Array.from({ length: 10 }, () => [5, 5, 3, 2, 1, 'EAGAIN', 'EBADF']).flat())
    }
  })

  test('follows the threads that a process of --pid starts, and not its children', async () => {
    const following = new Running(program, ['follow', '3'])
    const pid = await until('it is there', () => /^\d+\n/.exec(following.stdout)?.[0].trim())
    const tracing = await trace(['--pid', pid, '--pid', String(process.pid), '--sendmmsg', '--json'])
    // The kernel does not even record the others.
    const recorded = readInstance(own(tracing)[0]!, 'set_event_pid').trim().split('\n').map(Number)
    expect(recorded).toEqual(expect.arrayContaining([Number(pid), process.pid]))
    following.child.stdin!.end('\n')
    expect(await following.end()).toBe(0)
    await finish(tracing)
    const calls = tracing.calls()
    expect(new Set(calls.map(({ processId }) => processId))).toEqual(new Set([Number(pid)]))
    expect(new Set(calls.map(({ threadId }) => threadId)).size).toBe(3)
    expect(calls).toHaveLength(210)
  })

  test('takes the names of --command to the letter, up to 15 bytes', async () => {
    const names = [`${name}x`, `ü" ${process.pid}`, `\\'*${process.pid}`, `long-${process.pid}-long-longer`]
    for (const each of names) copyFileSync(program, join(folder, each))
    const [, ...wanted] = names
    const tracing = await trace([...wanted.flatMap((each) => ['--command', each]), '--json'])
    for (const each of names) execFileSync(join(folder, each), ['rounds', '1'])
    await finish(tracing)
    const cut = wanted.map((each) => Buffer.from(each).subarray(0, 15).toString())
    expect(tracing.calls().map(({ processName }) => processName)).toEqual(
      cut.flatMap((each) => new Array(5).fill(each)),
    )
  })

  test('takes tracefs where it is mounted', async () => {
    const script = 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"'
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const args = [process.execPath, main, 'trace', '--command', name, '--json']
      const tracing = new Running('unshare', ['-m', 'sh', '-c', script, 'sh', ...args])
      await until('it traces', () => /^tracing /m.test(tracing.stderr))
      expect(own(tracing)).toHaveLength(1)
      execFileSync(program, ['rounds', '1'])
      await until('the calls are shown', () => tracing.lines().length === 5)
      tracing.child.kill(signal)
      expect(await tracing.end()).toBe(signal === 'SIGTERM' ? 0 : null)
      await until('its instance is gone', () => own(tracing).length === 0)
    }
  })

  test('tells calls from before, and calls that do not come back', async () => {
    const waiting = new Running(program, ['wait'])
    const pid = Number(await until('it waits', () => /^\d+\n/.exec(waiting.stdout)?.[0]))
    const early = await trace(['--pid', String(pid), '--json'])
    const thread = await until('its thread waits', () => {
      const [, second] = execFileSync('ls', [`/proc/${pid}/task`], { encoding: 'utf8' })
        .trim()
        .split('\n')
      return second
    })
    waiting.child.stdin!.end('\n')
    expect(await waiting.end()).toBe(0)
    await finish(early)
    expect(early.calls()).toMatchObject([{ processId: pid, threadId: pid, errno: 'EAGAIN' }])
    expect(early.stderr).toMatch(/^not counted: 1 call that began before the trace$/m)
    expect(early.stderr).not.toContain(thread)

    const late = await trace(['--command', name])
    const again = new Running(program, ['wait'])
    const number = Number(await until('it waits', () => /^\d+\n/.exec(again.stdout)?.[0]))
    await until('its call is under way', () => {
      const tasks = execFileSync('ls', [`/proc/${number}/task`], { encoding: 'utf8' })
        .trim()
        .split('\n')
      const last = tasks.at(-1)
      return (
        tasks.length === 2 &&
        /^(299|243) /.test(readFileSync(`/proc/${number}/task/${last}/syscall`, 'latin1'))
      )
    })
    await finish(late)
    expect(late.stderr).toMatch(/^0 calls in /m)
    const sentence = `^still in the call: ${name} \\(${number}, thread \\d+\\) recvmmsg, sockfd 3, since [\\d:.]+$`
    expect(late.stderr).toMatch(new RegExp(sentence, 'm'))
    again.child.stdin!.end('\n')
    expect(await again.end()).toBe(0)
  })

  test('tells what was lost', async () => {
    const tracing = await trace(['--command', name, '--json'])
    tracing.child.kill('SIGSTOP')
    const calls = 400_000
    execFileSync(program, ['flood', String(calls)])
    tracing.child.kill('SIGCONT')
    await until('it tells that it loses', () => /^events are being lost: /m.test(tracing.stderr))
    await finish(tracing)
    const figure = (pattern: RegExp) => Number(pattern.exec(tracing.stderr)?.[1]?.replaceAll(',', '') ?? 0)
    const counted = figure(/^([\d,]+) calls? in /m)
    const lost = figure(/^lost: ([\d,]+) events, overwritten before they were read$/m)
    const halves = figure(/^not counted: ([\d,]+) calls? of which one event of two was lost$/m)
    expect(tracing.lines()).toHaveLength(counted)
    expect(lost).toBeGreaterThan(0)
    expect(2 * counted + halves + lost).toBe(2 * calls)
  })

  test('ends on a signal while calls go on', async () => {
    const tracing = await trace(['--command', name, '--failed'])
    const flood = new Running(program, ['flood', '1000000000'])
    await until('it shows calls', () => tracing.stdout.length > 100_000)
    await finish(tracing)
    flood.child.kill('SIGKILL')
    expect(tracing.stderr).toMatch(/^[\d,]+ calls in /m)
  })

  test('ends on a signal when nobody reads, and tells what was not written', async () => {
    const tracing = await trace(['--command', name, '--json'], { stalled: true })
    execFileSync(program, ['flood', '2000'])
    await bombard(tracing.child, 'SIGTERM')
    expect(await tracing.end()).toBe(0)
    expect(tracing.stderr).toMatch(/^2,000 calls in /m)
    expect(tracing.stderr).toMatch(/^not written: [1-9][\d,]* lines, standard output took no more$/m)
  })

  describe('leaves nothing behind', () => {
    test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('on %s', async (signal) => {
      const tracing = await trace(['--command', name])
      expect(own(tracing)).toHaveLength(1)
      tracing.child.kill(signal)
      expect(await tracing.end()).toBe(signal === 'SIGKILL' ? null : 0)
      await until('its instance is gone', () => own(tracing).length === 0)
    })

    test('when it crashes', async () => {
      const preload = join(folder, 'crash.js')
      writeFileSync(preload, `process.on('SIGUSR2', () => { throw new Error('crash') })`)
      const tracing = new Running(process.execPath, ['-r', preload, main, 'trace', '--command', name])
      await until('it traces', () => /^tracing /m.test(tracing.stderr))
      expect(own(tracing)).toHaveLength(1)
      tracing.child.kill('SIGUSR2')
      expect(await tracing.end()).not.toBe(0)
      expect(tracing.stderr).toContain('Error: crash')
      expect(own(tracing)).toEqual([])
    })

    test('when its reader has seen enough', async () => {
      const command = '{ "$0" "$@"; echo "exit code $?" >&2; } | head -1'
      const args = [main, 'trace', '--json', '--duration', '30', '--command', name]
      const pipeline = new Running('sh', ['-c', command, process.execPath, ...args])
      await until('it traces', () => /^tracing /m.test(pipeline.stderr))
      const names = instances().filter((each) => each.startsWith('recvmmsg-'))
      execFileSync(program, ['rounds', '1'])
      // What it has written after head has ended is what tells it.
      await until('it ends', () => {
        execFileSync(program, ['rounds', '1'])
        return pipeline.code !== undefined
      })
      expect(pipeline.lines()).toHaveLength(1)
      expect(pipeline.stderr).toMatch(/^tracing .*\nexit code 0\n$/)
      expect(instances().filter((each) => names.includes(each)).length).toBeLessThan(names.length)
    })

    test('and no mount, not even meanwhile', async () => {
      const mounts = () => readFileSync('/proc/self/mounts', 'utf8')
      const before = mounts()
      const tracing = await trace(['--command', name])
      expect(mounts()).toBe(before)
      await finish(tracing)
      expect(mounts()).toBe(before)
    })
  })

  test('leaves an instance alone whose process lives, though it has not opened it yet', async () => {
    const fresh = instanceName()
    changeInstance('mkdir', fresh)
    try {
      await finish(await trace(['--command', name]))
      expect(instances()).toContain(fresh)
    } finally {
      changeInstance('rmdir', fresh)
    }
  })

  test('removes what a trace before has left, and leaves one alone that runs', async () => {
    const stale = `recvmmsg-${spawnSync('true').pid}-1`
    changeInstance('mkdir', stale)
    expect(instances()).toContain(stale)
    const one = await trace(['--command', name, '--json'])
    expect(instances()).not.toContain(stale)
    const two = await trace(['--command', name, '--json'])
    execFileSync(program, ['rounds', '3'])
    for (const tracing of [two, one]) {
      await finish(tracing)
      expect(tracing.lines()).toHaveLength(15)
    }
  })
})

;(noTracing ? describe.skip : describe)(`over the kernel, with this package${noTracing}`, () => {
  const traced = join(__dirname, 'children', 'traced.js')
  const file = () => join(folder, 'strace-node')

  /** Runs the program below `command`, traced by its number from before its first call. */
  async function traceProgram(command: string[]): Promise<{ calls: Line[]; told: Record<string, number> }> {
    const [first, ...rest] = [...command, process.execPath, traced]
    const running = new Running(first!, rest)
    const pid = await until('it is there', () => /^\d+\n/.exec(running.stdout)?.[0].trim())
    const tracing = await trace(['--pid', pid, '--sendmmsg', '--json'])
    running.child.stdin!.end('\n')
    expect(await running.end()).toBe(0)
    await finish(tracing)
    const calls = tracing.calls()
    expect(new Set(calls.map(({ processId }) => processId))).toEqual(new Set([Number(pid)]))
    return { calls, told: JSON.parse(running.lines()[1]!) }
  }

  test('tells what the sockets have counted', async () => {
    const { calls, told } = await traceProgram([])
    const gave = calls.filter(({ eventName, returnValue }) => eventName === 'recvmmsg' && returnValue > 0)
    const messages = gave.reduce((sum, { returnValue }) => sum + returnValue, 0)
    expect(told).toEqual({ received: 197, batches: gave.length, messages: 197 })
    expect(messages).toBe(197)
    for (const { args } of gave) expect(args[2]).toMatchObject({ name: 'vlen', value: 4 })
  })

  const lack = hasStrace ? '' : ' [skipped: no strace]'

  ;(lack ? test.skip : test)(`tells what strace tells of the same run${lack}`, async () => {
    const { calls } = await traceProgram(['strace', '-f', '-o', file(), '-e', 'trace=recvmmsg,sendmmsg'])
    const expected = straced(readFileSync(file(), 'utf8'))
    expect(expected.length).toBeGreaterThan(100)
    expect(calls.map(asStraced)).toEqual(expected)
  })

  test('ends after --duration, with the summary, and traces neither itself nor others with --pid', async () => {
    const tracing = await trace(['--duration', '0.3', '--pid', String(process.pid)])
    expect(await tracing.end()).toBe(0)
    const [, seconds] = /^0 calls in ([\d.]+) seconds: 0 datagrams, mean batch -, 0 empty, 0 failed$/m.exec(
      tracing.stderr,
    )!
    expect(Number(seconds)).toBeGreaterThanOrEqual(0.29)
  })

  test('a process that is not there is told', () => {
    const { pid } = spawnSync('true')
    expect(run(['--pid', String(pid)])).toEqual({
      code: 1,
      stdout: '',
      stderr: `recvmmsg: there is no process ${pid}\n`,
    })
  })
})
