/** The command line of `recvmmsg send`. */

import { isIPv6 } from 'node:net'
import { describeOptions, type Option, parseOptions } from './arguments'
import { UsageError } from './problem'
import { Values } from './values'

const COMMAND = 'recvmmsg send'

/** What `recvmmsg send` is asked to do. */
export interface SendOptions {
  /** An address, or a name that is still to be resolved. */
  host: string
  port: number
  size: number
  /** A datagram per line of this file, `-` for standard input; `null` for numbered ones. */
  file: string | null
  /** Datagrams; Infinity for no end. */
  count: number
  /** In seconds; Infinity for no end. */
  duration: number
  /** Datagrams per second; Infinity for as fast as it goes. */
  rate: number
  /** Datagrams that may leave as one message. */
  gso: number
  /** Source sockets. */
  flows: number
  json: boolean
}

/** Before Linux 6.9 the kernel takes no more segments than the default; today twice as many. */
const GSO = 64
const MOST_GSO = 128

const OPTIONS: readonly Option[] = [
  {
    name: 'to',
    value: 'HOST:PORT',
    help: [
      'where to send: 192.0.2.1:8125, [2001:db8::1]:8125, or a host name, which is resolved once;',
      'where it has addresses of both families, IPv4',
    ],
  },
  {
    name: 'size',
    value: 'N',
    help: [
      'payload bytes, 0 to 65507 (64). From 8 on a payload begins with its sequence number: 64 bits,',
      'little-endian, from 0. Any other byte is its own index in the payload, modulo 256',
    ],
  },
  {
    name: 'file',
    value: 'PATH',
    help: [
      'send a datagram for each line of a file instead, without the line end (LF or CR LF), an empty one',
      'for an empty line; - is standard input. A line too long for a datagram counts as failed, EMSGSIZE',
    ],
  },
  {
    name: 'count',
    value: 'N',
    help: ['end after so many datagrams (1; with --duration, --rate or --file no limit)'],
  },
  { name: 'duration', value: 'SECONDS', help: ['end after so long; fractions are fine'] },
  {
    name: 'rate',
    value: 'N',
    help: ['datagrams per second (as fast as it goes); those of some milliseconds leave together'],
  },
  {
    name: 'gso',
    value: 'N',
    help: [
      `datagrams of one size that leave as one message at most, 1 to ${MOST_GSO} (${GSO});`,
      '1: each is a message of its own (no UDP_SEGMENT)',
    ],
  },
  {
    name: 'flows',
    value: 'N',
    help: ['source ports, 1 to 10000 (1): they take turns, each with as many datagrams as leave together'],
  },
  {
    name: 'json',
    help: [
      'lines of JSON on standard output instead of text: one whose "event" is "sending" with where to,',
      'how, and the source ports, one "status" a second, and one "summary", the last',
    ],
  },
  { name: 'help', short: 'h', help: ['show this and exit'] },
  { name: 'version', help: ['show the version and exit'] },
]

export const SEND_HELP = `Usage: ${COMMAND} --to HOST:PORT [options]

Sends UDP datagrams: one, or as many and as fast as the options say.

${describeOptions(OPTIONS)}

How it goes is told on standard error: where to, a live line on a terminal and a line per second elsewhere, a
summary at the end. Datagrams and bytes are those that the system took; what it refused is failed, with the codes of
the errors. Nothing is queued: while the send buffer is full it waits, and counts how often. What is lost on the way
nobody tells the sender. Mbit/s counts payloads. CPU is this process's, user and system.

With --rate, what is late is caught up, a second's worth at most. SIGINT and SIGTERM end it with the summary. Exit
status: 0, 1 for a failure or when a datagram has failed, 2 for a wrong command line.
`

/** Reads the arguments. A word where only that is asked for. */
export function sendOptions(args: string[]): SendOptions | 'help' | 'version' {
  const given = parseOptions(COMMAND, args, OPTIONS)
  if (given.help) return 'help'
  if (given.version) return 'version'
  const values = new Values(COMMAND, given)
  values.exclude('file', 'size')
  const endless = values.flag('duration') || values.flag('rate') || values.flag('file')
  return {
    ...destination(values),
    size: values.integer('size', 0, 65_507) ?? 64,
    file: values.text('file') ?? null,
    count: values.integer('count', 1, Number.MAX_SAFE_INTEGER) ?? (endless ? Number.POSITIVE_INFINITY : 1),
    duration: values.seconds('duration') ?? Number.POSITIVE_INFINITY,
    rate: values.integer('rate', 1, Number.MAX_SAFE_INTEGER) ?? Number.POSITIVE_INFINITY,
    gso: values.integer('gso', 1, MOST_GSO) ?? GSO,
    flows: values.integer('flows', 1, 10_000) ?? 1,
    json: values.flag('json'),
  }
}

function destination(values: Values): { host: string; port: number } {
  const value = values.text('to')
  if (value === undefined) throw new UsageError('--to is missing: where to send, HOST:PORT', COMMAND)
  const [, inBrackets, plain, digits] = /^(?:\[(.*)\]|([^:[\]\s]+)):(\d+)$/.exec(value) ?? []
  const host = plain ?? inBrackets
  const port = Number(digits)
  const valid = host !== undefined && (inBrackets === undefined || isIPv6(inBrackets))
  if (!valid) throw values.bad('to', 'HOST:PORT, an IPv6 address in brackets')
  if (!(port >= 1 && port <= 65_535)) throw values.bad('to', 'HOST:PORT with a port from 1 to 65535')
  return { host, port }
}
