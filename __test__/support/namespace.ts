/** Networks of the tests' own: Linux network namespaces, network_namespaces(7), and the programs inside them. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { hasIpv6 } from './matrix'

/** A name in its own right while this process lives. */
const NAME = `recvmmsg-test-${process.pid}`
/** The name of both ends of the cable. */
export const DEVICE = 'veth'
/** How long a program may take for its next line, on a machine that has other things to do. */
const PATIENCE = 60_000

/** Addresses of the two ends of the cable, of each family. The server's are in the order in which it got them. */
export const addresses = {
  udp4: { server: ['10.83.0.1', '10.83.0.2'], client: '10.83.0.3', nobody: '10.83.0.99' },
  udp6: { server: ['fd83::1', 'fd83::2'], client: 'fd83::3', nobody: 'fd83::99' },
} as const
/** Of the server's end, with the interface as the client writes it. */
export const linkLocal = `fe80::83:1%${DEVICE}`

function ip(...argv: string[]): string {
  return command('ip', argv)
}

function command(program: string, argv: string[]): string {
  return execFileSync(program, argv, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  })
}

const existing = new Set<Namespace>()

/** Removes what is still there; for `afterAll`, and for a process that ends without it. */
export function removeAll(): void {
  for (const namespace of existing) namespace.remove()
}
process.once('exit', removeAll)

let made = 0

/** One namespace, with its loopback interface up. */
export class Namespace {
  readonly name = `${NAME}-${made++}`
  readonly #programs = new Set<Program>()

  constructor() {
    ip('netns', 'add', this.name)
    existing.add(this)
    this.ip('link', 'set', 'lo', 'up')
  }

  /** ip(8) in here. */
  ip(...argv: string[]): string {
    return ip('-netns', this.name, ...argv)
  }

  /** Any program in here, to its end. */
  exec(program: string, ...argv: string[]): string {
    return ip('netns', 'exec', this.name, program, ...argv)
  }

  /** Sets a sysctl(8) value of this namespace. */
  set(name: string, value: number): void {
    this.exec('sh', '-c', `echo ${value} > /proc/sys/${name}`)
  }

  /** Index of an interface. */
  index(device: string): number {
    return JSON.parse(this.ip('-json', 'link', 'show', 'dev', device))[0].ifindex
  }

  /** Starts a script of Node's in here: `__test__/children/<name>.js`, or a path. */
  start(script: string, argv: string[], env: Record<string, string> = {}): Program {
    const program = new Program(this, script, argv, env)
    this.#programs.add(program)
    return program
  }

  /** Ends what runs in here. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#programs, (program) => program.kill()))
    this.#programs.clear()
  }

  remove(): void {
    for (const program of this.#programs) void program.kill()
    existing.delete(this)
    ip('netns', 'del', this.name)
  }
}

/** A program in a namespace, which prints JSON, a value a line. */
export class Program {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #closed: Promise<unknown>
  #errors = ''

  constructor(namespace: Namespace, script: string, argv: string[], env: Record<string, string>) {
    const file = script.includes('/') ? script : join(__dirname, '..', 'children', `${script}.js`)
    // ip(8) becomes the program: its process is the program's.
    this.#process = spawn('ip', ['netns', 'exec', namespace.name, process.execPath, file, ...argv], {
      env: { ...process.env, ...env },
    })
    this.#closed = once(this.#process, 'close')
    this.#lines = createInterface(this.#process.stdout!)[Symbol.asyncIterator]()
    this.#process.stderr!.on('data', (data) => {
      this.#errors += data
    })
  }

  /** The next line that it prints, as it stands. */
  async line(): Promise<string> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE)
    const { value, done } = await this.#lines.next()
    clearTimeout(timer)
    if (done) throw new Error(`it ended, or printed nothing for ${PATIENCE} ms: ${this.#errors}`)
    return value
  }

  /** The next value that it prints. */
  async next<T = Record<string, unknown>>(): Promise<T> {
    return JSON.parse(await this.line())
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#process.stdin!.write(`${line}\n`)
  }

  /** Waits for it to end well. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE)
    await this.#closed
    clearTimeout(timer)
    const { exitCode, signalCode } = this.#process
    expect({ exitCode, signalCode, errors: this.#errors }).toEqual({
      exitCode: 0,
      signalCode: null,
      errors: '',
    })
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGKILL')
      await this.#closed
    }
  }
}

/**
 * A server and a client, joined by a cable of MTU 1,500:
 *
 * ```text
 *  server  10.83.0.1, 10.83.0.2 ┌──────┐           ┌──────┐ 10.83.0.3
 *          fd83::1, fd83::2     │ veth ├───────────┤ veth │ fd83::3  client
 *          fe80::83:1           └──────┘           └──────┘ fe80::83:3
 * ```
 */
