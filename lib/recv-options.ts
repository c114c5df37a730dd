/** Options of the synchronous receive. */

import { ALL_FLAGS, constants } from './constants'
import { invalidArgType, invalidArgValue } from './errors'
import { validateOptions, validateTimeout } from './validators'

/** Options of `UdpSocket.recv`. */
export interface RecvOptions {
  /** `constants.MSG_PEEK`, `MSG_DONTWAIT`, `MSG_WAITFORONE`, `MSG_TRUNC`, or'ed. @defaultValue 0 */
  flags?: number
  /** Milliseconds to wait for the first datagram, 0 to Infinity. @defaultValue 0 */
  timeout?: number
}

/** The options of a receive, checked. A timeout of 0 does not wait. */
export function recvSettings(value: unknown): { flags: number; timeout: number } {
  const { flags = 0, timeout = 0 } = validateOptions(value, ['flags', 'timeout'])
  return waiting(flags, timeout)
}

/** Flags for the system call, and how long to wait: 0 is not at all. */
export function waiting(flags: unknown, timeout: unknown): { flags: number; timeout: number } {
  if (typeof flags !== 'number') throw invalidArgType('options.flags', 'of type number', flags)
  if (!Number.isInteger(flags) || (flags & ~ALL_FLAGS) !== 0 || flags !== (flags | 0)) {
    throw invalidArgValue(
      'options.flags',
      flags,
      'may hold MSG_PEEK, MSG_DONTWAIT, MSG_WAITFORONE and MSG_TRUNC',
    )
  }
  validateTimeout(timeout, 'options.timeout')
  const wait = (flags & constants.MSG_DONTWAIT) === 0
  return { flags: flags & (constants.MSG_PEEK | constants.MSG_TRUNC), timeout: wait ? timeout : 0 }
}
