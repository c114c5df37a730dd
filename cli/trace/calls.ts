/** The system calls that are traced: their arguments as security monitors name them, their numbers. */

import { machine } from 'node:os'

/** An argument: its name, and its type in C. */
export interface Parameter {
  name: string
  type: 'int' | 'unsigned int' | `struct ${string}*`
}

/** A system call. Names and types are those of Tracee's events. */
export interface SystemCall {
  name: string
  parameters: readonly Parameter[]
  /** As in the kernel's tables, in decimal; `null` on a machine that is not known here. */
  number: string | null
}

const MESSAGES: readonly Parameter[] = [
  { name: 'sockfd', type: 'int' },
  { name: 'msgvec', type: 'struct mmsghdr*' },
  { name: 'vlen', type: 'unsigned int' },
  { name: 'flags', type: 'int' },
]

const PARAMETERS: Record<string, readonly Parameter[]> = {
  recvmmsg: [...MESSAGES, { name: 'timeout', type: 'struct timespec*' }],
  // Of kernels of 32 bits, for programs that were built with a 32-bit time_t; they have both.
  recvmmsg_time32: [
    { name: 'fd', type: 'int' },
    { name: 'mmsg', type: 'struct mmsghdr*' },
    { name: 'vlen', type: 'unsigned int' },
    { name: 'flags', type: 'unsigned int' },
    { name: 'timeout', type: 'struct old_timespec32*' },
  ],
  sendmmsg: MESSAGES,
}

/** recvmmsg, sendmmsg and recvmmsg_time32, by what uname(2) says of the machine: asm/unistd.h of each. */
const NUMBERS: [machine: RegExp, ...numbers: (number | null)[]][] = [
  [/^x86_64$/, 299, 307, null],
  // Those that came after 2008 share include/uapi/asm-generic/unistd.h.
  [/^(aarch64|riscv64|loongarch64)$/, 243, 269, null],
  [/^ppc64(le)?$/, 343, 349, null],
  [/^s390x$/, 357, 358, null],
  [/^mips64$/, 5294, 5302, null],
  [/^i[3-6]86$/, 417, 345, 337],
  [/^arm/, 417, 374, 365],
]

/** The system calls of that name. `on`: the machine, as uname(2) names it. */
export function systemCall(name: string, on: string = machine()): SystemCall {
  const parameters = PARAMETERS[name] ?? []
  const [, ...numbers] = NUMBERS.find(([pattern]) => pattern.test(on)) ?? [/$/]
  const number = numbers[['recvmmsg', 'sendmmsg', 'recvmmsg_time32'].indexOf(name)] ?? null
  return { name, parameters, number: number === null ? null : String(number) }
}

/** Names of those to trace, as far as the kernel has them. */
export function namesOf(sendmmsg: boolean): string[] {
  return ['recvmmsg', 'recvmmsg_time32', ...(sendmmsg ? ['sendmmsg'] : [])]
}
