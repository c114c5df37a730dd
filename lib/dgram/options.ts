/** The options of `createSocket`, checked in node:dgram's order. */

import { BlockList } from 'node:net'
import { systemCapabilities } from '../../binding'
import { batchShape } from '../batch'
import { badSocketType, invalidArgType, unsupported } from '../errors'
import { validateBoolean, validateFunction, validateOneOf, validateUint32 } from '../validators'

/** What a socket is to be. */
export interface Settings {
  type: 'udp4' | 'udp6'
  family: 4 | 6
  lookup: unknown
  /** As it was given. */
  reuseAddr: unknown
  reusePort: boolean
  ipv6Only: boolean
  recvBufferSize: number
  sendBufferSize: number
  receiveBlockList: BlockList | undefined
  sendBlockList: BlockList | undefined
  signal: unknown
  gro: boolean
  capacity: number
  portable: boolean
}

/** `value` is the type, or an object with it. */
export function socketSettings(value: unknown): Settings {
  const options = (value !== null && typeof value === 'object' ? value : { type: value }) as Record<
    string,
    unknown
  >
  const { type, lookup, signal } = options
  const recvBufferSize = bufferSize(options.recvBufferSize, 'options.recvBufferSize')
  const sendBufferSize = bufferSize(options.sendBufferSize, 'options.sendBufferSize')
  const receiveBlockList = blockList(options.receiveBlockList, 'options.receiveBlockList')
  const sendBlockList = blockList(options.sendBlockList, 'options.sendBlockList')
  if (lookup !== undefined) validateFunction(lookup, 'lookup')
  if (type !== 'udp4' && type !== 'udp6') throw badSocketType()
  const { gro = true, backend = 'auto' } = options
  validateBoolean(gro, 'options.gro')
  const { capacity } = batchShape({ capacity: options.capacity })
  validateOneOf(backend, 'options.backend', ['auto', 'mmsg', 'portable'])
  if (backend === 'mmsg' && !systemCapabilities().recvmmsg) {
    throw unsupported("recvmmsg(2) cannot be called here: take backend 'auto' or 'portable'")
  }
  return {
    type,
    family: type === 'udp6' ? 6 : 4,
    lookup,
    reuseAddr: options.reuseAddr,
    reusePort: Boolean(options.reusePort),
    ipv6Only: Boolean(options.ipv6Only),
    recvBufferSize,
    sendBufferSize,
    receiveBlockList,
    sendBlockList,
    signal,
    gro,
    capacity,
    portable: backend === 'portable',
  }
}

/** Anything false is the system's default. */
function bufferSize(value: unknown, name: string): number {
  if (!value) return 0
  validateUint32(value, name)
  return value
}

function blockList(value: unknown, name: string): BlockList | undefined {
  if (!value) return undefined
  const { isBlockList } = BlockList as unknown as { isBlockList?(value: unknown): boolean }
  const is = isBlockList?.(value) ?? value instanceof BlockList
  if (!is) throw invalidArgType(name, 'an net.BlockList', value)
  return value as BlockList
}
