// What `recvmmsg trace` makes of lines of the kernel's, without a kernel.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { namesOf, systemCall } from '../cli/trace/calls'
import { Clock } from '../cli/trace/clock'
import { errorName, flagNames } from '../cli/trace/decode'
import { jsonFormatter } from '../cli/trace/format'
import { type Half, parseLine } from '../cli/trace/line'
import { type Call, Pairing } from '../cli/trace/pairing'
import { summaryText } from '../cli/trace/summary'
import { Tally } from '../cli/trace/tally'
import { Threads } from '../cli/trace/threads'
import { checkAllowed, findTracefs, refused, tracedCalls } from '../cli/trace/tracefs'
import { Tracer } from '../cli/trace/tracer'

const HEAD = '            node-3831    (   3790) [001] ..... 23318.825780: '
const ENTER = `${HEAD}sys_recvmmsg(fd: 0x11, mmsg: 0x7ffdffff0000, vlen: 0x28, flags: 0x10040, timeout: 0)`
const EXIT = `${HEAD}sys_recvmmsg -> 0xfffffffffffffff5`

describe('a line of the kernel', () => {
  const enter = {
    command: 'node',
    threadId: 3831,
    processId: 3790,
    micros: 23_318_825_780,
    name: 'recvmmsg',
    args: ['11', '7ffdffff0000', '28', '10040', '0'],
    returnValue: 0,
  }

  test.each([
    ['of Linux 6.18', ENTER, {}],
    [
      'with small numbers padded',
      ENTER.replace('3831    (   3790)', '7       (      7)'),
      { threadId: 7, processId: 7 },
    ],
    [
      'with large numbers',
      ENTER.replace('3831    (   3790)', '4194303 (4194302)'),
      { threadId: 4194303, processId: 4194302 },
    ],
    [
      'of Linux 4.18',
      `            node-3831  ( 3790) [001] .... 23318.825780: sys_recvmmsg(fd: 11, mmsg: 7ffdffff0000, vlen: 28, flags: 10040, timeout: 0)`,
      {},
    ],
    ['without the flags behind the CPU', ENTER.replace(' .....', ''), {}],
    ['with a CPU of four digits', ENTER.replace('[001]', '[1024]'), {}],
    ['without the process', ENTER.replace('    (   3790)', '   '), { processId: null }],
    ['whose process was not kept', ENTER.replace('(   3790)', '(-------)'), { processId: null }],
    ['whose name was forgotten', ENTER.replace(' node-', '<...>-'), { command: '<...>' }],
    [
      'with more than numbers',
      ENTER.replace('0x11,', '0x11 "x",').replace('0x10040,', '0x10040 (MSG_DONTWAIT|MSG_WAITFORONE),'),
      {},
    ],
    [
      'of a thread with a hostile name',
      ENTER.replace('            node', ' a -> b-12 [3] x'),
      { command: 'a -> b-12 [3] x' },
    ],
    [
      'of a thread named like what follows',
      ENTER.replace('            node', ' x-1 (  2) [3] 4'),
      { command: 'x-1 (  2) [3] 4' },
    ],
    [
      'of a thread with a line feed in its name',
      ENTER.replace('            node', '           a\n\nb'),
      { command: 'a\n\nb' },
    ],
    ['of a thread with an empty name', ENTER.replace('node', '    '), { command: '' }],
  ])('%s is the enter of a call', (_, line, changes) => {
    expect(parseLine(line)).toEqual({ ...enter, ...changes })
  })

  test.each([
    ['0x5', 5],
    ['0x0', 0],
    ['0x400', 1024],
    ['0xfffffffffffffff5', -11],
    ['0xfffffffffffffe00', -512],
    ['0xfffffff5', -11],
  ])('an exit with %s gave %d', (text, value) => {
    const exit = { ...enter, args: null, returnValue: value }
    expect(parseLine(`${HEAD}sys_recvmmsg -> ${text}`)).toEqual(exit)
  })

  test.each([
    ['CPU:0 [LOST 3772 EVENTS]', 3772],
    ['CPU:127 [LOST EVENTS]', null],
  ])('%j tells of lost events', (line, lost) => {
    expect(parseLine(line)).toEqual({ lost })
  })

  test.each([
    [''],
    ['           we'],
    ['##### CPU 1 buffer started ####'],
    [`${HEAD}sched_switch: prev_comm=node`],
    [ENTER.slice(0, -1)],
    [`${ENTER} `],
    ['x CPU:0 [LOST 1 EVENTS]'],
  ])('%j is no event', (line) => {
    expect(parseLine(line)).toBeNull()
  })
})

