// What is published of system calls on node:diagnostics_channel: each call once, as the kernel was asked.

import { execFile, spawnSync } from 'node:child_process'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  capabilities,
  constants,
  type FallbackDiagnostics,
  merge,
  PacketBatch,
  type RecvDiagnostics,
  recvMmsg,
  type SendDiagnostics,
  type SocketStats,
} from '../index'
import { describeModes, expectWell, IDLE, ipv4Modes, runChild, until } from './support/loop'
import { bind, closeAll, type Row } from './support/matrix'
import { collect, describeRows, fill, freePort, refuse, thrown } from './support/net'
import { backends, bind as bindUnix, closeAll as closeUnix, removeAll } from './support/unix'

type Message = RecvDiagnostics | SendDiagnostics
type Handler = (message: unknown) => void

const { recvmmsg, sendmmsg } = capabilities()
const { MSG_DONTWAIT, MSG_PEEK } = constants
const ADDRESS = expect.stringMatching(/^0x[0-9a-f]+$/)

const subscribed: [name: string, handler: Handler][] = []

/** Calls `handler` with each message of `recvmmsg:<kind>` until the test is over. */
function subscribe<M = Message>(kind: string, handler: (message: M) => void): void {
  const name = `recvmmsg:${kind}`
  diagnostics.subscribe(name, handler as Handler)
  subscribed.push([name, handler as Handler])
}

/** All messages of this kind. */
function told<M = Message>(kind: string): M[] {
  const messages: M[] = []
  subscribe<M>(kind, (message) => messages.push(message))
  return messages
}

function unsubscribeAll(): void {
  for (const [name, handler] of subscribed.splice(0)) diagnostics.unsubscribe(name, handler)
}

afterEach(() => {
  unsubscribeAll()
  closeAll()
  closeUnix()
})
afterAll(removeAll)

/** The calls that a receive makes of `count` messages into `room`: one, or one a message and one that finds no more. */
function receives({ backend }: Pick<Row, 'backend'>, count: number, room: number): object[] {
  if (backend === 'mmsg') return [{ syscall: 'recvmmsg', vlen: room, ...outcome(count) }]
  const each = Array.from({ length: count }, () => ({ syscall: 'recvmsg', error: null, messages: 1 }))
  return count < room ? [...each, { syscall: 'recvmsg', ...outcome(0), messages: 0 }] : each
}

function outcome(count: number): object {
  const { EAGAIN } = os.constants.errno
  return count > 0 ? { returnValue: count, error: null } : { returnValue: -EAGAIN, error: 'EAGAIN' }
}

const sum = (messages: Message[], field: 'messages' | 'datagrams' | 'bytes' | 'duration') =>
  messages.reduce((total, message) => total + message[field], 0)

