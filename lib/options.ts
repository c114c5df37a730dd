import { systemCapabilities } from '../binding'
import { batchShape } from './batch'
import { TELLING } from './capabilities'
import { invalidArgValue, unsupported } from './errors'
import { type Filter, filterWords } from './filter'
import { COALESCED_SLOT } from './layout'
import {
  requireOption,
  type SocketOptionName,
  type SocketOptionValue,
  toNumber,
  validateOptionName,
} from './socket-option-table'
import {
  validateAbortSignal,
  validateAddress,
  validateBoolean,
  validateDevice,
  validateInteger,
  validateObject,
  validateOneOf,
  validateOptions,
  validatePort,
} from './validators'

/** Which system call receives: `mmsg` is recvmmsg(2), `portable` a loop with one datagram a call. */
export type Backend = 'mmsg' | 'portable'

/** Options of a socket that concern receiving, however it is made. */
export interface ReceiveOptions {
  /** Messages in the batches that the socket makes: 1 to 16,384. @defaultValue 64 */
  capacity?: number
  /** Bytes of a slot of these batches: 1 to 65,536. Below the default there is no UDP_GRO. @defaultValue 65536 */
  packetSize?: number
  /**
   * UDP_GRO, udp(7): the kernel hands datagrams of one flow over as one message, and each arrives as itself all the
   * same. Where the system has it not (all but Linux 5.0 and later) it changes nothing.
   * @defaultValue true with slots of 65,536 bytes; for `fromFd` what the socket has
   */
  gro?: boolean
  /**
   * IP_PKTINFO, ip(7): the kernel tells with each datagram where it was sent to, and an answer to a packet comes from
   * there. @defaultValue true where the socket is bound to all addresses (0.0.0.0, ::), where it matters
   */
  destinations?: boolean
  /**
   * SO_TIMESTAMPNS: the kernel tells when it received each datagram, `packet.timestamp`. Linux; macOS and FreeBSD in
   * microseconds (SO_TIMESTAMP). @defaultValue false
   */
  timestamps?: boolean
  /** IP_RECVTOS, IPV6_RECVTCLASS: `packet.tos`, `packet.ecn`. Linux, macOS, FreeBSD. @defaultValue false */
  recvTos?: boolean
  /** IP_RECVTTL, IPV6_RECVHOPLIMIT: `packet.ttl`. Linux, macOS, FreeBSD. @defaultValue false */
  recvTtl?: boolean
  /** SO_RXQ_OVFL: the kernel tells where in the stream it dropped messages, as `'drop'`. Linux. @defaultValue false */
  drops?: boolean
  /**
   * IP_RECVERR, IPV6_RECVERR: ICMP errors come as `'icmp'` with their cause, and not as `'error'`. Linux.
   * @defaultValue false
   */
  errorQueue?: boolean
  /**
   * UDP_SEGMENT, udp(7): datagrams of one size to one place leave as one message, which the kernel cuts apart. Where the
   * system has it not (all but Linux 4.18 and later) it changes nothing. @defaultValue true
   */
  gso?: boolean
  /** Which system call receives. `mmsg` throws where there is none. @defaultValue 'auto' */
  backend?: 'auto' | Backend
  /**
   * Milliseconds, 1 to 1000, for which `'batch'` and `for await` leave the socket alone once it was empty: less CPU at a
   * steady rate, as each wake finds more, for as much latency. The receive buffer has to hold what comes meanwhile.
   * 0 is not at all. @defaultValue 0
   */
  coalesce?: number
  /**
   * For developing: each fill goes to new memory and the old is detached, so that what is used too late is an empty
   * view or throws ERR_BATCH_STALE, instead of silently showing the next batch.
   * @defaultValue true when the environment has RECVMMSG_STRICT=1
   */
  strict?: boolean
  /**
   * `stats()` tells how long the system calls took (`recvTime`, `sendTime`), for two looks at the clock a call.
   * @defaultValue false
   */
  timing?: boolean
  /** Closes the socket when aborted. Aborted already: AbortError. */
  signal?: AbortSignal
}

