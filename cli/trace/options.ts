/** The command line of `recvmmsg trace`. */

import { describeOptions, type Option, parseOptions } from '../arguments'
import { Values } from '../values'

const COMMAND = 'recvmmsg trace'

/** What `recvmmsg trace` is asked to do. Of nothing in `pids` and `commands`: the whole machine. */
export interface TraceOptions {
  /** Processes. */
  pids: number[]
  /** Names of threads, as far as the kernel keeps them. */
  commands: string[]
  sendmmsg: boolean
  /** Show failed calls only. */
  failed: boolean
  json: boolean
  /** In seconds; Infinity for no end. */
  duration: number
}

/** PID_MAX_LIMIT of include/linux/threads.h. */
const LARGEST_PID = 4_194_304
/** TASK_COMM_LEN of include/linux/sched.h, without the zero at the end. In bytes. */
const LONGEST_NAME = 15

const OPTIONS: readonly Option[] = [
  {
    name: 'pid',
    value: 'P',
    repeatable: true,
    help: ['calls of this process only, in any of its threads; may be given again'],
  },
  {
    name: 'command',
    value: 'C',
    repeatable: true,
    help: [
      'calls of threads of this name only, as /proc/P/comm has it, 15 bytes: what is longer is cut here,',
      'too; may be given again',
    ],
  },
  { name: 'sendmmsg', help: ['calls of sendmmsg(2), too'] },
  { name: 'failed', help: ['show only calls that failed; the summary counts all'] },
  {
    name: 'json',
    help: [
      'a line of JSON per call, with the names of Tracee: timestamp, processId, threadId, processName,',
      'hostName, eventId, eventName, argsNum, returnValue, args; and flags and errno, which name what',
      'these have as numbers. timestamp is when the call was made, in nanoseconds since the epoch; the',
      'kernel tells it to the microsecond',
    ],
  },
  { name: 'duration', value: 'SECONDS', help: ['end after so long; fractions are fine'] },
  { name: 'help', short: 'h', help: ['show this and exit'] },
  { name: 'version', help: ['show the version and exit'] },
]

export const TRACE_HELP = `Usage: ${COMMAND} [options]

Shows the calls of recvmmsg(2) on the whole machine, or of some processes, as they come back. Linux, root.

${describeOptions(OPTIONS)}

Calls go to standard output, everything else to standard error: that it traces, and a summary at the end, by process:
calls, datagrams, the mean of calls that gave some, empty calls (nothing there: EAGAIN, or 0), errors. Datagrams are
the kernel's messages: with GRO one is up to 128 datagrams. What the kernel overwrote before it was read is told, as
are calls that have not come back. This command's own process is left out unless --pid names it.

It reads the kernel's tracing, in an instance of its own that goes with it. Where tracefs is not mounted, it is for this
command only. Calls of 32-bit programs on a 64-bit kernel are not seen: x86 and arm have no events of them.

SIGINT and SIGTERM end it with the summary. Exit status: 0, 1 for a failure, 2 for a wrong command line.
`

/** Reads the arguments. A word where only that is asked for. */
export function traceOptions(args: string[]): TraceOptions | 'help' | 'version' {
  const given = parseOptions(COMMAND, args, OPTIONS)
  if (given.help) return 'help'
  if (given.version) return 'version'
  const values = new Values(COMMAND, given)
  values.exclude('pid', 'command')
  return {
    pids: [...new Set(values.integers('pid', 1, LARGEST_PID))],
    commands: values.texts('command').map((name) => command(values, name)),
    sendmmsg: values.flag('sendmmsg'),
    failed: values.flag('failed'),
    json: values.flag('json'),
    duration: values.seconds('duration') ?? Number.POSITIVE_INFINITY,
  }
}

/** The bytes that the kernel keeps of a name, as latin1. */
function command(values: Values, name: string): string {
  const kept = Buffer.from(name).subarray(0, LONGEST_NAME).toString('latin1')
  // The kernel's filters know no escapes.
  const cannot = kept === '' || (kept.includes('"') && kept.includes("'")) || /[\0\n]/.test(kept)
  if (cannot) throw values.bad('command', 'a name, with one kind of quotes at most', name)
  return kept
}