export interface Network {
  server: Namespace
  client: Namespace
}

export function makeNetwork(): Network {
  const server = new Namespace()
  const client = new Namespace()
  ip(
    'link',
    'add',
    DEVICE,
    'netns',
    server.name,
    'type',
    'veth',
    'peer',
    'name',
    DEVICE,
    'netns',
    client.name,
  )
  for (const [end, own, last] of [
    [server, 'server', 1],
    [client, 'client', 3],
  ] as const) {
    const give = (address: string, ...more: string[]) =>
      end.ip('address', 'add', address, 'dev', DEVICE, ...more)
    end.ip('link', 'set', DEVICE, 'addrgenmode', 'none')
    end.ip('link', 'set', DEVICE, 'mtu', '1500', 'up')
    for (const address of [addresses.udp4[own]].flat()) give(`${address}/24`, 'broadcast', '10.83.0.255')
    if (!hasIpv6) continue
    // The kernel prefers the address that it was given last.
    for (const address of [addresses.udp6[own]].flat().reverse()) give(`${address}/64`, 'nodad')
    give(`fe80::83:${last}/64`, 'nodad')
  }
  return { server, client }
}

/** Whether a program can be run, in a namespace of its own where one is given. */
export function works(program: string, argv: string[], namespace?: Namespace): boolean {
  try {
    if (namespace) namespace.exec(program, ...argv)
    else command(program, argv)
    return true
  } catch {
    return false
  }
}

/** The programs that have packet filters' rules, iptables(8): of IPv4, and of IPv6. */
const filters = hasIpv6 ? ['iptables', 'ip6tables'] : ['iptables']

/** A rule that says of all datagrams that they met congestion: ECN's two bits are set, RFC 3168. */
export const congested = ['-p', 'udp', '-j', 'TOS', '--set-tos', '0x03/0x03']

/** What is lacking for networks here, `null` for nothing; and which programs work inside. */
export const { lacking, tools } = probe()

interface Tools {
  tc: boolean
  iptables: boolean
  /** iptables(8) and ip6tables(8) can write a type of service, and answer what they drop. */
  marks: boolean
  rejects: boolean
  ethtool: boolean
}

function probe(): { lacking: string | null; tools: Tools } {
  const none = { tc: false, iptables: false, marks: false, rejects: false, ethtool: false }
  if (process.platform !== 'linux') return { lacking: 'needs Linux', tools: none }
  if (process.getuid?.() !== 0) return { lacking: 'needs root', tools: none }
  if (!works('ip', ['-V'])) return { lacking: 'needs ip(8)', tools: none }
  try {
    const { client } = makeNetwork()
    const tools = {
      tc: works('tc', ['qdisc', 'add', 'dev', DEVICE, 'root', ...slow(1)], client),
      iptables: works('iptables', ['-A', 'OUTPUT', '-p', 'udp', '--dport', '9', '-j', 'DROP'], client),
      marks: filters.every((program) =>
        works(program, ['-t', 'mangle', '-A', 'FORWARD', ...congested], client),
      ),
      rejects: filters.every((program) =>
        works(program, ['-A', 'FORWARD', '-p', 'udp', '-j', 'REJECT'], client),
      ),
      ethtool: works('ethtool', ['-K', DEVICE, 'tx', 'off'], client),
    }
    return { lacking: null, tools }
  } catch {
    return { lacking: 'network namespaces cannot be made here', tools: none }
  } finally {
    removeAll()
  }
}

/** A queueing discipline that lets so many Mbit/s through and drops nothing, tc-tbf(8). */
export function slow(megabits: number): string[] {
  return ['tbf', 'rate', `${megabits}mbit`, 'burst', '4kb', 'limit', '16mb']
}

/** A `describe` that shows what is lacking, if anything is. */
export function describeIf(reason: string | null, title: string, body: () => void): void {
  if (reason === null) describe(title, body)
  else describe.skip(`${title} [skipped: ${reason}]`, body)
}

/** A `test` that shows what is lacking, if anything is. */
export function testIf(
  reason: string | false,
  title: string,
  body: () => Promise<void>,
  timeout?: number,
): void {
  if (reason === false) test(title, body, timeout)
  else test.skip(`${title} [skipped: ${reason}]`, body)
}
