/** Numbers of the kernel by their names. */

import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'

/** include/linux/socket.h; those of 0x10000 and above are the kernel's newer or inner ones. */
const FLAGS: [name: string, value: number][] = [
  ['MSG_OOB', 0x1],
  ['MSG_PEEK', 0x2],
  ['MSG_DONTROUTE', 0x4],
  ['MSG_CTRUNC', 0x8],
  ['MSG_PROBE', 0x10],
  ['MSG_TRUNC', 0x20],
  ['MSG_DONTWAIT', 0x40],
  ['MSG_EOR', 0x80],
  ['MSG_WAITALL', 0x100],
  ['MSG_FIN', 0x200],
  ['MSG_SYN', 0x400],
  ['MSG_CONFIRM', 0x800],
  ['MSG_RST', 0x1000],
  ['MSG_ERRQUEUE', 0x2000],
  ['MSG_NOSIGNAL', 0x4000],
  ['MSG_MORE', 0x8000],
  ['MSG_WAITFORONE', 0x10000],
  ['MSG_BATCH', 0x40000],
  ['MSG_SOCK_DEVMEM', 0x2000000],
  ['MSG_ZEROCOPY', 0x4000000],
  ['MSG_FASTOPEN', 0x20000000],
  ['MSG_CMSG_CLOEXEC', 0x40000000],
]

/**
 * What the kernel answers itself with when a signal comes, include/linux/errno.h: the call is made again, or fails with
 * EINTR. At the exit of the call this is not decided yet.
 */
const RESTARTS: [number, string][] = [
  [512, 'ERESTARTSYS'],
  [513, 'ERESTARTNOINTR'],
  [514, 'ERESTARTNOHAND'],
  [516, 'ERESTART_RESTARTBLOCK'],
]

const errors = errorNames()

/** Texts of flags seen before: few programs use many. */
const flagTexts = new Map<number, string>()

/** 0x10040 as "MSG_DONTWAIT|MSG_WAITFORONE"; what has no name is in hexadecimal. "0" for none. */
export function flagNames(flags: number): string {
  let text = flagTexts.get(flags)
  if (text === undefined) {
    const named = FLAGS.filter(([, value]) => (flags & value) !== 0)
    const rest = (flags & ~named.reduce((all, [, value]) => all | value, 0)) >>> 0
    text =
      [...named.map(([name]) => name), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])].join('|') || '0'
    if (flagTexts.size < 1000) flagTexts.set(flags, text)
  }
  return text
}

/** -11 as "EAGAIN"; `null` for what is no error. */
export function errorName(returnValue: number): string | null {
  if (returnValue >= 0) return null
  return errors.get(-returnValue) ?? `errno ${-returnValue}`
}

/** Of two names for one number the first counts: EAGAIN, EOPNOTSUPP. Each of Node's lists lacks some. */
function errorNames(): Map<number, string> {
  const listed: [number, string][] = [
    [95, 'EOPNOTSUPP'],
    ...[...getSystemErrorMap()].map(([errno, [name]]): [number, string] => [-errno, name]),
    ...Object.entries(constants.errno).map(([name, errno]): [number, string] => [errno, name]),
    ...RESTARTS,
  ]
  return new Map(listed.reverse())
}
