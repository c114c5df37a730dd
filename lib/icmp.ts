/** ICMP errors, from the words that native code takes from the error queue. */

import { socketTakeIcmpError } from '../binding'
import { addressText } from './address'
import { errnoName } from './errors'
import { FAMILY, PORT, SOCKADDR } from './layout'

/** What an ICMP or ICMPv6 message said of a datagram that was sent. */
export interface IcmpError {
  /** Where the datagram was sent to. */
  address: string
  port: number
  /** Who sent the message: the host itself, or a router on the way; `null` where the kernel does not tell. */
  offender: string | null
  /** ICMP type: 3 is "destination unreachable" (RFC 792), 1 of ICMPv6 (RFC 4443). */
  type: number
  /** ICMP code. */
  code: number
  /** What the kernel makes of it, negative as in `os.constants.errno`: -ECONNREFUSED, -EHOSTUNREACH, … */
  errno: number
  /** Its name. */
  name: string
  /** MTU of the next hop, in bytes, where the datagram was too big for it (EMSGSIZE); `null` otherwise. */
  mtu: number | null
}

const HEAD = 4
const words = new Uint32Array(HEAD + 2 * SOCKADDR)

/** The next one, `null` where there is none. */
export function takeIcmpError(handle: object): IcmpError | null {
  if (socketTakeIcmpError(handle, words) !== 1) return null
  const [errno, type, code, mtu] = words as unknown as [number, number, number, number]
  const offender = words[HEAD + FAMILY] === 0 ? null : addressText(words, HEAD)
  const to = HEAD + SOCKADDR
  return {
    address: addressText(words, to),
    port: words[to + PORT]!,
    offender,
    type,
    code,
    errno: -errno,
    name: errnoName(-errno),
    mtu: mtu === 0 ? null : mtu,
  }
}
