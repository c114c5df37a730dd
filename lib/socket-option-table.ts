/** Options that `setSocketOption` and `getSocketOption` know, and which ones they leave to others. Numbers are native code's. */

import * as native from '../binding'
import * as errno from './errno'
import { invalidArgValue, unsupported } from './errors'
import { nearest } from './nearest'
import { validateBoolean, validateInteger, validateString } from './validators'

const FLAG = { type: 'boolean' } as const
const OCTET = { type: 'integer', min: 0, max: 255 } as const
const WORD = { type: 'integer', min: 0, max: 2 ** 32 - 1 } as const
/** Of each family's names one socket has one: either name means that. */
const TABLE = {
  /** Microseconds for which a receive that finds nothing asks the device. More than net.core.busy_read: CAP_NET_ADMIN. */
  SO_BUSY_POLL: { type: 'integer', min: 0, max: 2 ** 31 - 1 },
  /** Which CPU's datagrams a socket of a shared port gets; -1 for any. */
  SO_INCOMING_CPU: { type: 'integer', min: -1, max: 2 ** 31 - 1 },
  /** Mark of what is sent, for routing and filters. CAP_NET_ADMIN or CAP_NET_RAW. */
  SO_MARK: WORD,
  /** Queueing priority of what is sent. Above 6: CAP_NET_ADMIN. */
  SO_PRIORITY: WORD,
  /** May use an address that this host has not, or not yet. */
  IP_FREEBIND: FLAG,
  IPV6_FREEBIND: FLAG,
  /** May use any address for its own, for transparent proxies. CAP_NET_ADMIN or CAP_NET_RAW. */
  IP_TRANSPARENT: FLAG,
  IPV6_TRANSPARENT: FLAG,
  /** Type of service, or traffic class, of what is sent: DSCP and ECN. IP_TOS sets SO_PRIORITY as well. */
  IP_TOS: OCTET,
  IPV6_TCLASS: OCTET,
} as const

/** An option that `UdpSocket.setSocketOption` knows. */
export type SocketOptionName = keyof typeof TABLE

/** What such an option holds. */
export type SocketOptionValue<Name extends SocketOptionName> = Name extends SocketOptionName
  ? (typeof TABLE)[Name]['type'] extends 'boolean'
    ? boolean
    : number
  : never

const NAMES = Object.keys(TABLE)
const GIVEN_TO_BIND = 'is an option of UdpSocket.bind'
const MEMBERSHIP = 'is addMembership() and dropMembership()'
const SOURCE_MEMBERSHIP = 'is addSourceSpecificMembership() and dropSourceSpecificMembership()'
const DESTINATIONS = 'belongs to the engine: bind with the option destinations'
const STAMPS = 'belongs to the engine: bind with the option timestamps'
const FILTER = 'is attachFilter() and detachFilter()'
const FRAGMENT = 'is setDontFragment()'
const WAITING = 'belongs to the engine, whose sockets never block: give recv() a timeout'

