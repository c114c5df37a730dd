/** `recvmmsg bench`: what a datagram costs on this machine, beside node:dgram. */

import { withAddon } from './addon'
import { describeOptions, type Option, parseOptions } from './arguments'
import type { Load } from './bench/measure'
import { results } from './bench/results'
import { bench as measureAll } from './bench/run'
import { asText } from './bench/text'
import { onInterruption } from './interruption'
import { Progress } from './progress'
import { print, printVersion } from './stdio'
import { Values } from './values'

const COMMAND = 'recvmmsg bench'
const SECONDS = 15
const SIZE = 64
/** As the project's own benchmark loads its receivers. */
const SEGMENTS = 40
const FLOWS = 4
/** Payload bytes that one message holds. */
const MESSAGE = 65_507

const OPTIONS: readonly Option[] = [
  { name: 'seconds', value: 'N', help: [`how long all of it takes, about (${SECONDS}); one round at least`] },
  { name: 'size', value: 'BYTES', help: [`payload of each datagram, 1 to ${MESSAGE} (${SIZE})`] },
  {
    name: 'json',
    help: [
      'JSON: "receivers", each with name, version, nsPerDatagram, dgramTimes, sent, received, lost and its',
      '"rounds"; what was sent, and what to know about it',
    ],
  },
  { name: 'help', short: 'h', help: ['show this and exit'] },
  { name: 'version', help: ['show the version and exit'] },
]

const HELP = `Usage: ${COMMAND} [options]

Measures what a datagram costs on this machine: CPU time of the receiving process, user and system, by this package,
by node:dgram, and by Bun and Deno where they are on PATH.

${describeOptions(OPTIONS)}

Each receiver is a process of its own, and looks at the size and the sender's port of each datagram. They have their
turns, one at a time, three rounds of them; the figures are medians. Another process sends, by this package, as fast as
it goes, on loopback: it compares receivers on this machine, and says little of a network. Other work on the machine
distorts it. Exit status: 0, 1 for a failure, 2 for a wrong command line.
`

export async function bench(args: string[]): Promise<void> {
  const given = parseOptions(COMMAND, args, OPTIONS)
  if (given.help) return print(HELP)
  if (given.version) return printVersion()
  const values = new Values(COMMAND, given)
  const seconds = values.seconds('seconds') ?? SECONDS
  const size = values.integer('size', 1, MESSAGE) ?? SIZE
  const { capabilities } = withAddon((): typeof import('../index') => require('../index'))
  const load: Load = { size, segments: Math.min(SEGMENTS, Math.floor(MESSAGE / size)), flows: FLOWS }
  const ending = new AbortController()
  onInterruption(() => ending.abort())
  const progress = new Progress(null)
  const say = (line: string) => progress.update(line, 'progress', {})
  const outcome = await measureAll(load, seconds, say, ending.signal)
  progress.tell('', 'progress', {})
  const told = results(outcome, load, capabilities())
  await print(values.flag('json') ? `${JSON.stringify(told, null, 2)}\n` : asText(told))
  if (outcome.rows.some(({ peer, missing }) => peer.required && missing !== null)) process.exitCode = 1
}
