import * as native from '../binding'
import { DatagramSocket, engineOf } from './datagram-socket'
import type { Engine } from './engine'
import { validateAddress, validateBoolean, validateInteger } from './validators'

/** What can be set on an open socket of IPv4 or IPv6; the names are node:dgram's where it has them. */
export abstract class OptionSocket extends DatagramSocket {
  get #engine(): Engine {
    return engineOf(this)
  }

  /** Lets it send to broadcast addresses: SO_BROADCAST, socket(7). */
  setBroadcast(flag: boolean): void {
    validateBoolean(flag, 'flag')
    this.#set('setBroadcast', native.socketSetBroadcast(this.#handle, flag))
  }

  /** Time to live (hop limit) of what it sends to one host: 1 to 255. @returns `ttl` @throws EINVAL */
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

  /** The native socket, of an open one. */
  get #handle(): object {
    this.#engine.assertOpen()
    return this.#engine.handle
  }

  #set(name: string, errno: number): void {
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
