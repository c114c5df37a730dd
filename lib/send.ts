/** What can be sent, and where to. */

import { types } from 'node:util'
import { invalidArgType } from './errors'
import type { PacketCopy } from './packet'

/** Where a datagram goes. A `Packet` is one: its sender, from the address that the packet was sent to. */
export interface Target {
  /** Port, 1 to 65535. */
  port: number
  /** IP literal. @defaultValue loopback of the socket's family */
  address?: string
  /** Address of this machine that it comes from, as a packet's copy has it: the one that the packet was sent to. */
  destination?: string | null
  /** Interface that goes with a link-local `destination`. */
  interfaceIndex?: number | null
}

/** Where a datagram of a Unix socket goes. A `Packet` is one, and so is its copy: its sender. */
export type UnixTarget = UnixPath | PacketCopy

/** A Unix socket's name. */
interface UnixPath {
  /** Path of a socket, or behind a NUL its abstract name (Linux). */
  path: string | null
}

/** A payload: bytes, text (UTF-8), or an array of these, which is one datagram. */
export type Payload = string | NodeJS.ArrayBufferView | readonly (string | NodeJS.ArrayBufferView)[]

/** One datagram to send: where to is `to`, or `port` and `address`; neither on a connected socket. */
export interface Sendable {
  data: Payload
  to?: Target
  /** Port, 1 to 65535. */
  port?: number
  /** IP literal. @defaultValue loopback of the socket's family */
  address?: string
}

/** One datagram to send by a Unix socket: where to is `to`, or `path`; neither on a connected socket. */
export interface UnixSendable {
  data: Payload
  to?: UnixTarget
  /** Path of a socket, or behind a NUL its abstract name (Linux). */
  path?: string | null
}

/** The first failure of a batch, with its place. */
export interface SendError extends Error {
  errno: number
  code: string
  syscall: string
  address?: string
  port?: number
  /** Index of the datagram. */
  index: number
}

/** What has become of many datagrams. Those before `next` are dealt with, in order: `sent + failed` of them. */
export interface SendResult {
  /** Datagrams that the kernel took. */
  sent: number
  /** Datagrams that it refused; the others went all the same. */
  failed: number
  /** Why the first of these was refused; `null` for none. */
  error: SendError | null
  /** Index of the first that was not touched: how many there are, or fewer where the send buffer is full. */
  next: number
}

/** The bytes of a payload, without copying views. */
export function toBytes(data: unknown): Uint8Array {
  if (types.isUint8Array(data)) return data
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  if (Array.isArray(data)) return Buffer.concat(data.map(part))
  throw notBytes('data', data)
}

function part(data: unknown): Uint8Array {
  if (Array.isArray(data)) throw notBytes('data', data)
  return toBytes(data)
}

export function notBytes(name: string, value: unknown): Error {
  const must = 'of type string or an instance of Buffer, TypedArray, DataView, or an array of these'
  return invalidArgType(name, must, value)
}

/** The target of `send(data, port, address)` or `send(data, target)`, each property read once; `null` for none. */
export function toTarget(
  to: unknown,
  address: unknown,
): { port: unknown; address: unknown; destination?: unknown; interfaceIndex?: unknown } | null {
  if (typeof to === 'object' && to !== null) {
    const { port, address: own, destination, interfaceIndex } = to as Target
    return { port, address: own, destination, interfaceIndex }
  }
  return to === undefined && address === undefined ? null : { port: to, address }
}