describeRows('recvmmsg:recv', (row) => {
  test('tells each call with its arguments, its result, how long it took and what it carried', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    const batch = new PacketBatch({ capacity: 8 })
    fill(receiver, batch, sender, ['one']) // the memory of the headers is there from now on
    const messages = told('recv')
    expect(receiver.recv(batch)).toBe(0)
    for (const payload of ['one', '', 'three']) sender.send(payload, receiver.address())
    collect(receiver, batch, 3)
    const begin = messages.findIndex(({ error }) => error === null)
    const empty = messages.slice(0, begin)
    const full = messages.slice(begin)
    expect(empty).toMatchObject(Array.from(empty, () => receives(row, 0, 8)[0]))
    expect(sum(full, 'messages')).toBe(3)
    expect(sum(full, 'datagrams')).toBe(3)
    expect(sum(full, 'bytes')).toBe(8)
    const { fd } = receiver
    const flags = MSG_DONTWAIT
    for (const message of messages) {
      expect(message.socket).toBe(receiver)
      expect(Number.isInteger(message.duration) && message.duration > 0).toBe(true)
      const { syscall, sockfd, msgvec, vlen, timeout, msg, ...result } = message as never as Record<
        string,
        unknown
      >
      const argument = { syscall, sockfd, msgvec, vlen, timeout, msg }
      const one = { syscall: 'recvmsg', sockfd: fd, msg: ADDRESS }
      const many = { syscall: 'recvmmsg', sockfd: fd, msgvec: ADDRESS, vlen: 8, timeout: null }
      expect(argument).toEqual(row.backend === 'mmsg' ? many : one)
      expect(Object.keys(result).sort()).toEqual(
        ['socket', 'flags', 'returnValue', 'error', 'duration', 'messages', 'datagrams', 'bytes'].sort(),
      )
      expect(result).toMatchObject({ flags })
    }
  })

  test('tells vlen and flags as they were asked for', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    const batch = new PacketBatch({ capacity: 8 })
    fill(receiver, batch, sender, ['one', 'two', 'three'])
    for (const payload of ['one', 'two', 'three', 'four']) sender.send(payload, receiver.address())
    expect(receiver.recv(batch, { flags: MSG_PEEK, timeout: 5000 })).toBe(1)
    const messages = told('recv')
    expect(receiver.recv(batch, { flags: MSG_PEEK })).toBe(1)
    batch.clear()
    expect(recvMmsg(receiver, batch, { vlen: 2, flags: 0, timeout: 5000 })).toBe(2)
    expect(messages.map(({ flags }) => flags & MSG_PEEK)).toEqual(
      [MSG_PEEK, ...receives(row, 2, 2)].map((call) => (call === MSG_PEEK ? MSG_PEEK : 0)),
    )
    expect(messages.slice(1)).toMatchObject(receives(row, 2, 2))
    expect(messages[0]).toMatchObject({ messages: 1, datagrams: 1, bytes: 3 })
  })

  test('tells the error, and what comes behind it', async () => {
    const socket = bind(row)
    socket.connect(freePort(row), row.loopback)
    await refuse(socket)
    const messages = told('recv')
    expect(thrown(() => socket.recv(new PacketBatch())).code).toBe('ECONNREFUSED')
    const { ECONNREFUSED } = os.constants.errno
    expect(messages).toMatchObject([{ returnValue: -ECONNREFUSED, error: 'ECONNREFUSED', messages: 0 }])
  })

  test('counts the datagrams of messages that came coalesced', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    const messages = told('recv')
    const items = Array.from({ length: 40 }, () => ({ data: 'twelve bytes', to: receiver.address() }))
    expect(sender.sendBatch(items).sent).toBe(40)
    collect(receiver, new PacketBatch(), 40)
    expect([sum(messages, 'datagrams'), sum(messages, 'bytes')]).toEqual([40, 480])
    expect(sum(messages, 'messages')).toBe(receiver.stats().messages)
  })

  test('has one message for each call that is counted, and their time', () => {
    const [receiver, sender] = [bind(row, { timing: true }), bind(row, { timing: true })]
    const [received, sent] = [told('recv'), told('send')]
    const batch = new PacketBatch({ capacity: 2 })
    for (let round = 0; round < 10; round++) {
      sender.sendBatch(Array.from({ length: 3 }, () => ({ data: 'x', to: receiver.address() })))
      sender.send('y', receiver.address())
      while (receiver.recv(batch) > 0);
    }
    const [{ recvCalls, recvTime }, { sendCalls, sendTime }] = [receiver.stats(), sender.stats()]
    expect([received.length, sum(received, 'duration')]).toEqual([recvCalls, recvTime])
    expect([sent.length, sum(sent, 'duration')]).toEqual([sendCalls, sendTime])
    expect(recvCalls).toBeGreaterThan(10)
  })
})