test.each([
  [0, '0'],
  [0x40, 'MSG_DONTWAIT'],
  [0x10062, 'MSG_PEEK|MSG_TRUNC|MSG_DONTWAIT|MSG_WAITFORONE'],
  [0x100040, 'MSG_DONTWAIT|0x100000'],
  [-0x80000000, '0x80000000'],
])('flags %d are %s', (flags, names) => {
  expect(flagNames(flags)).toBe(names)
})

const linux = process.platform === 'linux' ? '' : ' [skipped: errors have other numbers]'

const errors: [number, string | null][] = [
  [0, null],
  [7, null],
  [-4, 'EINTR'],
  [-11, 'EAGAIN'],
  [-9, 'EBADF'],
  [-14, 'EFAULT'],
  [-38, 'ENOSYS'],
  [-88, 'ENOTSOCK'],
  [-95, 'EOPNOTSUPP'],
  [-108, 'ESHUTDOWN'],
  [-111, 'ECONNREFUSED'],
  [-512, 'ERESTARTSYS'],
  [-4000, 'errno 4000'],
]

const testOnLinux = linux ? test.skip : test
const describeOnLinux = linux ? describe.skip : describe

testOnLinux.each(errors)(`%d is the error %s${linux}`, (value, name) => {
  expect(errorName(value)).toBe(name)
})

describe('a system call', () => {
  test.each([
    ['x86_64', '299', '307', null],
    ['aarch64', '243', '269', null],
    ['riscv64', '243', '269', null],
    ['ppc64le', '343', '349', null],
    ['s390x', '357', '358', null],
    ['armv7l', '417', '374', '365'],
    ['i686', '417', '345', '337'],
    ['vax', null, null, null],
  ])('has its numbers on %s', (machine, ...numbers) => {
    const names = ['recvmmsg', 'sendmmsg', 'recvmmsg_time32']
    expect(names.map((name) => systemCall(name, machine).number)).toEqual(numbers)
  })

  test('has the arguments of its name', () => {
    const text = (name: string) =>
      systemCall(name)
        .parameters.map((each) => `${each.type} ${each.name}`)
        .join(', ')
    expect(text('recvmmsg')).toBe(
      'int sockfd, struct mmsghdr* msgvec, unsigned int vlen, int flags, struct timespec* timeout',
    )
    expect(text('sendmmsg')).toBe('int sockfd, struct mmsghdr* msgvec, unsigned int vlen, int flags')
    expect(text('recvmmsg_time32')).toBe(
      'int fd, struct mmsghdr* mmsg, unsigned int vlen, unsigned int flags, struct old_timespec32* timeout',
    )
  })

  test('is traced where it is asked for', () => {
    expect(namesOf(false)).toEqual(['recvmmsg', 'recvmmsg_time32'])
    expect(namesOf(true)).toEqual(['recvmmsg', 'recvmmsg_time32', 'sendmmsg'])
  })
})

describe('halves of calls', () => {
  const node = { processId: 1, processName: 'node' }
  const half = (threadId: number, changes = {}): Half => ({
    ...(parseLine(ENTER) as Half),
    threadId,
    ...changes,
  })
  const exit = (threadId: number, changes = {}) => half(threadId, { args: null, returnValue: 3, ...changes })

  test('are joined by thread', () => {
    const pairing = new Pairing(() => true)
    expect(pairing.add(half(1, { micros: 10 }), node)).toBeNull()
    expect(pairing.add(half(2, { micros: 11 }), node)).toBeNull()
    expect(pairing.add(exit(1, { micros: 12 }), node)).toMatchObject({
      threadId: 1,
      micros: 10,
      returnValue: 3,
      ...node,
    })
    expect(pairing.add(exit(2, { micros: 13 }), node)).toMatchObject({
      threadId: 2,
      micros: 11,
      returnValue: 3,
    })
    expect(pairing).toMatchObject({ begunBefore: 0, halves: 0 })
    expect(pairing.stillOpen()).toEqual([])
  })

  test('are counted where the other is missing', () => {
    const pairing = new Pairing(() => true)
    expect(pairing.add(exit(1), node)).toBeNull()
    expect(pairing).toMatchObject({ begunBefore: 1, halves: 0 })
    pairing.lossy = true
    expect(pairing.add(exit(1), node)).toBeNull()
    pairing.add(half(1), node)
    pairing.add(half(1), node)
    expect(pairing.add(exit(1, { name: 'sendmmsg' }), node)).toBeNull()
    expect(pairing).toMatchObject({ begunBefore: 1, halves: 3 })
  })

  test('are still open, but for those of threads that are no more', () => {
    const pairing = new Pairing((threadId) => threadId !== 2)
    for (const threadId of [1, 2, 3]) pairing.add(half(threadId), node)
    expect(pairing.stillOpen().map(({ threadId }) => threadId)).toEqual([1, 3])
  })

  test('of threads that are no more do not pile up', () => {
    const asked = jest.fn(() => false)
    const pairing = new Pairing(asked)
    for (let threadId = 1; threadId <= 25_000; threadId++) pairing.add(half(threadId), node)
    expect(asked.mock.calls.length).toBe(20_000)
    expect(pairing.add(exit(1), node)).toBeNull()
  })
})

