/** A running trace: what is recorded, and its lines. */

import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../problem'
import { namesOf } from './calls'
import { Instance, instanceName, removeStale } from './instance'
import { Keeper } from './keeper'
import type { TraceOptions } from './options'
import { hasMachineNumbers } from './threads'
import { checkAllowed, findTracefs, MOUNT_POINT, tracedCalls } from './tracefs'

/** Memory for events that wait to be read, in all. In kB, as the kernel counts. */
const BUFFERS = 32_768
/** The least and the most for each CPU: 4 MB are some 40,000 calls. */
const LEAST = 512
const MOST = 4096

/** A new instance has the options of the one that everybody shares, which somebody may have set. */
const OPTIONS: [name: string, value: '0' | '1'][] = [
  ['context-info', '1'],
  // Tells the process, not only the thread.
  ['record-tgid', '1'],
  // What is new is worth more than what is old, and only so a trace_pipe tells how much was lost.
  ['overwrite', '1'],
  // All these change the lines, or add some.
  ...[
    'annotate',
    'bin',
    'fields',
    'hex',
    'latency-format',
    'raw',
    'stacktrace',
    'userstacktrace',
    'verbose',
  ].map((name): [string, '0'] => [name, '0']),
  ['pause-on-trace', '0'],
]

/** What is traced. */
type Wanted = Pick<TraceOptions, 'pids' | 'commands' | 'sendmmsg'>

export class Recording {
  readonly #instance: Instance
  /** System calls of which there are events. */
  readonly names: readonly string[]
  /** The beginning of a line whose end has not come. */
  #rest = ''

  private constructor(instance: Instance, names: readonly string[]) {
    this.#instance = instance
    this.names = names
  }

  /** Starts one. Throws a Failure that says what to do where this cannot be. */
  static async start(wanted: Wanted): Promise<Recording> {
    checkAllowed()
    const name = instanceName()
    const mounted = findTracefs()
    const place = mounted ?? MOUNT_POINT
    const path = join(place, 'instances', name)
    const keeper = await (mounted === null ? Keeper.mounting(place, path) : Keeper.start(path))
    // What the keeper has mounted is to be seen through it.
    const root = mounted ?? join(keeper!.root, place)
    const names = tracedCalls(root, namesOf(wanted.sendmmsg))
    removeStale(root)
    const instance = new Instance(join(root, 'instances', name))
    try {
      instance.make()
      configure(instance, names, wanted)
    } catch (error) {
      instance.remove()
      throw error
    }
    return new Recording(instance, names)
  }

  /** The lines that have come since the last time, as many as the kernel gives at once. Never waits. */
  read(): string[] {
    const text = this.#instance.read().toString()
    if (text === '') return []
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    return lines
  }

  /** Records no more; what is there can be read. */
  stop(): void {
    this.#instance.set('tracing_on', '0')
  }

  /** Leaves nothing behind: the keeper goes with this process. */
  remove(): void {
    this.#instance.remove()
  }
}

function configure(instance: Instance, names: readonly string[], { pids, commands }: Wanted): void {
  // All of it begins at one moment: an exit without its enter is a call from before.
  instance.set('tracing_on', '0')
  for (const [name, value] of OPTIONS) instance.setIfThere(`options/${name}`, value)
  instance.set('trace_clock', 'mono')
  const each = Math.floor(BUFFERS / cpus().length)
  instance.set('buffer_size_kb', String(Math.min(MOST, Math.max(LEAST, each))))
  const filter = commandFilter(commands)
  for (const event of names.flatMap((name) => [`sys_exit_${name}`, `sys_enter_${name}`])) {
    if (filter !== null) instance.set(`events/syscalls/${event}/filter`, filter)
    instance.set(`events/syscalls/${event}/enable`, '1')
  }
  if (pids.length > 0) followProcesses(instance, pids)
  instance.set('tracing_on', '1')
}

/** In the kernel, which knows the name at that very moment, and without events of others in the buffer. */
function commandFilter(commands: readonly string[]): string | null {
  const terms = commands.map(
    (command) => `comm == ${command.includes('"') ? `'${command}'` : `"${command}"`}`,
  )
  return terms.length === 0 ? null : terms.join(' || ')
}

/**
 * Has the kernel record the threads of `pids` only. It knows threads alone: those that these start are added by
 * event-fork, children too, which whoever reads has to leave out. One that was being started by a thread not yet listed
 * is found by looking again.
 */
function followProcesses(instance: Instance, pids: readonly number[]): void {
  if (!hasMachineNumbers()) {
    throw new Failure(
      '--pid needs the numbers of the machine, which a container does not know: use --command',
    )
  }
  instance.set('options/event-fork', '1')
  const listed = new Set<string>()
  for (;;) {
    const added = pids.flatMap(threadsOf).filter((thread) => !listed.has(thread))
    if (added.length === 0) return
    for (const thread of added) listed.add(thread)
    instance.add('set_event_pid', `${added.join(' ')}\n`)
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    throw new Failure(`there is no process ${pid}`)
  }
}
