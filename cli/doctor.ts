/** `recvmmsg doctor`: whether this system is set up for UDP. */

import { setTimeout as sleep } from 'node:timers/promises'
import { describeOptions, type Option, parseOptions } from './arguments'
import type { Build } from './doctor/build'
import { examine } from './doctor/examine'
import { System } from './doctor/system'
import { asText } from './doctor/text'
import { reason } from './problem'
import { print, printVersion } from './stdio'
import { Values } from './values'

const COMMAND = 'recvmmsg doctor'
/** How long counts are watched, in seconds. */
const SECONDS = 1

const OPTIONS: readonly Option[] = [
  { name: 'seconds', value: 'N', help: [`watch counts for so long, whether they still grow (${SECONDS})`] },
  {
    name: 'json',
    help: [
      'JSON: "findings", each with name, level (ok, advice, problem or unknown), text, advice and command',
      '(what to change, or null), and values, the figures',
    ],
  },
  { name: 'help', short: 'h', help: ['show this and exit'] },
  { name: 'version', help: ['show the version and exit'] },
]

const HELP = `Usage: ${COMMAND} [options]

Looks at what this system does with UDP, and says what to change: what this build can do here, limits of buffers and
queues, GRO of interfaces, and where the kernel drops datagrams. It changes nothing.

${describeOptions(OPTIONS)}

Counts are since the kernel booted, or this network namespace was made, so a loss may be long past: it is a problem
while it grows, and advice when it does not. On other systems than Linux little can be told. Whose sockets are other
users', root may see. Exit status: 0, 1 where there is a problem, 2 for a wrong command line.
`

export async function doctor(args: string[]): Promise<void> {
  const given = parseOptions(COMMAND, args, OPTIONS)
  if (given.help) return print(HELP)
  if (given.version) return printVersion()
  const values = new Values(COMMAND, given)
  const seconds = values.seconds('seconds') ?? SECONDS
  const findings = await examine(new System(), build(), seconds, () => sleep(seconds * 1000))
  await print(values.flag('json') ? `${JSON.stringify({ findings }, null, 2)}\n` : asText(findings))
  if (findings.some(({ level }) => level === 'problem')) process.exitCode = 1
}

function build(): Build {
  try {
    const { capabilities } = require('../index') as typeof import('../index')
    return capabilities()
  } catch (error) {
    return { missing: reason(error) }
  }
}
