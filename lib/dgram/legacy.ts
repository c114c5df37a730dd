/**
 * node:dgram's private members, deprecated there (DEP0112) and gone since Node 26: for old programs that look at them.
 * What they show is this package's and not libuv's.
 */

import { deprecate } from 'node:util'
import { EINVAL } from '../errno'
import { Handle } from './handle'
import { socketSettings } from './options'
import { running, STATE, type Stateful } from './state'

interface Member {
  get(this: Stateful): unknown
  set(this: Stateful, value: never): void
}

const BIND_STATES = ['no', 'underway', 'yes'] as const

const members: Record<string, Member> = {
  _handle: {
    get() {
      return this[STATE].handle
    },
    set(value) {
      this[STATE].handle = value
    },
  },
  _receiving: {
    get() {
      return this[STATE].handle?.receiving ?? false
    },
    set() {},
  },
  _bindState: {
    get() {
      return BIND_STATES.indexOf(this[STATE].bound)
    },
    set(value) {
      this[STATE].bound = BIND_STATES[value] ?? 'no'
    },
  },
  _queue: {
    get() {
      return this[STATE].queue ?? undefined
    },
    set(value) {
      this[STATE].queue = value ?? null
    },
  },
  _reuseAddr: {
    get() {
      return this[STATE].settings.reuseAddr
    },
    set(value) {
      this[STATE].settings.reuseAddr = value
    },
  },
}

const methods: Record<string, (this: Stateful) => void> = {
  _healthCheck() {
    running(this)
  },
  _stopReceiving() {
    this[STATE].handle?.recvStop()
  },
}

/** Gives them to a prototype. */
export function addLegacyMembers(prototype: object): void {
  for (const [name, { get, set }] of Object.entries(members)) {
    const said = `Socket.prototype.${name} is deprecated`
    Object.defineProperty(prototype, name, {
      get: deprecate(get, said, 'DEP0112'),
      set: deprecate(set, said, 'DEP0112'),
      configurable: true,
    })
  }
  for (const [name, method] of Object.entries(methods)) {
    const value = deprecate(method, `Socket.prototype.${name}() is deprecated`, 'DEP0112')
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true })
  }
}

/** A bound handle, or a negative errno. */
function createSocketHandle(
  address: string | undefined,
  port: number | undefined,
  type: string,
  fd: number,
  flags: number,
): Handle | number {
  const handle = new Handle(socketSettings(type), { message() {}, error() {} })
  let result: number | string = 0
  if (fd > 0) result = handle.adopt(fd)
  else if (port || address) {
    // UV_UDP_IPV6ONLY and UV_UDP_REUSEADDR, <uv.h>.
    const how = { ipv6Only: (flags & 1) !== 0, reuseAddr: (flags & 4) !== 0, reusePort: false }
    result = handle.bind(address, port || 0, how)
  }
  if (result === 0) return handle
  handle.close()
  return typeof result === 'string' ? -EINVAL : result
}

export const _createSocketHandle = deprecate(
  createSocketHandle,
  'dgram._createSocketHandle() is deprecated',
  'DEP0112',
)