describeRows('recvmmsg:send', (row) => {
  const many = row.backend === 'mmsg' && sendmmsg

  test('tells sendto, and what sends many, with their arguments', () => {
    const [receiver, sender] = [bind(row), bind(row, { gso: false })]
    const messages = told('send')
    expect(sender.send('four', receiver.address())).toBe(true)
    const items = ['one', 'three'].map((data) => ({ data, to: receiver.address() }))
    expect(sender.sendBatch(items)).toMatchObject({ sent: 2 })
    sender.connect(receiver.address().port, row.loopback)
    sender.send('last')
    const call = { socket: sender, sockfd: sender.fd, flags: MSG_DONTWAIT, error: null }
    const timed = { duration: expect.any(Number) }
    const namelen = row.family === 'udp6' ? 28 : 16
    const sendto = { ...call, ...timed, syscall: 'sendto', buf: ADDRESS, messages: 1, datagrams: 1 }
    const sendmsg = { ...call, ...timed, syscall: 'sendmsg', msg: ADDRESS, messages: 1, datagrams: 1 }
    const sendmany = { ...call, ...timed, syscall: 'sendmmsg', msgvec: ADDRESS, vlen: 2 }
    expect(messages).toEqual([
      { ...sendto, len: 4, dest_addr: ADDRESS, addrlen: namelen, returnValue: 4, bytes: 4 },
      ...(many
        ? [{ ...sendmany, returnValue: 2, messages: 2, datagrams: 2, bytes: 8 }]
        : [
            { ...sendmsg, returnValue: 3, bytes: 3 },
            { ...sendmsg, returnValue: 5, bytes: 5 },
          ]),
      {
        ...sendto,
        len: 4,
        dest_addr: null,
        addrlen: 0,
        returnValue: 4,
        bytes: 4,
      },
    ])
  })

  test('tells calls that failed, and those that were made again', () => {
    const sender = bind(row, { gso: false })
    const messages = told('send')
    const tooLong = Buffer.alloc(65_530)
    expect(thrown(() => sender.send(tooLong, 9, row.loopback)).code).toBe('EMSGSIZE')
    const { failed } = sender.sendBatch([{ data: tooLong, port: 9, address: row.loopback }])
    expect(failed).toBe(1)
    expect(messages.map(({ syscall }) => syscall)).toEqual([
      'sendto',
      ...Array(messages.length - 1).fill(many ? 'sendmmsg' : 'sendmsg'),
    ])
    expect(messages.length).toBe(sender.stats().sendCalls)
    for (const { returnValue, error, datagrams } of messages) {
      expect({ returnValue, error, datagrams }).toEqual({
        returnValue: -os.constants.errno.EMSGSIZE,
        error: 'EMSGSIZE',
        datagrams: 0,
      })
    }
  })

  test('counts the datagrams of messages that leave as segments', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    const messages = told('send')
    const options = { to: receiver.address(), segmentSize: 100 }
    expect(sender.sendBatch([{ data: Buffer.alloc(1950) }], options).sent).toBe(20)
    expect([sum(messages, 'datagrams'), sum(messages, 'bytes')]).toEqual([20, 1950])
    expect(sum(messages, 'messages')).toBe(sender.stats().sentMessages)
  })
})

