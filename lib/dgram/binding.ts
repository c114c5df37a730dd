/** Binding a socket, and connecting it. */

import { errorMonitor } from 'node:events'
import { type AddressInfo, isIP } from 'node:net'
import * as errors from '../errors'
import { validateObject, validatePort, validateString } from '../validators'
import { applyBufferSizes } from './controls'
import type { BindFlags } from './handle'
import { bindFailure } from './running-node'
import { running, STATE, type Stateful } from './state'
import type { BindSyncOptions } from './types'

type Listener = (...args: unknown[]) => void

function flagsOf({ [STATE]: { settings } }: Stateful): BindFlags {
  const { reuseAddr, reusePort, ipv6Only } = settings
  return { reuseAddr: Boolean(reuseAddr), reusePort, ipv6Only }
}

function everywhere({ type }: Stateful): string {
  return type === 'udp4' ? '0.0.0.0' : '::'
}

/** It is bound: from here on it receives, and keeps the process alive. A negative errno where that cannot be. */
function begin(socket: Stateful): number {
  const state = socket[STATE]
  const errno = state.handle!.recvStart()
  if (errno < 0) return errno
  state.bound = 'yes'
  applyBufferSizes(socket)
  return 0
}

/** Emits an event in the next tick, if it is open then. */
function emitLater(socket: Stateful, event: string): void {
  process.nextTick(() => socket[STATE].handle !== null && socket.emit(event))
}

/** Calls `callback` when it listens, and never if there is an error before. */
function onceListening(socket: Stateful, callback: Listener): void {
  const forget = () => {
    socket.removeListener(bindFailure, forget)
    socket.removeListener('listening', listening)
  }
  const listening = () => {
    forget()
    callback.call(socket)
  }
  socket.on(bindFailure, forget)
  socket.on('listening', listening)
}

/** Has `job` done when it is bound; forgotten if that fails. */
export function whenBound(socket: Stateful, job: () => void): void {
  const state = socket[STATE]
  if (state.queue === null) {
    state.queue = []
    const bound = () => {
      socket.removeListener(errorMonitor, failed)
      const jobs = state.queue!
      state.queue = null
      for (const each of jobs) each()
    }
    const failed = () => {
      socket.removeListener('listening', bound)
      state.queue = null
    }
    socket.once(errorMonitor, failed)
    socket.once('listening', bound)
  }
  state.queue.push(job)
}

/** Binds it to any port, for those who send before they bind. */
export function bindImplicitly(socket: Stateful): void {
  const { bind } = socket as unknown as { bind(...args: unknown[]): void }
  if (socket[STATE].bound === 'no') bind.call(socket, { port: 0, exclusive: true }, null)
}

function adopt(socket: Stateful, fd: number): void {
  const result = socket[STATE].handle!.adopt(fd)
  if (typeof result === 'string') throw errors.invalidFdType(result)
  if (result < 0) throw errors.systemError('open', result)
  const errno = begin(socket)
  if (errno < 0) throw errors.systemError('open', errno)
  socket.emit('listening')
}

function bindTo(socket: Stateful, address: unknown, port: unknown): void {
  const state = socket[STATE]
  const fail = (error: Error) => {
    state.bound = 'no'
    socket.emit('error', error)
  }
  state.handle!.lookup(address || everywhere(socket), (error, ip) => {
    if (state.handle === null) return
    if (error) return fail(error)
    const errno = state.handle.bind(ip, port || 0, flagsOf(socket)) || begin(socket)
    if (errno < 0) return fail(errors.hostPortError('bind', errno, ip, port))
    socket.emit('listening')
  })
}

function connectTo(socket: Stateful, port: number, address: string, callback: Listener | undefined): void {
  const state = socket[STATE]
  if (callback) socket.once('connect', callback)
  state.handle!.lookup(address, (failure, ip) => {
    if (state.handle === null) return
    let error = failure
    if (!error && state.settings.sendBlockList?.check(ip as string, `ipv${isIP(ip as string)}` as 'ipv4')) {
      error = errors.ipBlocked(ip as string)
    }
    if (!error) {
      const errno = state.handle.connect(ip, port)
      if (errno < 0) error = errors.hostPortError('connect', errno, address, port)
    }
    if (!error) {
      state.connected = 'yes'
      process.nextTick(() => socket.emit('connect'))
      return
    }
    state.connected = 'no'
    process.nextTick(() => {
      if (!callback) return socket.emit('error', error)
      socket.removeListener('connect', callback)
      return callback(error)
    })
  })
}

