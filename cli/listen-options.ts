/** The command line of `recvmmsg listen`. */

import { isIP } from 'node:net'
import { describeOptions, type Option, parseOptions } from './arguments'
import { UsageError } from './problem'
import { Values } from './values'

const COMMAND = 'recvmmsg listen'

/** How datagrams are shown. */
export type Format = 'json' | 'json text' | 'hex' | 'text'

/** What `recvmmsg listen` is asked to do. */
export interface ListenOptions {
  port: number
  address: string
  /** Path of a Unix socket, which it is then; behind a NUL an abstract name. */
  unix: string | null
  capacity: number
  gro: boolean
  backend: 'auto' | 'mmsg' | 'portable'
  /** In seconds; Infinity for no end. */
  duration: number
  /** Datagrams; Infinity for no end. */
  count: number
  /** `null`: none is shown. */
  format: Format | null
  /** File of a capture, `-` for standard output. */
  pcap: string | null
  /** Payload bytes of each datagram that a capture keeps. */
  keep: number
  /** Status lines and summary as JSON. */
  jsonStatus: boolean
}

/** What UDP carries at most, over IPv6. */
const MOST_PAYLOAD = 65_527

const OPTIONS: readonly Option[] = [
  { name: 'port', value: 'N', help: ['port to bind, 0 to 65535 (0: one that is free)'] },
  { name: 'address', value: 'IP', help: ['address to bind, IPv4 or IPv6 (0.0.0.0); :: takes both families'] },
  {
    name: 'unix',
    value: 'PATH',
    help: [
      'receive from a Unix datagram socket of that path instead; @NAME is an abstract name, which has',
      'no file (Linux). In lines of JSON "path", the sender\'s or null, replaces address, port and family',
    ],
  },
  { name: 'capacity', value: 'N', help: ['messages received by one call at most, 1 to 16384 (64)'] },
  { name: 'no-gro', help: ['have each datagram arrive as a message of its own (no UDP_GRO)'] },
  {
    name: 'backend',
    value: 'NAME',
    help: ['mmsg: recvmmsg(2); portable: one datagram a call; auto: the best there is (auto)'],
  },
  { name: 'duration', value: 'SECONDS', help: ['end after so long; fractions are fine'] },
  { name: 'count', value: 'N', help: ['end after exactly so many datagrams'] },
  {
    name: 'json',
    help: [
      'a line of JSON per datagram: timestamp, address, port, family, size, and data, its payload in',
      'base64. timestamp counts milliseconds since the epoch: when the kernel received the datagram, with',
      'six decimals, where it tells; else when its batch was read, with three',
    ],
  },
  { name: 'hex', help: ['a hex dump of each datagram'] },
  {
    name: 'text',
    help: [
      'a line of text per datagram, read as UTF-8, control characters escaped;',
      'with --json "text" takes the place of "data"',
    ],
  },
  {
    name: 'pcap',
    value: 'FILE',
    help: [
      'a capture of what arrives, for tcpdump and Wireshark; - is standard output. IP and UDP headers',
      'are made of what the system tells: addresses, ports, nanoseconds, TTL and TOS (0 where not told)',
    ],
  },
  {
    name: 'size',
    value: 'BYTES',
    help: [`payload of each datagram in the capture, at most, 0 to ${MOST_PAYLOAD} (${MOST_PAYLOAD})`],
  },
  {
    name: 'status',
    value: 'FORMAT',
    help: [
      'text, or json for lines of JSON instead: one whose "event" is "listening" with address and port,',
      'one "status" a second, and one "summary", the last (text)',
    ],
  },
  { name: 'help', short: 'h', help: ['show this and exit'] },
  { name: 'version', help: ['show the version and exit'] },
]

export const LISTEN_HELP = `Usage: ${COMMAND} [options]

Receives UDP datagrams, and shows them, captures them, or only tells how many there are.

${describeOptions(OPTIONS)}

Datagrams go to standard output, everything else to standard error: where it listens, a live line on a terminal and
a line per second elsewhere, a summary at the end. Mbit/s counts payloads. Drops are those of the kernel at this
socket so far, in messages: with GRO one message is up to 128 datagrams. CPU is this process's, user and system.

Reading stops while standard output, or the file of a capture, takes no more: what the kernel cannot hold meanwhile is
dropped there, and counted. SIGINT and SIGTERM end it with the summary. Exit status: 0, 1 for a failure, 2 for a wrong
command line.
`

/** Reads the arguments. A word where only that is asked for. */
export function listenOptions(args: string[]): ListenOptions | 'help' | 'version' {
  const given = parseOptions(COMMAND, args, OPTIONS)
  if (given.help) return 'help'
  if (given.version) return 'version'
  const values = new Values(COMMAND, given)
  const pcap = capture(values)
  return {
    port: values.integer('port', 0, 65_535) ?? 0,
    address: address(values) ?? '0.0.0.0',
    unix: unix(values),
    capacity: values.integer('capacity', 1, 16_384) ?? 64,
    gro: !values.flag('no-gro'),
    backend: values.oneOf('backend', ['auto', 'mmsg', 'portable']) ?? 'auto',
    duration: values.seconds('duration') ?? Number.POSITIVE_INFINITY,
    count: values.integer('count', 1, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY,
    format: format(values),
    pcap,
    keep: values.integer('size', 0, MOST_PAYLOAD) ?? MOST_PAYLOAD,
    jsonStatus: values.oneOf('status', ['text', 'json']) === 'json',
  }
}

function format(values: Values): Format | null {
  values.exclude('hex', 'json')
  values.exclude('hex', 'text')
  if (values.flag('hex')) return 'hex'
  if (values.flag('json')) return values.flag('text') ? 'json text' : 'json'
  return values.flag('text') ? 'text' : null
}

function address(values: Values): string | undefined {
  const value = values.text('address')
  if (value !== undefined && isIP(value) === 0) {
    throw values.bad('address', 'an IP address, a host name has to be resolved first')
  }
  return value
}

function unix(values: Values): string | null {
  for (const other of ['port', 'address', 'no-gro']) values.exclude('unix', other)
  const value = values.text('unix')
  if (value === '') throw values.bad('unix', 'a path, or @ and an abstract name')
  return value?.replace(/^@/, '\0') ?? null
}

function capture(values: Values): string | null {
  const file = values.text('pcap')
  if (file === undefined) {
    if (values.flag('size')) throw new UsageError('--size is for a capture: --pcap is missing', COMMAND)
    return null
  }
  if (file === '') throw values.bad('pcap', 'a file, or - for standard output')
  if (values.flag('unix')) {
    throw new UsageError(
      '--pcap is for UDP: a Unix socket has no addresses that a capture could hold',
      COMMAND,
    )
  }
  for (const name of ['json', 'hex', 'text']) {
    if (file !== '-' || !values.flag(name)) continue
    throw new UsageError(`--pcap - and --${name} exclude each other: both write to standard output`, COMMAND)
  }
  return file
}