describe('a thread', () => {
  const files: Record<string, string> = {
    '/proc/5/comm': 'a\nb\n',
    '/proc/5/status': 'Name:\ta\\nb\nTgid:\t4\nPid:\t5\n',
  }
  const read = (path: string) => {
    if (files[path] === undefined) throw new Error('ENOENT')
    return files[path]
  }

  test('has the name that /proc tells, and the process that the trace tells', () => {
    const threads = new Threads(true, read)
    expect(threads.identify({ threadId: 5, processId: 3, command: 'sh' })).toMatchObject({
      processId: 3,
      processName: 'a\nb',
    })
    expect(threads.identify({ threadId: 5, processId: null, command: 'bash' })).toMatchObject({
      processId: 4,
    })
    expect([5, 6].map((threadId) => threads.lives(threadId))).toEqual([true, false])
  })

  test('that has ended has what the trace tells', () => {
    const threads = new Threads(true, read)
    expect(threads.identify({ threadId: 6, processId: 3, command: 'sh' })).toMatchObject({
      processId: 3,
      processName: 'sh',
    })
    expect(threads.identify({ threadId: 7, processId: null, command: '<...>' })).toMatchObject({
      processId: 7,
      processName: '<...>',
    })
  })

  test('is nobody of /proc in a container', () => {
    const threads = new Threads(false, read)
    expect(threads.identify({ threadId: 5, processId: null, command: 'sh' })).toMatchObject({
      processId: 5,
      processName: 'sh',
    })
    expect(threads.lives(6)).toBe(true)
  })

  test('is looked up once a second, or when its name or process is another', () => {
    const reading = jest.fn(read)
    const clock = jest.spyOn(performance, 'now').mockReturnValue(0)
    const threads = new Threads(true, reading)
    const lookUps = (half: { processId: number | null; command: string }) => {
      reading.mockClear()
      threads.identify({ threadId: 5, ...half })
      return reading.mock.calls.length
    }
    expect(lookUps({ processId: 4, command: 'x' })).toBe(1)
    expect(lookUps({ processId: 4, command: 'x' })).toBe(0)
    expect(lookUps({ processId: null, command: 'x' })).toBe(0)
    expect(lookUps({ processId: 4, command: 'y' })).toBe(1)
    expect(lookUps({ processId: 9, command: 'y' })).toBe(1)
    clock.mockReturnValue(1001)
    expect(lookUps({ processId: 9, command: 'y' })).toBe(1)
    clock.mockRestore()
  })
})

const call: Call = {
  processId: 3790,
  processName: 'no"d\u202ee\n',
  threadId: 3831,
  name: 'recvmmsg',
  micros: 0,
  args: ['fffffffffffffffb', 'ffffffffffffff00', 'ffffffffffffffff', '10040', '7ffdffff0000'],
  returnValue: -11,
}

testOnLinux(`a line of JSON has numbers as wide as their types, and nothing for terminals${linux}`, () => {
  const find = (name: string) => systemCall(name, 'aarch64')
  const line = jsonFormatter('host', find)(call, 1_795_295_942_429_220)
  expect(line).toBe(
    '{"timestamp":1795295942429220000,"processId":3790,"threadId":3831,"processName":"no\\"d\\u202ee\\n",' +
      '"hostName":"host","eventId":"243","eventName":"recvmmsg","argsNum":5,"returnValue":-11,"args":[' +
      '{"name":"sockfd","type":"int","value":-5},' +
      '{"name":"msgvec","type":"struct mmsghdr*","value":18446744073709551360},' +
      '{"name":"vlen","type":"unsigned int","value":4294967295},' +
      '{"name":"flags","type":"int","value":65600},' +
      '{"name":"timeout","type":"struct timespec*","value":140728898355200}],' +
      '"flags":"MSG_DONTWAIT|MSG_WAITFORONE","errno":"EAGAIN"}\n',
  )
})