export const binding = {
  bind(this: Stateful, port: unknown, address: unknown, ...more: unknown[]): Stateful {
    running(this)
    const state = this[STATE]
    if (state.bound !== 'no') throw errors.alreadyBound()
    state.bound = 'underway'
    // biome-ignore lint/complexity/noArguments: the callback is the last argument, also where that is undefined
    const callback = [port, address, ...more].slice(0, arguments.length).at(-1)
    if (typeof callback === 'function') onceListening(this, callback as Listener)
    if (port === null || typeof port !== 'object') {
      bindTo(this, typeof address === 'function' ? '' : address, port)
      return this
    }
    const options = port as { port?: unknown; address?: unknown; fd?: unknown; recvStart?: unknown }
    if (typeof options.recvStart === 'function') {
      throw errors.invalidArgValue(
        'port',
        port,
        'is a handle of node:dgram, which cannot be shared: bind the port with reusePort',
      )
    }
    const { fd } = options
    if (isInt32(fd) && fd > 0) adopt(this, fd)
    else bindTo(this, options.address || '', options.port)
    return this
  },

  bindSync(this: Stateful, options: BindSyncOptions = {}): AddressInfo {
    const handle = running(this)
    validateObject(options, 'options')
    const state = this[STATE]
    if (state.bound !== 'no') throw errors.alreadyBound()
    const port = validatePort(options.port ?? 0, 'options.port', true)
    const address = literal(options.address || everywhere(this), 'options.address', 'bindSync')
    const errno = handle.bind(address, port, flagsOf(this)) || begin(this)
    if (errno < 0) throw errors.hostPortError('bind', errno, address, port)
    emitLater(this, 'listening')
    return (this as unknown as { address(): AddressInfo }).address()
  },

  connect(this: Stateful, port: unknown, address: unknown, callback?: Listener): void {
    const number = validatePort(port, 'Port', false)
    const listener = typeof address === 'function' ? (address as Listener) : callback
    const name = typeof address === 'function' || address === undefined ? '' : address
    validateString(name, 'address')
    const state = this[STATE]
    if (state.connected !== 'no') throw errors.alreadyConnected()
    state.connected = 'underway'
    bindImplicitly(this)
    if (state.bound === 'yes') connectTo(this, number, name, listener)
    else whenBound(this, () => connectTo(this, number, name, listener))
  },

  connectSync(this: Stateful, port: unknown, address?: unknown): void {
    running(this)
    const number = validatePort(port, 'Port', false)
    const state = this[STATE]
    if (state.connected !== 'no') throw errors.alreadyConnected()
    const loopback = this.type === 'udp4' ? '127.0.0.1' : '::1'
    const missing = address === undefined || address === null || address === ''
    const ip = literal(missing ? loopback : address, 'address', 'connectSync')
    const { bindSync } = this as unknown as { bindSync(): void }
    if (state.bound === 'no') bindSync.call(this)
    else if (state.bound !== 'yes') throw errors.alreadyBound()
    if (state.settings.sendBlockList?.check(ip, `ipv${isIP(ip)}` as 'ipv4')) throw errors.ipBlocked(ip)
    const errno = state.handle!.connect(ip, number)
    if (errno < 0) throw errors.hostPortError('connect', errno, ip, number)
    state.connected = 'yes'
    emitLater(this, 'connect')
  },

  disconnect(this: Stateful): void {
    const state = this[STATE]
    if (state.connected !== 'yes') throw errors.notConnected()
    const errno = state.handle!.disconnect()
    if (errno < 0) throw errors.systemError('connect', errno)
    state.connected = 'no'
  },
}

/** Node's check, which converts what is no number. */
function isInt32(value: unknown): value is number {
  return value === ((value as number) | 0)
}

/** An IP address as it stands: what is done at once asks nobody. */
function literal(address: unknown, name: string, method: string): string {
  validateString(address, name)
  if (isIP(address) !== 0) return address
  const reason = `must be a numeric IP address; ${method} does not perform DNS resolution`
  throw errors.invalidArgValue(name, address, reason)
}