describeRows('channels', (row) => {
  test('cost nothing while nobody subscribes: no call is written down', () => {
    // The object that `lib` has; an import here may be a copy.
    const trace = jest.spyOn(require('../binding'), 'socketTrace')
    const [receiver, sender] = [bind(row), bind(row)]
    const exchange = () => {
      sender.send('x', receiver.address())
      sender.sendBatch([{ data: 'y', to: receiver.address() }])
      collect(receiver, new PacketBatch(), 2)
    }
    try {
      exchange()
      const messages = told('recv')
      unsubscribeAll()
      exchange()
      expect(trace).not.toHaveBeenCalled()
      subscribe('recv', (message) => messages.push(message))
      exchange()
      // Of receiving, and not of sending.
      expect(new Set(trace.mock.calls.map(([, sending]) => sending))).toEqual(new Set([false]))
      expect(sum(messages, 'datagrams')).toBe(2)
    } finally {
      trace.mockRestore()
    }
  })

  test('may be left by the last subscriber from within', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    let times = 0
    const name = 'recvmmsg:recv'
    const handler = () => {
      times += 1
      diagnostics.unsubscribe(name, handler)
    }
    for (const payload of ['one', 'two']) sender.send(payload, receiver.address())
    diagnostics.subscribe(name, handler)
    collect(receiver, new PacketBatch(), 2)
    expect(times).toBe(1)
  })

  test('have subscribers that close the socket, in a receive and in a send', () => {
    const [receiver, sender] = [bind(row), bind(row)]
    const batch = new PacketBatch()
    fill(receiver, batch, sender, ['x'])
    sender.send('last', receiver.address())
    collectable(receiver)
    subscribe('recv', ({ socket }) => socket.close())
    expect(receiver.recv(batch, { timeout: 5000 })).toBe(1)
    expect(batch.at(0)?.data.toString()).toBe('last')
    expect(thrown(() => receiver.recv(batch)).code).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING')

    subscribe('send', ({ socket }) => socket.close())
    const closing = [bind(row), bind(row), bind(row)]
    const to = { port: freePort(row), address: row.loopback }
    expect(closing[0]!.send('x', to)).toBe(true)
    expect(closing[1]!.sendBatch([{ data: 'x', to }])).toMatchObject({ sent: 1, next: 1 })
    // More than one chunk: what comes behind the first is left.
    const items = Array.from({ length: 1025 }, () => ({ data: 'x', to }))
    expect(closing[2]!.sendBatch(items)).toMatchObject({ sent: 1024, next: 1024 })
    for (const socket of closing) expect(socket.fd).toBe(-1)
  })

  test('have subscribers that receive, into the same batch and into another', () => {
    const [receiver, sender] = [bind(row, { gro: false }), bind(row, { gso: false })]
    const [batch, other] = [new PacketBatch({ capacity: 1 }), new PacketBatch({ capacity: 1 })]
    const into = [other, batch]
    const inner: string[] = []
    const calls: number[] = []
    subscribe('recv', ({ messages }) => {
      calls.push(messages)
      const next = into.shift()
      if (next === undefined) return
      expect(receiver.recv(next)).toBe(1)
      inner.unshift(next.at(0)!.data.toString())
    })
    for (const payload of ['1', '2', '3']) sender.send(payload, receiver.address())
    expect(receiver.recv(batch, { timeout: 5000 })).toBe(1)
    expect(inner).toEqual(['2', '3'])
    expect(calls).toEqual([1, 1, 1])
    // Whoever fills a batch again has filled it again.
    expect(batch.at(0)?.data.toString()).toBe('3')
  })

  /** Waits until something is there, without receiving it. */
  function collectable(socket: ReturnType<typeof bind>): void {
    expect(socket.recv(new PacketBatch(), { flags: MSG_PEEK, timeout: 5000 })).toBe(1)
  }
})

describeModes((mode) => {
  test('tells of what a listener, a loop and a merge read, each call once', async () => {
    const [first, second, sender] = [bind(mode), bind(mode), bind(mode)]
    const messages = told('recv')
    let datagrams = 0
    const send = (to: typeof first) => sender.sendToMany('payload', Array(3).fill(to.address()))
    first.on('batch', ({ length }) => {
      datagrams += length
    })
    for (let round = 1; round <= 5; round++) {
      send(first)
      await until(() => datagrams === 3 * round)
    }
    first.removeAllListeners('batch')
    for (const source of [first, merge([first, second])]) {
      send(first)
      let left = 3
      for await (const { length } of source) {
        left -= length
        if (left === 0) break
      }
    }
    const of = (socket: typeof first) => messages.filter((message) => message.socket === socket)
    expect(sum(of(first), 'datagrams')).toBe(21)
    expect(of(first).length).toBe(first.stats().recvCalls)
    expect(of(second).length).toBe(second.stats().recvCalls)
  })

  test('gives the batch before a subscriber closes the socket, in a listener and in a loop', async () => {
    const [first, second, sender] = [bind(mode), bind(mode), bind(mode)]
    subscribe('recv', ({ socket, messages }) => messages > 0 && socket.close())
    const seen: string[] = []
    const closed = once(first, 'close')
    first.on('batch', (batch) => seen.push(batch.at(0)!.data.toString()))
    sender.send('event', first.address())
    await closed
    sender.send('loop', second.address())
    for await (const batch of second) seen.push(batch.at(0)!.data.toString())
    expect(seen).toEqual(['event', 'loop'])
  })

  test('tells what was received before what the listener sent', async () => {
    const [echo, client] = [bind(mode), bind(mode)]
    const order: string[] = []
    for (const kind of ['recv', 'send']) {
      subscribe(kind, ({ socket, datagrams }) => socket === echo && datagrams > 0 && order.push(kind))
    }
    echo.on('batch', (batch) => echo.sendBatch(batch))
    client.send('x', echo.address())
    await until(() => order.length >= 2)
    expect(order).toEqual(['recv', 'send'])
  })
})

