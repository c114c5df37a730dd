/** The overloads of `send`, told apart by position and type as node:dgram does it. */

import { bufferOutOfBounds, invalidArgType } from '../errors'
import type { Callback, Parts } from './outbox'

/** What was meant. Nothing but the message's type is checked yet. */
export interface SendArguments {
  message: unknown
  port: unknown
  address: unknown
  callback: unknown
}

const EMPTY = new Uint8Array(0)
const BYTES = 'of type string or an instance of Buffer, TypedArray, or DataView'

/** `send(message[, offset, length][, port][, address][, callback])`, to an address. */
export function unconnected(
  message: unknown,
  offset: unknown,
  length: unknown,
  port: unknown,
  address: unknown,
  callback: unknown,
): SendArguments {
  // A fourth or fifth argument that says something means that the second and third are a range.
  if (address || (port && typeof port !== 'function')) {
    return { message: range(message, offset, length), port, address, callback }
  }
  return { message, port: offset, address: length, callback: port }
}

/** `send(message[, offset, length][, callback])`, to the peer; `null` where an address is given all the same. */
export function connected(
  message: unknown,
  offset: unknown,
  length: unknown,
  port: unknown,
  address: unknown,
  callback: unknown,
): SendArguments | null {
  const ranged = typeof length === 'number'
  const part = ranged ? range(message, offset, length) : message
  const called = ranged && typeof port === 'function'
  if ((port && !called) || address) return null
  const listener = ranged ? (called ? port : callback) : offset
  return { message: part, port: called ? null : port, address, callback: listener }
}

/** What the callback and the address are, wherever they stand. */
export function sortOut({ address, callback }: SendArguments): {
  address: unknown
  callback: Callback | undefined
} {
  if (typeof address === 'function') return { address: undefined, callback: address as Callback }
  return { address, callback: typeof callback === 'function' ? (callback as Callback) : undefined }
}

/** The parts of a message. */
export function partsOf(message: unknown): Parts {
  if (Array.isArray(message)) return Array.from(message as unknown[], (part) => partOf(part, message))
  if (typeof message === 'string') return Buffer.from(message)
  if (!ArrayBuffer.isView(message)) throw invalidArgType('buffer', BYTES, message)
  return bytesIn(message)
}

function partOf(part: unknown, list: unknown): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part)
  if (!ArrayBuffer.isView(part)) throw invalidArgType('buffer list arguments', BYTES, list)
  // Of one that is detached this is an error, as in node:dgram.
  return Buffer.isBuffer(part)
    ? part
    : Buffer.from(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength)
}

/** The bytes of a view. One that was detached has none, and a DataView of it says so by throwing. */
function bytesIn(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array) return view
  try {
    if (view.byteLength > 0) return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  } catch {}
  return EMPTY
}

/** How many bytes that is. */
export function bytesOf(parts: Parts): number {
  if (!Array.isArray(parts)) return parts.byteLength
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

/** All of it in one piece. */
export function joined(parts: Parts): Uint8Array {
  return Array.isArray(parts) ? Buffer.concat(parts.filter(({ byteLength }) => byteLength > 0)) : parts
}

/** The same in memory of its own: the caller's is its own again. */
export function own(parts: Parts): Buffer {
  return Array.isArray(parts) ? (joined(parts) as Buffer) : Buffer.from(parts)
}

/** A part of the message's bytes, which are the memory and not a copy. */
function range(message: unknown, offset: unknown, length: unknown): Buffer {
  const bytes = typeof message === 'string' ? Buffer.from(message) : message
  if (!ArrayBuffer.isView(bytes)) throw invalidArgType('buffer', BYTES, bytes)
  const start = (offset as number) >>> 0
  const size = (length as number) >>> 0
  if (start > bytes.byteLength) throw bufferOutOfBounds('offset')
  if (start + size > bytes.byteLength) throw bufferOutOfBounds('length')
  return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, size)
}
