/**
 * Lines of a trace_pipe, as Documentation/trace/ftrace.rst and kernel/trace/trace_syscalls.c have them:
 *
 *     node-3831    (   3790) [001] ..... 23318.825780: sys_recvmmsg(fd: 0x11, mmsg: 0x7ffd, vlen: 0x40, flags: 0x40, timeout: 0)
 *     node-3831    (   3790) [001] ..... 23318.825794: sys_recvmmsg -> 0xfffffffffffffff5
 *     CPU:0 [LOST 3772 EVENTS]
 *
 * Older kernels pad less, and write no 0x in front of arguments.
 */

/** One half of a call. */
export interface Half {
  /** The thread's name. It may hold anything, and is "<...>" where the kernel has forgotten it. */
  command: string
  threadId: number
  /** `null` where the kernel has not kept it. */
  processId: number | null
  /** Since the start of the machine, in microseconds. */
  micros: number
  /** Of the system call. */
  name: string
  /** Registers in hexadecimal, as many as the call has arguments; `null` at its exit. */
  args: string[] | null
  /** At the exit: not negative, or the error's number, negative. */
  returnValue: number
}

/** Events that the kernel overwrote before they were read; `null` where it does not tell how many. */
export interface Lost {
  lost: number | null
}

/**
 * A thread's name is 15 bytes at most, so it cannot imitate what follows it, and as much as possible is taken for it.
 * The process and the flags behind the CPU are missing with some options.
 */
const EVENT =
  /^ *(.*)-(\d+) +(?:\( *(\d+|-+)\) +)?\[\d+\] (?:\S+ +)?(\d+)\.(\d{6}): sys_(\w+)(?:\((.*)\)| -> 0x([0-9a-f]+))$/s

/** Of an argument its value, without what a kernel may add to it. */
const ARGUMENT = /(?:^|, )\w+: (?:0x)?([0-9a-f]+)/g

const LOST = /^CPU:\d+ \[LOST (?:(\d+) )?EVENTS\]$/

/** `null` for what is neither: the first half of a name with a line feed in it, mostly. */
export function parseLine(line: string): Half | Lost | null {
  const match = EVENT.exec(line)
  if (match === null) return parseLost(line)
  const [, command, threadId, processId, seconds, micros, name, args, returned] = match
  return {
    command: command!,
    threadId: Number(threadId),
    processId: processId === undefined || processId.startsWith('-') ? null : Number(processId),
    micros: Number(seconds) * 1e6 + Number(micros),
    name: name!,
    args: args === undefined ? null : Array.from(args.matchAll(ARGUMENT), ([, value]) => value!),
    returnValue: returned === undefined ? 0 : int32(returned),
  }
}

function parseLost(line: string): Lost | null {
  const match = LOST.exec(line)
  if (match === null) return null
  return { lost: match[1] === undefined ? null : Number(match[1]) }
}

/** A register, in hexadecimal, as C's int: what is above it in 64 bits is its sign, or left over. */
export function int32(register: string | undefined): number {
  return uint32(register) | 0
}

/** Likewise as C's unsigned int. */
export function uint32(register = '0'): number {
  return Number.parseInt(register.slice(-8), 16)
}

/** Likewise all of it, in decimal. A `number` has no room for some. */
export function decimal(register = '0'): string {
  return register.length <= 13 ? String(Number.parseInt(register, 16)) : String(BigInt(`0x${register}`))
}
