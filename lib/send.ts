/** What can be sent, and where to. */

import { types } from 'node:util'
import { invalidArgType } from './errors'

/** Where a datagram goes. A `Packet` is one: its sender. */
export interface Target {
  /** Port, 1 to 65535. */
  port: number
  /** IP literal. @defaultValue loopback of the socket's family */
  address?: string
}

/** The bytes of a payload, without copying views. */
export function toBytes(data: unknown): Uint8Array {
  if (types.isUint8Array(data)) return data
  if (typeof data === 'string') return Buffer.from(data)
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  throw invalidArgType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data)
}

/** The target of `send(data, port, address)` or `send(data, target)`, each property read once; `null` for none. */
export function toTarget(to: unknown, address: unknown): { port: unknown; address: unknown } | null {
  if (typeof to === 'object' && to !== null) {
    const { port, address: own } = to as Target
    return { port, address: own }
  }
  return to === undefined && address === undefined ? null : { port: to, address }
}