test('the clock keeps the order of times, and follows steps', () => {
  const now = jest.spyOn(Date, 'now')
  const clock = new Clock()
  const micros = Number(process.hrtime.bigint() / 1000n)
  const before = clock.epochMicros(micros)
  expect(Math.abs(before / 1000 - Date.now())).toBeLessThan(10)
  clock.refresh()
  expect(clock.epochMicros(micros)).toBe(before)
  const set = Date.now() + 3_600_000
  now.mockReturnValue(set)
  // Where it had to wait in between, a look tells nothing.
  for (let looks = 0; looks < 100 && clock.epochMicros(micros) === before; looks++) clock.refresh()
  const after = clock.epochMicros(micros)
  now.mockRestore()
  expect(after - before).toBeGreaterThan(3_599e6)
  expect(after - before).toBeLessThan(3_601e6)
})

describeOnLinux(`a tracer${linux}`, () => {
  function tracer(options = {}): Tracer {
    return new Tracer({ pids: [], failed: false, json: false, ...options }, new Clock(), new Threads(false))
  }
  const lines = (made: Tracer, ...given: string[]) => given.map((line) => made.add(line)).filter(Boolean)

  test('shows a call when it is over', () => {
    const made = tracer()
    expect(made.add(ENTER)).toBe('')
    expect(made.add(EXIT)).toMatch(
      /^\d\d:\d\d:\d\d\.\d{6} {2}node {11} {2}3790 {3} {2}3831 {3} {2}EAGAIN {2} {2}recvmmsg {2}sockfd 17, msgvec 0x7ffdffff0000, vlen 40, flags MSG_DONTWAIT\|MSG_WAITFORONE, timeout NULL\n$/,
    )
  })

  test('shows failed calls only where that is asked for', () => {
    const fine = EXIT.replace(/0x\w+$/, '0x5')
    const made = tracer({ failed: true })
    expect(lines(made, ENTER, fine, ENTER, EXIT)).toHaveLength(1)
    expect(made.summary(1).total).toMatchObject({ calls: 2, datagrams: 5, empty: 1 })
  })

  test('leaves out other processes than those asked for, and this one where none is', () => {
    expect(lines(tracer({ pids: [3790] }), ENTER, EXIT)).toHaveLength(1)
    const other = tracer({ pids: [1] })
    expect(lines(other, ENTER, EXIT, EXIT)).toHaveLength(0)
    expect(other.summary(1)).toMatchObject({ begunBefore: 0 })
    const own = (line: string) => line.replace('   3790', String(process.pid).padStart(7))
    expect(lines(tracer(), own(ENTER), own(EXIT))).toHaveLength(0)
    expect(lines(tracer({ pids: [process.pid] }), own(ENTER), own(EXIT))).toHaveLength(1)
  })

  test('puts a name with line feeds together, but nothing else', () => {
    const split = (line: string) => line.replace('            node', '           a\n\nb').split('\n')
    expect(lines(tracer(), ...split(ENTER), ...split(EXIT))[0]).toContain('  a\\n\\nb  ')
    const made = tracer()
    expect(lines(made, 'noise', 'CPU:0 [LOST 3 EVENTS]', ENTER, 'x'.repeat(100), EXIT)).toHaveLength(1)
    expect(made.summary(1)).toMatchObject({ lost: { events: 3, unknown: false }, halves: 0 })
    expect(made.lossy).toBe(true)
  })

  test('knows what has not been taken', () => {
    const made = tracer()
    lines(made, ENTER, EXIT, ENTER, EXIT)
    expect(made.unwritten).toBe(2)
    made.taken(1)
    expect(made.unwritten).toBe(1)
  })
})

