/** Sending a datagram, and closing a socket. */

import { isIP } from 'node:net'
import { promisify } from 'node:util'
import * as errors from '../errors'
import { validateNumber, validatePort, validateString } from '../validators'
import { connected, partsOf, sortOut, unconnected } from './arguments'
import { bindImplicitly, whenBound } from './binding'
import type { Callback, Parts } from './outbox'
import { running, STATE, type Stateful } from './state'

interface Sendable extends Stateful {
  send(...args: unknown[]): void
  close(callback?: () => void): Stateful
}

/** Looks the address up, and sends. */
function sendTo(
  socket: Stateful,
  parts: Parts,
  port: number,
  address: string | undefined,
  callback: Callback | undefined,
): void {
  const state = socket[STATE]
  const lookup = state.handle!.lookup
  // What a connect() that is underway comes before is not to leave before it.
  const early = state.settings.sendBlockList === undefined && state.connected === 'no'
  const known = early ? lookup.known(address) : null
  if (known !== null) {
    state.handle!.outbox.post(parts, known, port, address, callback)
    return
  }
  lookup(address, (error, ip) => {
    if (error) {
      if (callback) process.nextTick(callback, error)
      else process.nextTick(() => socket.emit('error', error))
      return
    }
    if (state.handle === null) return
    const family = isIP(ip as string)
    if (ip && state.settings.sendBlockList?.check(ip as string, `ipv${family}` as 'ipv4')) {
      if (callback) process.nextTick(callback, errors.ipBlocked(ip as string))
      return
    }
    state.handle.outbox.postDue(parts, ip, port, address, callback)
  })
}

export const sending = {
  send(
    this: Sendable,
    message: unknown,
    offset: unknown,
    length: unknown,
    port: unknown,
    address: unknown,
    callback: unknown,
  ): void {
    const state = this[STATE]
    const toPeer = state.connected === 'yes'
    const meant = (toPeer ? connected : unconnected)(message, offset, length, port, address, callback)
    if (meant === null) throw errors.alreadyConnected()
    const parts = partsOf(meant.message)
    const number = toPeer ? null : validatePort(meant.port, 'Port', false)
    const to = sortOut(meant)
    if (to.address !== undefined && to.address !== null) validateString(to.address, 'address')
    running(this)
    bindImplicitly(this)
    if (state.bound !== 'yes') {
      const list = Array.isArray(parts) ? parts : [parts]
      whenBound(this, () => this.send(list, meant.port, to.address, to.callback))
    } else if (number === null) {
      state.handle!.outbox.postDue(parts, null, meant.port, to.address, to.callback)
    } else sendTo(this, parts, number, to.address as string | undefined, to.callback)
  },

  sendto(
    this: Sendable,
    message: unknown,
    offset: unknown,
    length: unknown,
    port: unknown,
    address: unknown,
    callback: unknown,
  ): void {
    validateNumber(offset, 'offset')
    validateNumber(length, 'length')
    validateNumber(port, 'port')
    validateString(address, 'address')
    this.send(message, offset, length, port, address, callback)
  },

  close(this: Sendable, callback?: unknown): Stateful {
    const state = this[STATE]
    if (typeof callback === 'function') this.on('close', callback as () => void)
    if (state.queue !== null) {
      state.queue.push(() => this.close())
      return this
    }
    running(this).close()
    state.handle = null
    process.nextTick(() => this.emit('close'))
    return this
  },

  async [Symbol.asyncDispose](this: Sendable): Promise<void> {
    if (this[STATE].handle !== null) await promisify(this.close).call(this)
  },
}
