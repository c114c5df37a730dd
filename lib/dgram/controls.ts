/**
 * Methods that set and tell things.
 *
 * Some of node:dgram's say ERR_SOCKET_DGRAM_NOT_RUNNING of a closed socket, and some fail because it has no handle: "Cannot
 * read properties of null". So do these, in the same words.
 */

import type { AddressInfo } from 'node:net'
import * as errors from '../errors'
import { validateNumber, validateString } from '../validators'
import { running, STATE, type Stateful } from './state'

/** A failed call has its method's name. */
function check(errno: number, syscall: string): void {
  if (errno < 0) throw errors.systemError(syscall, errno)
}

function bufferSize(socket: Stateful, size: number, receive: boolean): number {
  if (size >>> 0 !== size) throw errors.badBufferSize()
  const result = socket[STATE].handle!.bufferSize(size, receive)
  if (result < 0)
    throw errors.socketBufferSize(receive ? 'uv_recv_buffer_size' : 'uv_send_buffer_size', result)
  return result
}

/** Gives the buffers the sizes that were asked for when the socket was made. */
export function applyBufferSizes(socket: Stateful): void {
  const { recvBufferSize, sendBufferSize } = socket[STATE].settings
  if (recvBufferSize > 0) bufferSize(socket, recvBufferSize, true)
  if (sendBufferSize > 0) bufferSize(socket, sendBufferSize, false)
}

export const controls = {
  address(this: Stateful): AddressInfo {
    const name = running(this).getsockname()
    if (typeof name === 'number') throw errors.systemError('getsockname', name)
    return name
  },

  remoteAddress(this: Stateful): AddressInfo {
    const handle = running(this)
    if (this[STATE].connected !== 'yes') throw errors.notConnected()
    const name = handle.getpeername()
    if (typeof name === 'number') throw errors.systemError('getpeername', name)
    return name
  },

  setBroadcast(this: Stateful, flag: unknown): void {
    check(this[STATE].handle!.setBroadcast(flag ? 1 : 0), 'setBroadcast')
  },

  setTTL(this: Stateful, ttl: unknown): number {
    validateNumber(ttl, 'ttl')
    check(this[STATE].handle!.setTTL(ttl), 'setTTL')
    return ttl
  },

  setMulticastTTL(this: Stateful, ttl: unknown): number {
    validateNumber(ttl, 'ttl')
    check(this[STATE].handle!.setMulticastTTL(ttl), 'setMulticastTTL')
    return ttl
  },

  setMulticastLoopback(this: Stateful, flag: unknown): unknown {
    check(this[STATE].handle!.setMulticastLoopback(flag ? 1 : 0), 'setMulticastLoopback')
    return flag
  },

  setMulticastInterface(this: Stateful, multicastInterface: unknown): void {
    const handle = running(this)
    validateString(multicastInterface, 'interfaceAddress')
    check(handle.setMulticastInterface(multicastInterface), 'setMulticastInterface')
  },

  addMembership(this: Stateful, multicastAddress: unknown, multicastInterface: unknown): void {
    const handle = running(this)
    if (!multicastAddress) throw errors.missingArgs('multicastAddress')
    check(handle.addMembership(multicastAddress, multicastInterface), 'addMembership')
  },

  dropMembership(this: Stateful, multicastAddress: unknown, multicastInterface: unknown): void {
    const handle = running(this)
    if (!multicastAddress) throw errors.missingArgs('multicastAddress')
    check(handle.dropMembership(multicastAddress, multicastInterface), 'dropMembership')
  },

  addSourceSpecificMembership(
    this: Stateful,
    sourceAddress: unknown,
    groupAddress: unknown,
    multicastInterface: unknown,
  ): void {
    const handle = running(this)
    validateString(sourceAddress, 'sourceAddress')
    validateString(groupAddress, 'groupAddress')
    const errno = handle.addSourceSpecificMembership(sourceAddress, groupAddress, multicastInterface)
    check(errno, 'addSourceSpecificMembership')
  },

  dropSourceSpecificMembership(
    this: Stateful,
    sourceAddress: unknown,
    groupAddress: unknown,
    multicastInterface: unknown,
  ): void {
    const handle = running(this)
    validateString(sourceAddress, 'sourceAddress')
    validateString(groupAddress, 'groupAddress')
    const errno = handle.dropSourceSpecificMembership(sourceAddress, groupAddress, multicastInterface)
    check(errno, 'dropSourceSpecificMembership')
  },

  ref(this: Stateful): Stateful {
    this[STATE].handle?.ref()
    return this
  },

  unref(this: Stateful): Stateful {
    this[STATE].handle?.unref()
    return this
  },

  setRecvBufferSize(this: Stateful, size: number): void {
    bufferSize(this, size, true)
  },

  setSendBufferSize(this: Stateful, size: number): void {
    bufferSize(this, size, false)
  },

  getRecvBufferSize(this: Stateful): number {
    return bufferSize(this, 0, true)
  },

  getSendBufferSize(this: Stateful): number {
    return bufferSize(this, 0, false)
  },

  getSendQueueSize(this: Stateful): number {
    return this[STATE].handle!.getSendQueueSize()
  },

  getSendQueueCount(this: Stateful): number {
    return this[STATE].handle!.getSendQueueCount()
  },
}
