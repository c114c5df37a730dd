/** The sockets of `recvmmsg/dgram`: node:dgram's states, rules, events and errors, over this package's engine. */

import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { validateAbortSignal } from '../validators'
import { binding } from './binding'
import { controls } from './controls'
import { Handle } from './handle'
import { addLegacyMembers } from './legacy'
import { socketSettings } from './options'
import { sending } from './sending'
import { STATE, type Stateful } from './state'
import type { MessageListener, Socket as PublicSocket, SocketClass, SocketOptions, SocketType } from './types'

const created = channel('udp.socket')

/** A function and no class, as node:dgram's: it can be called on an object that inherits from it. */
function Socket(this: Stateful & { close(): void }, type: unknown, listener: unknown): void {
  // An EventEmitter is a function, too, for those who inherit the old way.
  ;(EventEmitter as unknown as (this: unknown) => void).call(this)
  const settings = socketSettings(type)
  const { receiveBlockList, signal } = settings
  const handle = new Handle(settings, {
    message: (data, rinfo) => {
      if (receiveBlockList?.check(rinfo.address, rinfo.family === 'IPv6' ? 'ipv6' : 'ipv4')) return
      this.emit('message', data, rinfo)
    },
    error: (error) => this.emit('error', error),
  })
  this.type = settings.type
  if (typeof listener === 'function') this.on('message', listener as MessageListener)
  const state = { settings, handle, bound: 'no', connected: 'no', queue: null }
  Object.defineProperty(this, STATE, { value: state, configurable: true })
  if (signal !== undefined) closeOnAbort(this, signal)
  if (created.hasSubscribers) created.publish({ socket: this })
}

function closeOnAbort(socket: Stateful & { close(): void }, signal: unknown): void {
  validateAbortSignal(signal, 'options.signal')
  const abort = () => {
    if (socket[STATE].handle !== null) socket.close()
  }
  if (signal.aborted) abort()
  else {
    signal.addEventListener('abort', abort, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', abort))
  }
}

Object.setPrototypeOf(Socket.prototype, EventEmitter.prototype)
Object.setPrototypeOf(Socket, EventEmitter)
Object.assign(Socket.prototype, binding, sending, controls)
addLegacyMembers(Socket.prototype)

/** The class of the sockets that `createSocket` makes. */
const SocketConstructor = Socket as unknown as SocketClass
type SocketConstructor = PublicSocket

export { SocketConstructor as Socket }

/**
 * Makes a socket, which is bound by `bind`, or by the first `send`.
 *
 * @param type 'udp4' or 'udp6', or options with the `type` among them.
 * @param listener For `'message'`.
 * @throws ERR_SOCKET_BAD_TYPE, ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE, ERR_RECVMMSG_UNSUPPORTED.
 * @see https://nodejs.org/api/dgram.html#dgramcreatesocketoptions-callback
 */
export function createSocket(type: SocketType, listener?: MessageListener): PublicSocket
export function createSocket(options: SocketOptions, listener?: MessageListener): PublicSocket
export function createSocket(type: SocketType | SocketOptions, listener?: MessageListener): PublicSocket {
  return new SocketConstructor(type, listener)
}