/** What is set elsewhere, and where. */
const ELSEWHERE: Record<string, string> = {
  UDP_GRO: 'belongs to the engine: bind with the option gro',
  UDP_SEGMENT: 'belongs to the engine: bind with the option gso, send with segmentSize',
  IP_PKTINFO: DESTINATIONS,
  IPV6_PKTINFO: DESTINATIONS,
  IPV6_RECVPKTINFO: DESTINATIONS,
  IP_RECVDSTADDR: DESTINATIONS,
  IP_RECVERR: 'belongs to the engine: bind with the option errorQueue',
  IPV6_RECVERR: 'belongs to the engine: bind with the option errorQueue',
  IP_RECVTOS: 'belongs to the engine: bind with the option recvTos',
  IPV6_RECVTCLASS: 'belongs to the engine: bind with the option recvTos',
  IP_RECVTTL: 'belongs to the engine: bind with the option recvTtl',
  IPV6_RECVHOPLIMIT: 'belongs to the engine: bind with the option recvTtl',
  SO_RXQ_OVFL: 'belongs to the engine: bind with the option drops',
  SO_TIMESTAMP: STAMPS,
  SO_TIMESTAMPNS: STAMPS,
  SO_TIMESTAMPING: STAMPS,
  SO_RCVTIMEO: WAITING,
  SO_SNDTIMEO: 'belongs to the engine, whose sockets never block: wait with writable()',
  SO_ERROR: "belongs to the engine: errors come from the calls, and as 'error'",
  SO_MEMINFO: 'can only be read: stats() has what it tells',
  SO_REUSEADDR: `${GIVEN_TO_BIND}, reuseAddr`,
  SO_REUSEPORT: `${GIVEN_TO_BIND}, reusePort`,
  IPV6_V6ONLY: `${GIVEN_TO_BIND}, ipv6Only`,
  SO_RCVBUF: 'is setRecvBufferSize() and getRecvBufferSize()',
  SO_RCVBUFFORCE: `${GIVEN_TO_BIND}, recvBufferSize, which uses it where it may`,
  SO_SNDBUF: 'is setSendBufferSize() and getSendBufferSize()',
  SO_BROADCAST: 'is setBroadcast()',
  SO_BINDTODEVICE: 'is bindToDevice()',
  SO_ATTACH_FILTER: FILTER,
  SO_DETACH_FILTER: FILTER,
  IP_TTL: 'is setTTL()',
  IPV6_UNICAST_HOPS: 'is setTTL()',
  IP_MULTICAST_TTL: 'is setMulticastTTL()',
  IPV6_MULTICAST_HOPS: 'is setMulticastTTL()',
  IP_MULTICAST_LOOP: 'is setMulticastLoopback()',
  IPV6_MULTICAST_LOOP: 'is setMulticastLoopback()',
  IP_MULTICAST_IF: 'is setMulticastInterface()',
  IPV6_MULTICAST_IF: 'is setMulticastInterface()',
  IP_MULTICAST_ALL: 'is setMulticastAll()',
  IPV6_MULTICAST_ALL: 'is setMulticastAll()',
  IP_MTU_DISCOVER: FRAGMENT,
  IPV6_MTU_DISCOVER: FRAGMENT,
  IP_DONTFRAG: FRAGMENT,
  IPV6_DONTFRAG: FRAGMENT,
  IP_ADD_MEMBERSHIP: MEMBERSHIP,
  IP_DROP_MEMBERSHIP: MEMBERSHIP,
  IPV6_JOIN_GROUP: MEMBERSHIP,
  IPV6_LEAVE_GROUP: MEMBERSHIP,
  IP_ADD_SOURCE_MEMBERSHIP: SOURCE_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP: SOURCE_MEMBERSHIP,
  MCAST_JOIN_SOURCE_GROUP: SOURCE_MEMBERSHIP,
  MCAST_LEAVE_SOURCE_GROUP: SOURCE_MEMBERSHIP,
}

/** @throws ERR_INVALID_ARG_VALUE for what is not in the table, ERR_RECVMMSG_UNSUPPORTED for what this system has not. */
export function validateOptionName(name: unknown, label = 'name'): asserts name is SocketOptionName {
  validateString(name, label)
  if (!Object.hasOwn(TABLE, name)) throw invalidArgValue(label, name, whyNot(name))
  requireOption(name)
}

function whyNot(name: string): string {
  if (Object.hasOwn(ELSEWHERE, name)) return ELSEWHERE[name]!
  const near = nearest(name, NAMES)
  return near === null ? `must be one of: ${NAMES.join(', ')}` : `is no option (did you mean '${near}'?)`
}

/** @throws ERR_RECVMMSG_UNSUPPORTED where this system has no option of that name; `what` needs it. */
export function requireOption(name: string, what = 'it'): void {
  if (!native.systemHasSocketOption(name)) throw lacking(name, what)
}

/** The error of a system that has no such option. */
export function lacking(name: string, what = 'it'): Error {
  return unsupported(`This system has no socket option ${name}: ${what} is of Linux, or of a later kernel`)
}

/** The value as the kernel takes it. */
export function toNumber(name: SocketOptionName, value: unknown, label = 'value'): number {
  const option = TABLE[name]
  if (option.type === 'boolean') {
    validateBoolean(value, label)
    return value ? 1 : 0
  }
  validateInteger(value, label, option.min, option.max)
  return value | 0
}

/** The kernel's `int` as its type has it. */
export function fromNumber(name: SocketOptionName, value: number): number | boolean {
  const option = TABLE[name]
  if (option.type === 'boolean') return value !== 0
  return option === WORD ? value >>> 0 : value
}

/** What setsockopt(2) says of an option that the kernel was built without. */
export const ENOPROTOOPT = -errno.ENOPROTOOPT