/** Options of `UdpSocket.bind`. */
export interface UdpSocketOptions extends ReceiveOptions {
  /** Port to bind, 0 to 65535. @defaultValue 0, one that is free */
  port?: number
  /** IP literal to bind; its family is the socket's. @defaultValue '0.0.0.0' */
  address?: string
  /** Share the port with other sockets that ask so (SO_REUSEADDR), as node:dgram. @defaultValue false */
  reuseAddr?: boolean
  /** Share the port and have the kernel spread the flows (SO_REUSEPORT): Linux, FreeBSD. @defaultValue false */
  reusePort?: boolean
  /** With an IPv6 address: no IPv4 peers (IPV6_V6ONLY). @defaultValue false */
  ipv6Only?: boolean
  /**
   * With `false` it gets what is sent to groups that it has joined itself, not those of others on this host
   * (IP_MULTICAST_ALL, IPV6_MULTICAST_ALL). Linux. @defaultValue the system's: true, and false for IPv4 groups of an IPv6
   * socket
   */
  multicastAll?: boolean
  /**
   * What is larger than the path's MTU is refused, with EMSGSIZE, instead of going in fragments (IP_MTU_DISCOVER,
   * IPV6_MTU_DISCOVER). Linux. @defaultValue the system's, false
   */
  dontFragment?: boolean
  /** Receive from and send to this interface only, by its name (SO_BINDTODEVICE). Linux. @defaultValue '', any */
  bindToDevice?: string
  /**
   * Socket options that have no name of their own here, as `setSocketOption` knows them; set before it is bound, as some
   * have to be: `{ IP_FREEBIND: true }` for an address that this host has not yet.
   */
  socketOptions?: { [Name in SocketOptionName]?: SocketOptionValue<Name> }
  /** A program as `attachFilter` takes it, in force from the first datagram on. With it `gro` is `false`. Linux. */
  filter?: Filter
  /**
   * Receive buffer to ask for, in bytes; `getRecvBufferSize()` tells what is in force. Where Linux clamps it
   * (net.core.rmem_max) and the process has not CAP_NET_ADMIN, there is a warning, once, RECVMMSG_RCVBUF.
   */
  recvBufferSize?: number
  /** Send buffer to ask for, in bytes; `getSendBufferSize()` tells what is in force. */
  sendBufferSize?: number
}

/** Options of `UdpSocket.fromFd`. */
export interface FromFdOptions extends ReceiveOptions {
  /** Leave the descriptor the caller's and use a duplicate of it. @defaultValue false */
  dup?: boolean
}

/** What sockets of every family have. */
export const COMMON_OPTIONS = [
  'capacity',
  'packetSize',
  'backend',
  'coalesce',
  'strict',
  'timing',
  'signal',
] as const
const RECEIVE_OPTIONS = [
  ...(Object.keys(TELLING) as (keyof typeof TELLING)[]),
  'gro',
  'gso',
  'destinations',
  ...COMMON_OPTIONS,
] as const
const BIND_OPTIONS = [
  'port',
  'address',
  'reuseAddr',
  'reusePort',
  'ipv6Only',
  'recvBufferSize',
  'sendBufferSize',
  'multicastAll',
  'dontFragment',
  'bindToDevice',
  'socketOptions',
  'filter',
  ...RECEIVE_OPTIONS,
] as const

/** `ReceiveOptions` with nothing left open. */
export interface ReceiveSettings {
  capacity: number
  packetSize: number
  gro: boolean | undefined
  gso: boolean
  destinations: boolean | undefined
  /** Bits of `TELLING`. */
  telling: number
  errorQueue: boolean
  portable: boolean
  coalesce: number
  strict: boolean
  timing: boolean
  signal: AbortSignal | undefined
}

export interface BindSettings extends ReceiveSettings {
  port: number
  address: string
  reuseAddr: boolean
  reusePort: boolean
  ipv6Only: boolean
  recvBufferSize: number
  sendBufferSize: number
  multicastAll: boolean | undefined
  dontFragment: boolean | undefined
  bindToDevice: string | undefined
  socketOptions: { name: string; value: number }[]
  filter: number[] | undefined
}

export function bindSettings(value: unknown): BindSettings {
  const options = validateOptions(value, BIND_OPTIONS)
  const { port = 0, address = '0.0.0.0' } = options
  const number = validatePort(port, 'options.port', true)
  validateAddress(address, 'options.address')
  return {
    port: number,
    address,
    reuseAddr: flag(options, 'reuseAddr'),
    reusePort: flag(options, 'reusePort'),
    ipv6Only: flag(options, 'ipv6Only'),
    recvBufferSize: bufferSize(options, 'recvBufferSize'),
    sendBufferSize: bufferSize(options, 'sendBufferSize'),
    multicastAll: linuxFlag(options, 'multicastAll', 'IP_MULTICAST_ALL'),
    dontFragment: linuxFlag(options, 'dontFragment', 'IP_MTU_DISCOVER'),
    bindToDevice: device(options),
    socketOptions: namedOptions(options),
    ...filtered(options, receiveSettings(options)),
  }
}

