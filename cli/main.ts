#!/usr/bin/env node
/** The `recvmmsg` command: finds the sub-command, and turns what ends it into a line and an exit code. */

import { columns, unknown } from './arguments'
import { bench } from './bench'
import { doctor } from './doctor'
import { listen } from './listen'
import { Failure, UsageError } from './problem'
import { send } from './send'
import { endQuietlyWhenUnread, print, printVersion } from './stdio'
import { trace } from './trace'

interface Command {
  help: string
  run(args: string[]): Promise<void>
}

const COMMANDS: Record<string, Command> = {
  listen: { help: 'receive datagrams, show them or count them', run: listen },
  send: { help: 'send datagrams, numbered ones or the lines of a file', run: send },
  trace: { help: 'show the recvmmsg(2) calls of all processes, or of some (Linux, root)', run: trace },
  bench: { help: 'measure what a datagram costs on this machine, beside node:dgram', run: bench },
  doctor: { help: 'tell what this system does with UDP, and what to change', run: doctor },
}

const HELP = `Usage: recvmmsg <command> [options]

${columns(Object.entries(COMMANDS).map(([name, { help }]) => [`  ${name}`, [help]]))}

  -h, --help  show this and exit; recvmmsg <command> --help lists a command's options
  --version   show the version and exit
`

async function main([first, ...rest]: string[]): Promise<void> {
  if (first === undefined) throw new UsageError('a command is missing')
  if (first === '--help' || first === '-h') return print(HELP)
  if (first === '--version') return printVersion()
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined
  if (command !== undefined) return command.run(rest)
  if (first.startsWith('-')) throw new UsageError(unknown('option', first, ['--help', '--version']))
  throw new UsageError(unknown('command', first, Object.keys(COMMANDS)))
}

/** What ended it: a line where it was foreseen, else with the stack that a bug report needs. */
function complain(error: unknown): void {
  process.exitCode = error instanceof UsageError ? 2 : 1
  if (error instanceof UsageError) console.error(`recvmmsg: ${error.message} (see '${error.command} --help')`)
  else if (error instanceof Failure) console.error(`recvmmsg: ${error.message}`)
  else console.error(error)
}

endQuietlyWhenUnread()
main(process.argv.slice(2)).catch(complain)
