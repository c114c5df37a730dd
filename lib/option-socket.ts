import * as native from '../binding'
import { DatagramSocket, engineOf } from './datagram-socket'
import type { Engine } from './engine'
import * as errors from './errors'
import { type Filter, filterWords } from './filter'
import type { Sendable, Target } from './send'
import type { UdpSocket } from './socket'
import {
  ENOPROTOOPT,
  fromNumber,
  lacking,
  requireOption,
  type SocketOptionName,
  type SocketOptionValue,
  toNumber,
  validateOptionName,
} from './socket-option-table'
import { validateAddress, validateBoolean, validateDevice, validateInteger } from './validators'

/** What can be set on an open socket of IPv4 or IPv6; the names are node:dgram's where it has them. */
export abstract class OptionSocket extends DatagramSocket<UdpSocket, Sendable, Target> {
  get #engine(): Engine {
    return engineOf(this)
  }

  /** Lets it send to broadcast addresses: SO_BROADCAST, socket(7). */
  setBroadcast(flag: boolean): void {
    validateBoolean(flag, 'flag')
    this.#set('setBroadcast', native.socketSetBroadcast(this.#handle, flag))
  }

  /**
   * Time to live (hop limit) of what it sends to one host: 1 to 255. Of an IPv6 socket IPv4 peers keep the system's.
   *
   * @returns `ttl`
   * @throws EINVAL
   */
  setTTL(ttl: number): number {
    validateInteger(ttl, 'ttl', 1, 255)
    this.#set('setTTL', native.socketSetTtl(this.#handle, ttl))
    return ttl
  }

  /** Time to live (hop limit) of what it sends to groups: 0 to 255, 0 for this host only. @returns `ttl` */
  setMulticastTTL(ttl: number): number {
    validateInteger(ttl, 'ttl', 0, 255)
    this.#set('setMulticastTTL', native.socketSetMulticastTtl(this.#handle, ttl))
    return ttl
  }

  /** Whether this host gets what the socket sends to groups that it is in, the default. @returns `flag` */
  setMulticastLoopback(flag: boolean): boolean {
    validateBoolean(flag, 'flag')
    this.#set('setMulticastLoopback', native.socketSetMulticastLoopback(this.#handle, flag))
    return flag
  }

  /**
   * The interface by which what it sends to groups leaves.
   *
   * @param multicastInterface IPv4: an address of the interface; IPv6: `::%eth0` or `::%2`. `0.0.0.0` and `::` leave it
   * to the system again.
   * @throws EADDRNOTAVAIL, ENODEV where there is none; ERR_INVALID_IP_ADDRESS.
   */
  setMulticastInterface(multicastInterface: string): void {
    validateAddress(multicastInterface, 'multicastInterface')
    const errno = native.socketSetMulticastInterface(this.#handle, multicastInterface)
    this.#set('setMulticastInterface', errno)
  }

  /**
   * Joins a multicast group on one interface.
   *
   * @param multicastAddress The group's address.
   * @param multicastInterface As for `setMulticastInterface`. @defaultValue the system's choice
   * @throws EADDRINUSE when it is in the group already; ENODEV, EINVAL; ERR_INVALID_IP_ADDRESS.
   * @see https://man7.org/linux/man-pages/man7/ip.7.html IP_ADD_MEMBERSHIP
   */
  addMembership(multicastAddress: string, multicastInterface?: string): void {
    this.#membership('addMembership', true, multicastAddress, multicastInterface)
  }

  /** Leaves a multicast group; closing does so, too. @throws EADDRNOTAVAIL when it is not in it. */
  dropMembership(multicastAddress: string, multicastInterface?: string): void {
    this.#membership('dropMembership', false, multicastAddress, multicastInterface)
  }

  /**
   * Joins what one source sends to a group (source-specific multicast, RFC 4607).
   *
   * @throws as `addMembership`.
   * @see https://man7.org/linux/man-pages/man7/ip.7.html IP_ADD_SOURCE_MEMBERSHIP
   */
  addSourceSpecificMembership(
    sourceAddress: string,
    groupAddress: string,
    multicastInterface?: string,
  ): void {
    const name = 'addSourceSpecificMembership'
    this.#sourceMembership(name, true, sourceAddress, groupAddress, multicastInterface)
  }

  /** Leaves it. @throws as `dropMembership`. */
  dropSourceSpecificMembership(
    sourceAddress: string,
    groupAddress: string,
    multicastInterface?: string,
  ): void {
    const name = 'dropSourceSpecificMembership'
    this.#sourceMembership(name, false, sourceAddress, groupAddress, multicastInterface)
  }

  /**
   * Whether it gets what is sent to groups that others on this host have joined (IP_MULTICAST_ALL, IPV6_MULTICAST_ALL):
   * the system's default, of a socket that is bound to all addresses. `false`: its own memberships only. Linux.
   *
   * @throws ERR_RECVMMSG_UNSUPPORTED elsewhere, and for IPv6 before Linux 4.20.
   */
  setMulticastAll(flag: boolean): void {
    validateBoolean(flag, 'flag')
    const handle = this.#handleFor('IP_MULTICAST_ALL', 'setMulticastAll')
    this.#set('setMulticastAll', native.socketSetMulticastAll(handle, flag), 'IP_MULTICAST_ALL')
  }

  /**
   * Has it receive from and send to one interface only (SO_BINDTODEVICE), whatever the routes say. Linux.
   *
   * @param device The interface's name, at most 15 bytes; `''` for any again.
   * @throws ENODEV where there is none; EPERM without CAP_NET_RAW, which it takes to change what is set already, and
   * before Linux 5.7 to set it. ERR_RECVMMSG_UNSUPPORTED on other systems.
   */
  bindToDevice(device: string): void {
    validateDevice(device, 'device')
    const handle = this.#handleFor('SO_BINDTODEVICE', 'bindToDevice')
    this.#set('bindToDevice', native.socketBindToDevice(handle, device))
  }

  /**
   * Whether what is larger than the path's MTU is refused, with EMSGSIZE (IP_PMTUDISC_DO), and no router may cut it; `false`:
   * it goes in fragments (IP_PMTUDISC_WANT, the system's default). Linux.
   *
   * @throws ERR_RECVMMSG_UNSUPPORTED elsewhere.
   */
  setDontFragment(flag: boolean): void {
    validateBoolean(flag, 'flag')
    const handle = this.#handleFor('IP_MTU_DISCOVER', 'setDontFragment')
    this.#set('setDontFragment', native.socketSetDontFragment(handle, flag), 'IP_MTU_DISCOVER')
  }

  /**
   * Sets an option that has no method of its own, by the name that socket(7), ip(7) or ipv6(7) give it. Of an option that
   * both families have either name does, and the socket's family is what is set; of a dual-stack socket both are.
   *
   * @param value As the option has it: a boolean, or an integer in its range.
   * @throws ERR_INVALID_ARG_VALUE for a name that is not one of these; it says what to use instead.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE; ERR_RECVMMSG_UNSUPPORTED where the system has it not; EPERM.
   * @example
   * socket.setSocketOption('IP_TOS', 0xb8) // expedited forwarding, RFC 3246
   */
  setSocketOption<Name extends SocketOptionName>(name: Name, value: SocketOptionValue<Name>): void {
    validateOptionName(name)
    const number = toNumber(name, value)
    this.#set('setSocketOption', native.socketSetOption(this.#handle, name, number), name)
  }

  /** What such an option is now. @throws as `setSocketOption`. */
  getSocketOption<Name extends SocketOptionName>(name: Name): SocketOptionValue<Name> {
    validateOptionName(name)
    const word = new Int32Array(1)
    this.#set('getSocketOption', native.socketGetOption(this.#handle, name, word), name)
    return fromNumber(name, word[0]!) as SocketOptionValue<Name>
  }

  /**
   * Has the kernel run a classic BPF program over each datagram before it is queued, in place of the last one: what it
   * refuses costs no wake, and is counted in `stats().kernelDrops`. The program sees the datagram from its UDP header on
   * (the payload begins at offset 8) and returns how many bytes to keep, 0 for none. Before the first read; what arrived
   * before it is not filtered. Linux.
   *
   * @param instructions 1 to 4,096, as `{ code, jt, jf, k }` or `[code, jt, jf, k]`.
   * @throws ERR_INVALID_STATE when the socket has received or has a reader, or when it coalesces: `gro: false`.
   * @throws EINVAL for a program that the kernel refuses, ENOMEM for one that is beyond net.core.optmem_max.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE; ERR_RECVMMSG_UNSUPPORTED on other systems.
   * @see https://man7.org/linux/man-pages/man7/socket.7.html SO_ATTACH_FILTER
   */
  attachFilter(instructions: Filter): void {
    const words = filterWords(instructions)
    const handle = this.#handleFor('SO_ATTACH_FILTER', 'attachFilter')
    if (this.#engine.coalesces) {
      throw errors.invalidState(
        'a filter would see many datagrams as one (UDP_GRO) and judge them by the first: bind with gro: false',
      )
    }
    if (this.#engine.hasRead) {
      throw errors.invalidState('the socket is being read: attach a filter before the first read')
    }
    this.#set('attachFilter', native.socketAttachFilter(handle, words))
  }

  /** Takes the program away. Linux. @throws ENOENT where there is none. */
  detachFilter(): void {
    const handle = this.#handleFor('SO_ATTACH_FILTER', 'detachFilter')
    this.#set('detachFilter', native.socketDetachFilter(handle))
  }

  /** The native socket, of an open one on a system that has the option. */
  #handleFor(option: string, method: string): object {
    requireOption(option, `${method}()`)
    return this.#handle
  }

  /** The native socket, of an open one. */
  get #handle(): object {
    this.#engine.assertOpen()
    return this.#engine.handle
  }

  #set(name: string, errno: number, option = ''): void {
    if (errno === ENOPROTOOPT && option !== '') throw lacking(option, `${name}()`)
    if (errno < 0) throw this.#engine.failed(name, errno)
  }

  #membership(name: string, join: boolean, group: string, multicastInterface: string | undefined): void {
    validateAddress(group, 'multicastAddress')
    if (multicastInterface !== undefined) validateAddress(multicastInterface, 'multicastInterface')
    this.#set(name, native.socketMembership(this.#handle, join, group, multicastInterface))
  }

  #sourceMembership(
    name: string,
    join: boolean,
    source: string,
    group: string,
    multicastInterface: string | undefined,
  ): void {
    validateAddress(source, 'sourceAddress')
    validateAddress(group, 'groupAddress')
    if (multicastInterface !== undefined) validateAddress(multicastInterface, 'multicastInterface')
    const errno = native.socketSourceMembership(this.#handle, join, source, group, multicastInterface)
    this.#set(name, errno)
  }
}