/** The rest, where there is a filter: it would see many datagrams as one. */
function filtered(
  { filter }: Record<string, unknown>,
  settings: ReceiveSettings,
): ReceiveSettings & Pick<BindSettings, 'filter'> {
  if (filter === undefined) return { ...settings, filter }
  const words = filterWords(filter, 'options.filter')
  requireOption('SO_ATTACH_FILTER', 'options.filter')
  if (settings.gro === true) {
    throw invalidArgValue(
      'options.gro',
      true,
      'cannot go with a filter, which would judge many datagrams by the first',
    )
  }
  return { ...settings, gro: false, filter: Array.from(words) }
}

function namedOptions({ socketOptions = {} }: Record<string, unknown>): BindSettings['socketOptions'] {
  validateObject(socketOptions, 'options.socketOptions')
  return Object.entries(socketOptions).flatMap(([name, value]) => {
    if (value === undefined) return []
    const label = `options.socketOptions.${name}`
    validateOptionName(name, label)
    return { name, value: toNumber(name, value, label) }
  })
}

export function fromFdSettings(value: unknown): ReceiveSettings & { dup: boolean } {
  const options = validateOptions(value, ['dup', ...RECEIVE_OPTIONS])
  return { dup: flag(options, 'dup'), ...receiveSettings(options) }
}

type CommonSettings = Pick<
  ReceiveSettings,
  'capacity' | 'coalesce' | 'packetSize' | 'portable' | 'signal' | 'strict' | 'timing'
>

export function commonSettings(options: Record<string, unknown>): CommonSettings {
  const { backend = 'auto', coalesce = 0, strict = process.env.RECVMMSG_STRICT === '1', signal } = options
  const { capacity, packetSize } = batchShape(options)
  validateOneOf(backend, 'options.backend', ['auto', 'mmsg', 'portable'] as const)
  if (backend === 'mmsg' && !systemCapabilities().recvmmsg) {
    throw unsupported("recvmmsg(2) cannot be called here: bind with backend 'auto' or 'portable'")
  }
  validateInteger(coalesce, 'options.coalesce', 0, 1000)
  validateBoolean(strict, 'options.strict')
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal')
  return {
    capacity,
    packetSize,
    portable: backend === 'portable',
    coalesce,
    strict,
    timing: flag(options, 'timing'),
    signal,
  }
}

function receiveSettings(options: Record<string, unknown>): ReceiveSettings {
  const { gro, gso = true, destinations } = options
  const common = commonSettings(options)
  const { packetSize } = common
  if (gro !== undefined) validateBoolean(gro, 'options.gro')
  validateBoolean(gso, 'options.gso')
  if (destinations !== undefined) validateBoolean(destinations, 'options.destinations')
  if (gro === true && packetSize < COALESCED_SLOT) {
    throw invalidArgValue('options.gro', gro, `needs slots (packetSize) of ${COALESCED_SLOT} bytes`)
  }
  const telling = told(options)
  const errorQueue = (telling & TELLING.errorQueue) !== 0
  return { ...common, gro, gso, destinations, telling, errorQueue }
}

/** Bits of `TELLING`. @throws ERR_RECVMMSG_UNSUPPORTED for what this system cannot tell. */
function told(options: Record<string, unknown>): number {
  const wanted = Object.entries(TELLING).filter(([name]) => flag(options, name))
  if (wanted.length === 0) return 0
  const { telling } = systemCapabilities()
  for (const [name, bit] of wanted) {
    if ((telling & bit) === 0) throw unsupported(`options.${name} is nothing that this system can tell`)
  }
  return wanted.reduce((bits, [, bit]) => bits | bit, 0)
}

export function flag(options: Record<string, unknown>, name: string): boolean {
  const { [name]: value = false } = options
  validateBoolean(value, `options.${name}`)
  return value
}

/** `undefined` stands for the system's default. */
function linuxFlag(options: Record<string, unknown>, name: string, option: string): boolean | undefined {
  const { [name]: value } = options
  if (value === undefined) return value
  validateBoolean(value, `options.${name}`)
  requireOption(option, `options.${name}`)
  return value
}

function device({ bindToDevice: value }: Record<string, unknown>): string | undefined {
  if (value === undefined) return value
  validateDevice(value, 'options.bindToDevice')
  if (value === '') return undefined
  requireOption('SO_BINDTODEVICE', 'options.bindToDevice')
  return value
}

/** 0 stands for the system's default. */
export function bufferSize(options: Record<string, unknown>, name: string): number {
  const { [name]: value } = options
  if (value === undefined) return 0
  validateInteger(value, `options.${name}`, 1, 2 ** 31 - 1)
  return value
}
