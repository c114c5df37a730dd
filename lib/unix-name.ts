/** Names of Unix sockets, unix(7): a path, or on Linux an abstract name, which begins with `\0`. */

import { systemConstants } from '../binding'
import { invalidArgValue, unsupported } from './errors'
import { FAMILY, MESSAGE, NAME, NAME_LENGTH, UNIX } from './layout'
import { validateString } from './validators'

/** Bytes of the longest name; of a path its terminating NUL is one of them. */
export const LONGEST_NAME = systemConstants().unixName

/** The bytes of the names last used. They are never written to again. */
const known = new Map<string, Uint8Array>()
const MOST_KNOWN = 1024

/**
 * The bytes of a name.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; ERR_RECVMMSG_UNSUPPORTED for an abstract name where there are none.
 */
export function nameBytes(path: unknown, argument: string): Uint8Array {
  validateString(path, argument)
  let bytes = known.get(path)
  if (bytes !== undefined) return bytes
  if (path === '') throw invalidArgValue(argument, path, 'must be a path or, behind a NUL, an abstract name')
  if (path.startsWith('\0')) {
    if (process.platform !== 'linux' && process.platform !== 'android')
      throw unsupported(`${argument}: only Linux has abstract names`)
  } else if (path.includes('\0')) {
    throw invalidArgValue(argument, path, 'must be a string without null bytes')
  }
  bytes = Buffer.from(path)
  if (known.size === MOST_KNOWN) known.clear()
  known.set(path, bytes)
  return bytes
}

/** The path of the sender whose message's row begins at `row`; `null` where it has none, or is none of a Unix socket. */
export function pathText(messages: Uint32Array, row: number, names: Uint32Array): string | null {
  const length = messages[row + NAME_LENGTH]!
  if (messages[row + FAMILY] !== UNIX || length === 0) return null
  const begin = names.byteOffset + (row / MESSAGE) * NAME * 4
  return Buffer.from(names.buffer, begin, Math.min(length, NAME * 4)).toString()
}

/** Writes a name: to the message at `messages[row…]`, and its bytes to `names[at…]`. */
export function writeName(
  bytes: Uint8Array,
  messages: Uint32Array,
  row: number,
  names: Uint32Array,
  at: number,
): void {
  messages.fill(0, row, row + MESSAGE)
  messages[row + FAMILY] = UNIX
  // One that is too long is refused by its length.
  messages[row + NAME_LENGTH] = bytes.length
  const room = new Uint8Array(names.buffer, names.byteOffset + at * 4, NAME * 4)
  room.set(bytes.subarray(0, room.length))
}
