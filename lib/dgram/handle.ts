/**
 * What a datagram socket drives: the native socket as node:dgram knows libuv's. Calls return 0 or a negative errno and
 * convert their arguments as libuv's binding does; the socket makes the errors.
 */

import { AsyncResource } from 'node:async_hooks'
import { isIP } from 'node:net'
import * as native from '../../binding'
import { type AddressInfo, addressInfo } from '../address'
import { EBADF, EBUSY, EEXIST, EINVAL, EISCONN, ENOTCONN } from '../errno'
import { type SystemCallError, systemError } from '../errors'
import { SOCKADDR } from '../layout'
import { Inbox, type InboxHost } from './inbox'
import { literal } from './literal'
import { bindLookup, type Lookup } from './lookup'
import type { Settings } from './options'
import { Outbox, type OutboxHost, settleAll } from './outbox'
import type { RemoteInfo } from './types'

const MOST_TTL = 255
/** Bytes of a buffer: a C int. */
const MOST_BUFFER = 2 ** 31 - 1

/** Who has a descriptor, each of which is one socket's. */
const owners = new Map<number, Handle>()

/** How a socket is bound. */
export interface BindFlags {
  reuseAddr: boolean
  reusePort: boolean
  ipv6Only: boolean
}

/** The socket, which is told what happens. */
export interface Owner {
  message(data: Buffer, rinfo: RemoteInfo): void
  error(error: Error): void
}

export class Handle implements InboxHost, OutboxHost {
  readonly handle = native.socketCreate()
  readonly family: 4 | 6
  readonly lookup: Lookup
  readonly message: Owner['message']
  /** It was made an open socket, and not closed since. */
  open = false
  connected = false
  /** The descriptor's number, as it was when it was opened. */
  #number = -1
  readonly unix = false
  readonly #settings: Settings
  readonly #owner: Owner
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #resource = new AsyncResource('UDPWRAP', { requireManualDestroy: true })

  constructor(settings: Settings, owner: Owner) {
    this.#settings = settings
    this.#owner = owner
    this.family = settings.family
    this.lookup = bindLookup(settings.family, settings.lookup)
    this.message = owner.message
    this.#inbox = new Inbox(this, settings.capacity)
    this.#outbox = new Outbox(this)
  }

  get loopback(): string {
    return this.family === 6 ? '::1' : '127.0.0.1'
  }

  /** The descriptor's number, negative where there is none. */
  get fd(): number {
    return native.socketFd(this.handle)
  }

  get outbox(): Outbox {
    return this.#outbox
  }

  /** Runs what comes from the event loop where the socket was made. */
  scope<T>(callback: () => T): T {
    return this.#resource.runInAsyncScope(callback)
  }

  error(syscall: string, errno: number): void {
    this.#owner.error(systemError(syscall, errno))
  }

  report(error: Error): void {
    this.#owner.error(error)
  }

  failed(syscall: string, errno: number): SystemCallError {
    return systemError(syscall, errno)
  }

  drained(): void {}

  bind(ip: unknown, port: unknown, flags: BindFlags): number {
    const address = literal(ip)
    const number = toUint32(port) & 0xffff
    if (this.open || isIP(address) !== this.family) return -EINVAL
    if (flags.ipv6Only && this.family === 4) return -EINVAL
    settleAll()
    return this.#open(address, number, flags)
  }

  /** Takes a descriptor over: what it is where it is no UDP socket. */
  adopt(fd: number): number | string {
    settleAll()
    // Its number may be another's by now, if somebody else has closed it.
    if (owners.get(fd)?.fd === fd) return -EEXIST
    // One that is open keeps what it has, after the descriptor was found to be good.
    const held = this.open ? native.socketCreate() : this.handle
    const { portable } = this.#settings
    const result = native.socketFromFd(held, fd, this.open, false, true, portable, false)
    if (result === -EBADF) return 'UNKNOWN'
    if (result !== 0) return result
    if (this.open) {
      native.socketClose(held)
      return -EBUSY
    }
    this.open = true
    this.#claim()
    this.connected = native.socketName(this.handle, true, new Uint32Array(SOCKADDR)) === 0
    return 0
  }

  connect(ip: unknown, port: number): number {
    const address = literal(ip)
    if (isIP(address) !== this.family) return -EINVAL
    if (this.connected) return -EISCONN
    settleAll()
    const errno = native.socketConnect(this.handle, address, port)
    this.connected = errno === 0
    return errno
  }

  disconnect(): number {
    if (!this.connected) return -ENOTCONN
    settleAll()
    const errno = native.socketDisconnect(this.handle)
    this.connected = errno !== 0
    return errno
  }

  getsockname(): AddressInfo | number {
    return this.#name(false)
  }

  getpeername(): AddressInfo | number {
    return this.#name(true)
  }

