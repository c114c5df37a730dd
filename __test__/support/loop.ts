/** What the specs of the event loop share: their table, a peer that sends, conditions to wait for, child programs. */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { capabilities, PacketBatch, type UdpSocket, type UdpSocketOptions } from '../../index'
import { bind, closeAll, matrix, type Row } from './matrix'
import { testkit } from './testkit'

/** A row of the matrix, and how its sockets are watched. */
export interface Mode extends Row {
  readiness: 'uv' | 'thread'
}

export const ways = capabilities().uvPoll ? (['uv', 'thread'] as const) : (['thread'] as const)

export const modes: Mode[] = ways.flatMap((readiness) => matrix.map((row) => ({ readiness, ...row })))

/** Without the families: for child programs, and for what takes long. */
export const ipv4Modes = modes.filter(({ family }) => family === 'udp4')

/** Runs `body` for each mode, with its readiness in force and everything closed after each test. */
export function describeModes(body: (mode: Mode) => void, table = modes): void {
  describe.each(table)('$readiness $backend $family', (mode) => {
    const { RECVMMSG_READINESS: outer } = process.env
    beforeEach(() => {
      process.env.RECVMMSG_READINESS = mode.readiness
    })
    afterEach(() => {
      if (outer === undefined) delete process.env.RECVMMSG_READINESS
      else process.env.RECVMMSG_READINESS = outer
      closeAll()
      for (const fd of peers) testkit.closeFd(fd)
      peers.clear()
    })
    body(mode)
  })
}

const peers = new Set<number>()

/** Sends datagrams from a plain socket: each is one message. */
export interface Peer {
  readonly fd: number
  readonly port: number
  send(to: UdpSocket, ...payloads: string[]): void
}

export function peer({ family, loopback }: Row): Peer {
  const fd = testkit.makeSocket(family === 'udp6' ? 'inet6' : 'inet', 'dgram')
  peers.add(fd)
  const port = testkit.bindAny(fd)
  const send = (to: UdpSocket, ...payloads: string[]) => {
    const { port: target } = to.address()
    for (const payload of payloads) testkit.sendTo(fd, loopback, target, Buffer.from(payload))
  }
  return { fd, port, send }
}

/** A socket and a peer. */
export function pair(mode: Mode, options: UdpSocketOptions = {}): { socket: UdpSocket; from: Peer } {
  return { socket: bind(mode, options), from: peer(mode) }
}

/** '0', '1', … */
export function numbers(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => String(first + index))
}

/** The payloads in a batch. */
export function texts(batch: PacketBatch<unknown>): string[] {
  return Array.from(batch, ({ data }) => data.toString())
}

/** Waits for a condition, and fails after `deadline` milliseconds. */
export async function until(condition: () => boolean, deadline = 5000): Promise<void> {
  const end = performance.now() + deadline
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not true within ${deadline} ms: ${condition}`)
    await delay(1)
  }
}

/** Closes it and waits for `'close'`, whatever errors come before. */
export function closed(socket: UdpSocket): Promise<void> {
  const close = new Promise<void>((resolve) => void socket.once('close', resolve))
  socket.close()
  return close
}

/** Takes `count` payloads by `recv`. */
export function take(socket: UdpSocket, count: number): string[] {
  const batch = new PacketBatch({ capacity: 8 })
  const taken: string[] = []
  while (taken.length < count && socket.recv(batch, { timeout: 2000 }) > 0) taken.push(...texts(batch))
  return taken
}

/**
 * Gives the loop the time to tell other sockets of two datagrams that are sent now. Who was to be told of something
 * before has been told.
 */
export async function rounds(mode: Mode): Promise<void> {
  const { socket, from } = pair(mode)
  for (const payload of ['one', 'two']) {
    from.send(socket, payload)
    await socket.readable()
    take(socket, 1)
  }
  socket.close()
}

/**
 * Turns of the event loop in 100 ms of doing nothing, the fewest of three such times: the garbage collector has jobs for
 * the loop now and then, a spin takes hundreds of turns in each.
 */
export async function idleTurns(): Promise<number> {
  const { nodeTiming }: { nodeTiming?: Partial<typeof performance.nodeTiming> } = performance
  const turns = () => nodeTiming?.uvMetricsInfo?.loopCount ?? busyTurns()
  let fewest = Number.POSITIVE_INFINITY
  for (let time = 0; time < 3; time++) {
    const before = turns()
    await delay(100)
    fewest = Math.min(fewest, turns() - before)
  }
  return fewest
}

/** Where the runtime does not count them: 500 in 100 ms of a whole core, which only a spin takes. */
function busyTurns(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 200
}

/** More turns than an idle process takes, and far fewer than a spin. */
export const IDLE = 100

/** Keeps this thread busy. */
export function busy(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** How a child program ended. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stderr: string
  /** What it printed, a JSON value a line. */
  lines: unknown[]
  /** Milliseconds from its last line to its end. */
  lingered: number
}

/**
 * Runs `__test__/children/<name>.js`, which has the mode in its environment; killed after `deadline` milliseconds. With
 * `descriptors` it may open no more than that.
 */
export function runChild(
  name: string,
  { readiness, backend, loopback }: Mode,
  args: string[] = [],
  { nodeArgs = [] as string[], deadline = 60_000, descriptors = 0 } = {},
): Promise<Ended> {
  const file = join(__dirname, '..', 'children', `${name}.js`)
  const env = {
    ...process.env,
    RECVMMSG_READINESS: readiness,
    CHILD_BACKEND: backend,
    CHILD_ADDRESS: loopback,
  }
  return new Promise((resolve, reject) => {
    const command = [process.execPath, ...nodeArgs, file, ...args]
    const limited = ['/bin/sh', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', ...command]
    const [program, ...rest] = descriptors > 0 ? limited : command
    const child = spawn(program!, rest, {
      env,
      timeout: deadline,
      killSignal: 'SIGKILL',
    })
    let stdout = ''
    let stderr = ''
    let last = performance.now()
    child.stdout.on('data', (data) => {
      stdout += data
      last = performance.now()
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const lines = stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
      resolve({ code, signal, stderr, lines, lingered: performance.now() - last })
    })
  })
}

/** A child that ended well, with what it printed. */
export function expectWell(ended: Ended): unknown[] {
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  return ended.lines
}