describeOnLinux(`the summary${linux}`, () => {
  function summary(changes = {}, calls: Partial<Call>[] = []): string {
    const tally = new Tally()
    for (const each of calls) tally.add({ ...call, processName: 'node', ...each })
    const none = {
      seconds: 2,
      lost: { events: 0, unknown: false },
      begunBefore: 0,
      halves: 0,
      open: [],
      unwritten: 0,
    }
    return summaryText({ ...none, total: tally.total, rows: tally.rows(), ...changes })
  }

  test('of nothing is one line', () => {
    expect(summary()).toBe('0 calls in 2.00 seconds: 0 datagrams, mean batch -, 0 empty, 0 failed\n')
  })

  test('is by process and call, the most calls first', () => {
    const calls = [
      { returnValue: 5, processName: 'sh', processId: 7 },
      { returnValue: 10 },
      { returnValue: 0 },
    ]
    const more = [
      { returnValue: -9 },
      { returnValue: -9 },
      { returnValue: 1, name: 'sendmmsg' },
      {},
      { returnValue: -14 },
    ]
    expect(summary({}, [...calls, ...more]).split('\n')).toEqual([
      '8 calls in 2.00 seconds: 16 datagrams, mean batch 5.3, 2 empty, 3 failed',
      'COMMAND  PID   CALL      CALLS  DATAGRAMS  MEAN BATCH  EMPTY  ERRORS',
      'node     3790  recvmmsg      6         10          10      2  EBADF 2, EFAULT 1',
      'sh       7     recvmmsg      1          5         5.0      0  -',
      'node     3790  sendmmsg      1          1         1.0      0  -',
      '',
    ])
  })

  test('has room for 20 processes, and memory for 10,000', () => {
    const calls = Array.from({ length: 10_050 }, (_, processId) => ({ processId, returnValue: 1 }))
    const text = summary({}, calls)
    expect(text).toMatch(/^\(others\) +recvmmsg +50 +50 +1\.0 +0 {2}-$/m)
    expect(text).toMatch(/^and 9,981 more$/m)
    expect(text.split('\n')).toHaveLength(24)
  })

  test('mentions what did not go well', () => {
    const open = [{ ...call, processName: 'a\nb', since: 1.5e15 }]
    const text = summary({
      lost: { events: 1234, unknown: true },
      begunBefore: 1,
      halves: 2,
      unwritten: 3,
      open,
    })
    expect(text.split('\n').slice(1)).toEqual([
      'lost: more than 1,234 events, overwritten before they were read',
      'not counted: 2 calls of which one event of two was lost',
      'not counted: 1 call that began before the trace',
      'not written: 3 lines, standard output took no more',
      expect.stringMatching(
        /^still in the call: a\\nb \(3790, thread 3831\) recvmmsg, sockfd -5, since \d\d:\d\d:00\.0{6}$/,
      ),
      '',
    ])
    expect(summary({ lost: { events: 1, unknown: false } })).toMatch(/^lost: 1 event, /m)
  })
})

describe('tracing', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recvmmsg-tracefs-'))
  })

  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  test('is found where it is mounted first', () => {
    const places = ['a', 'b', 'c'].map((name) => join(folder, name))
    // An empty mount point is none.
    mkdirSync(places[0]!)
    expect(findTracefs(places)).toBeNull()
    for (const place of places.slice(1)) mkdirSync(join(place, 'instances'), { recursive: true })
    expect(findTracefs(places)).toBe(places[1])
  })

  test('is of those calls that have events', () => {
    expect(() => tracedCalls(folder, ['recvmmsg'])).toThrow(
      `this kernel has no events of system calls (${join(folder, 'events', 'syscalls')}): ` +
        'it needs one that is built with CONFIG_FTRACE_SYSCALLS',
    )
    for (const name of ['recvmmsg', 'sendmmsg']) {
      mkdirSync(join(folder, 'events', 'syscalls', `sys_enter_${name}`), { recursive: true })
    }
    expect(tracedCalls(folder, namesOf(true))).toEqual(['recvmmsg', 'sendmmsg'])
    expect(tracedCalls(folder, namesOf(false))).toEqual(['recvmmsg'])
  })

  test.each([
    ['darwin', 0, 'trace needs Linux: it reads the events of its kernel'],
    ['win32', undefined, 'trace needs Linux: it reads the events of its kernel'],
    ['linux', 1000, 'trace needs root, as it sees all processes: run it with sudo'],
  ])('on %s as user %s is refused', (platform, uid, sentence) => {
    expect(() => checkAllowed(platform, uid)).toThrow(sentence)
    expect(() => checkAllowed('linux', 0)).not.toThrow()
  })

  test('that the kernel refuses is told with what may be the cause', () => {
    const error = (code: string) => Object.assign(new Error(`${code}: refused`), { code })
    expect(refused('trace_pipe', error('EPERM')).message).toBe(
      'cannot trace: trace_pipe: EPERM: refused; a container needs to be privileged for that, and a kernel in ' +
        'lockdown allows it to nobody',
    )
    expect(refused('trace_pipe', error('ENOMEM')).message).toBe('cannot trace: trace_pipe: ENOMEM: refused')
  })
})