  setBroadcast(flag: number): number {
    settleAll()
    return native.socketSetBroadcast(this.handle, flag !== 0)
  }

  setTTL(ttl: number): number {
    if ((ttl | 0) < 1 || (ttl | 0) > MOST_TTL) return -EINVAL
    settleAll()
    return native.socketSetTtl(this.handle, ttl | 0)
  }

  setMulticastTTL(ttl: number): number {
    if ((ttl | 0) < 0 || (ttl | 0) > MOST_TTL) return -EINVAL
    settleAll()
    return native.socketSetMulticastTtl(this.handle, ttl | 0)
  }

  setMulticastLoopback(flag: number): number {
    settleAll()
    return native.socketSetMulticastLoopback(this.handle, flag !== 0)
  }

  setMulticastInterface(address: string): number {
    if (isIP(address) === 0) return -EINVAL
    settleAll()
    return native.socketSetMulticastInterface(this.handle, literal(address))
  }

  addMembership(group: unknown, multicastInterface: unknown): number {
    return this.#membership(true, group, multicastInterface)
  }

  dropMembership(group: unknown, multicastInterface: unknown): number {
    return this.#membership(false, group, multicastInterface)
  }

  addSourceSpecificMembership(source: string, group: string, multicastInterface: unknown): number {
    return this.#sourceMembership(true, source, group, multicastInterface)
  }

  dropSourceSpecificMembership(source: string, group: string, multicastInterface: unknown): number {
    return this.#sourceMembership(false, source, group, multicastInterface)
  }

  /** Bytes of the receive (or the send) buffer, or a negative errno; with a `size` it is set first. */
  bufferSize(size: number, receive: boolean): number {
    if (size === 0) return native.socketBufferSize(this.handle, !receive)
    if (size > MOST_BUFFER) return -EINVAL
    settleAll()
    const errno = native.socketSetBufferSize(this.handle, !receive, size)
    return errno < 0 ? errno : size
  }

  getSendQueueSize(): number {
    return this.#outbox.bytes
  }

  getSendQueueCount(): number {
    return this.#outbox.count
  }

  ref(): void {
    this.#inbox.ref(true)
  }

  unref(): void {
    this.#inbox.ref(false)
  }

  get receiving(): boolean {
    return this.#inbox.reading
  }

  /** 0, or a negative errno: it is not bound any more. */
  recvStart(): number {
    const errno = this.#inbox.start()
    if (errno < 0) {
      native.socketClose(this.handle)
      this.open = false
    }
    return errno
  }

  recvStop(): void {
    this.#inbox.stop()
  }

  close(): void {
    settleAll()
    this.#outbox.close()
    this.open = false
    this.#inbox.stop()
    native.socketClose(this.handle)
    if (owners.get(this.#number) === this) owners.delete(this.#number)
    this.#resource.emitDestroy()
  }

  #name(peer: boolean): AddressInfo | number {
    settleAll()
    const words = new Uint32Array(SOCKADDR)
    const errno = native.socketName(this.handle, peer, words)
    return errno < 0 ? errno : addressInfo(words)
  }

  #membership(join: boolean, group: unknown, multicastInterface: unknown): number {
    const address = literal(group)
    const interfaceAddress = optional(multicastInterface)
    settleAll()
    const errno = this.#bound(isIP(address))
    return errno < 0 ? errno : native.socketMembership(this.handle, join, address, interfaceAddress)
  }

  #sourceMembership(join: boolean, source: string, group: string, multicastInterface: unknown): number {
    const interfaceAddress = optional(multicastInterface)
    const family = isIP(group)
    if (isIP(source) !== family) return -EINVAL
    settleAll()
    const errno = this.#bound(family)
    return errno < 0
      ? errno
      : native.socketSourceMembership(this.handle, join, literal(source), literal(group), interfaceAddress)
  }

  /** libuv binds a socket that joins a group and is not bound: to any port of the group's family. */
  #bound(family: number): number {
    if (family === 0) return -EINVAL
    if (this.open) return 0
    const flags = { reuseAddr: true, reusePort: false, ipv6Only: false }
    return this.#open(family === 6 ? '::' : '0.0.0.0', 0, flags)
  }

  #open(address: string, port: number, flags: BindFlags): number {
    const { gro, portable } = this.#settings
    const errno = native.socketBind(this.handle, address, port, {
      ...flags,
      recvBufferSize: 0,
      sendBufferSize: 0,
      gro,
      destinations: false,
      portable,
    })
    this.open = errno === 0
    if (this.open) this.#claim()
    return errno
  }

  #claim(): void {
    this.#number = this.fd
    owners.set(this.#number, this)
  }
}

/** As the binding converts a number: a bigint and a symbol throw. */
function toUint32(value: unknown): number {
  return +(value as number) >>> 0
}

function optional(text: unknown): string | null {
  return text === undefined || text === null ? null : literal(text)
}