describeModes((mode) => {
  test('a subscriber that throws is an uncaught exception, and nothing else changes', async () => {
    const [line] = expectWell(await runChild('diagnostics-throws', mode)) as [{ turns: number }]
    expect(line).toMatchObject({
      sent: [true, 1],
      received: expect.any(Number),
      seen: expect.arrayContaining(['0', '1', '2']),
    })
    expect((line as unknown as { uncaught: string[] }).uncaught.sort()).toEqual(['recv', 'send'])
    expect(line.turns).toBeLessThan(IDLE)
  })

  test('a worker has its own channels, and is told of its own sockets', async () => {
    const here = [told('recv'), told('send')]
    const env = { ...process.env, CHILD_BACKEND: mode.backend, CHILD_ADDRESS: mode.loopback }
    const worker = new Worker(join(__dirname, 'children', 'diagnostics.js'), { env })
    const [[result]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
    expectAgreement(result)
    expect(here).toEqual([[], []])
  })

  const strace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0
  const traced = strace ? test : test.skip

  traced(`agrees with strace(1)${strace ? '' : ' [skipped: strace cannot trace here]'}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'recvmmsg-strace-'))
    try {
      const file = join(folder, 'calls')
      const result = await straced(file, mode)
      expectAgreement(result)
      expect(result.told.map(asTraced)).toEqual(tracedCalls(readFileSync(file, 'utf8'), result.fds))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}, ipv4Modes)

/** What `children/diagnostics.js` gives. */
interface Result {
  told: (Message & { own: boolean })[]
  received: number
  fds: [number, number]
  stats: [SocketStats, SocketStats]
}

function expectAgreement({ told, received, stats: [receiver, sender] }: Result): void {
  const of = (kind: string) => told.filter(({ syscall }) => syscall.startsWith(kind))
  expect(told.every(({ own }) => own)).toBe(true)
  expect(received).toBe(25)
  expect([of('recv').length, of('send').length]).toEqual([receiver.recvCalls, sender.sendCalls])
  expect([sum(of('recv'), 'datagrams'), sum(of('send'), 'datagrams')]).toEqual([25, 25])
}

const CALLS = 'recvmmsg,recvmsg,sendmmsg,sendmsg,sendto'

function straced(
  file: string,
  { readiness, backend, loopback }: (typeof ipv4Modes)[number],
): Promise<Result> {
  const child = join(__dirname, 'children', 'diagnostics.js')
  const args = ['-f', '-qq', '-e', `trace=${CALLS}`, '-e', `raw=${CALLS}`, '-e', 'signal=none', '-o', file]
  const env = {
    ...process.env,
    RECVMMSG_READINESS: readiness,
    CHILD_BACKEND: backend,
    CHILD_ADDRESS: loopback,
  }
  return new Promise((resolve, reject) => {
    const options = { env, timeout: 60_000, killSignal: 'SIGKILL' as const, maxBuffer: 64 << 20 }
    execFile('strace', [...args, process.execPath, child], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(JSON.parse(stdout))
    })
  })
}

/** The calls on these descriptors, `name(0x12, …) = 3`: those of other threads and the probe, on -1, are not ours. */
function tracedCalls(text: string, fds: number[]): [call: string, args: bigint[], result: string][] {
  return [...text.matchAll(/^\d+ +(\w+)\((.*)\) += (-1 )?(\w+)/gm)]
    .map(([, call, args, failed, result]): [string, bigint[], string] => [
      call!,
      args!.split(', ').map(BigInt),
      failed ? result! : String(Number(result)),
    ])
    .filter(([, args]) => fds.includes(Number(args[0])))
}

/** A message as strace(1) has it. */
function asTraced(message: Message): [call: string, args: bigint[], result: string] {
  const { syscall, sockfd, flags, returnValue, error } = message
  const address = (text: string | null) => BigInt(text ?? 0)
  const args = () => {
    switch (message.syscall) {
      case 'recvmmsg':
        return [address(message.msgvec), message.vlen, flags, address(message.timeout)]
      case 'sendmmsg':
        return [address(message.msgvec), message.vlen, flags]
      case 'sendto':
        return [address(message.buf), message.len, flags, address(message.dest_addr), message.addrlen]
      case 'recvfrom':
        return []
      default:
        return [address(message.msg), flags]
    }
  }
  return [syscall, [sockfd, ...args()].map(BigInt), error ?? String(returnValue)]
}

describe.each(backends)('Unix sockets: %s', (backend) => {
  test('are told of, too', () => {
    const [receiver, sender] = [bindUnix({ backend }), bindUnix({ backend })]
    const [received, sent] = [told('recv'), told('send')]
    expect(sender.send('one', receiver.path)).toBe(true)
    expect(sender.sendBatch([{ data: 'three', path: receiver.path }]).sent).toBe(1)
    expect(receiver.recv(new PacketBatch({ capacity: 2 }))).toBe(2)
    expect(sent).toMatchObject([
      { socket: sender, syscall: 'sendto', sockfd: sender.fd, len: 3, bytes: 3 },
      { socket: sender, syscall: backend === 'mmsg' && sendmmsg ? 'sendmmsg' : 'sendmsg', bytes: 5 },
    ])
    expect(received).toMatchObject(receives({ backend }, 2, 2))
    expect(sum(received, 'bytes')).toBe(8)
  })
})

const possible = recvmmsg && sendmmsg
const suite = possible ? describe : describe.skip

suite(`recvmmsg:fallback${possible ? '' : ' [skipped: needs recvmmsg and sendmmsg]'}`, () => {
  type Told = (Message | FallbackDiagnostics) & { kind: string; whose: string }
  const run = (
    ...argv: string[]
  ): Promise<{ told: Told[]; sent: number; received: number; backend: string }> =>
    new Promise((resolve, reject) => {
      const file = join(__dirname, 'children/diagnostics-fallback.js')
      execFile(process.execPath, [file, ...argv], { timeout: 15_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message}\n${stderr}`))
        else resolve(JSON.parse(stdout))
      })
    })
  const given = { from: 'mmsg', to: 'portable' }

  test.each(['ENOSYS', 'EPERM', 'EACCES'] as const)(
    'tells once that a call is forbidden: %s',
    async (error) => {
      const errno = -os.constants.errno[error]
      const { told, ...rest } = await run(error, 'fallback')
      expect(rest).toEqual({ sent: 3, received: 3, backend: 'portable' })
      expect(told).toEqual([
        { kind: 'fallback', whose: 'sender', syscall: 'sendmmsg', ...given, errno, error },
        { kind: 'fallback', whose: 'receiver', syscall: 'recvmmsg', ...given, errno, error },
      ])
    },
  )

  test('comes between the call that was refused and the one in its place', async () => {
    const { told } = await run('EPERM', 'all')
    const of = (name: string) =>
      told.filter(({ whose }) => whose === name).map(({ kind, syscall, error }) => ({ kind, syscall, error }))
    const none = null
    const message = { kind: 'send', syscall: 'sendmsg', error: none }
    expect(of('sender')).toEqual([
      { kind: 'send', syscall: 'sendmmsg', error: 'EPERM' },
      { kind: 'fallback', syscall: 'sendmmsg', error: 'EPERM' },
      ...Array(5).fill(message),
    ])
    expect(of('receiver').slice(0, 3)).toEqual([
      { kind: 'recv', syscall: 'recvmmsg', error: 'EPERM' },
      { kind: 'fallback', syscall: 'recvmmsg', error: 'EPERM' },
      { kind: 'recv', syscall: 'recvmsg', error: none },
    ])
  })
})
