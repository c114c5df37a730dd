// Types of recvmmsg/dgram. This compiles, or fails to, and is never run.

import type node from 'node:dgram'
import type { AddressInfo, BlockList } from 'node:net'
import * as all from '../../dgram.js'
import ours, { createSocket, type RemoteInfo, Socket, type SocketOptions } from '../../dgram.js'
import { claim, type Same } from './support.js'

/** Whoever takes node:dgram takes this. */
export const module: typeof node = ours
export const namespace: Pick<typeof import('node:dgram'), 'createSocket' | 'Socket'> = all
export const socket: node.Socket = createSocket('udp4')
/** The types are the default's as well. */
export let inferred: ours.Socket
export function told(info: ours.RemoteInfo, how: ours.SocketOptions): ours.Socket {
  return ours.createSocket(how, (_, { port }) => port === info.port)
}
export const constructed: node.Socket = new Socket('udp6', (message, { size }) => message.length === size)

export function options(blocked: BlockList, signal: AbortSignal): Socket {
  const some: SocketOptions = {
    type: 'udp6',
    reuseAddr: true,
    reusePort: true,
    ipv6Only: true,
    recvBufferSize: 1,
    sendBufferSize: 1,
    receiveBlockList: blocked,
    sendBlockList: blocked,
    signal,
    gro: false,
    capacity: 1,
    backend: 'portable',
  }
  // @ts-expect-error: there is no such type
  createSocket('udp5')
  // @ts-expect-error: the type is missing
  createSocket({ gro: true })
  // @ts-expect-error: no such backend
  createSocket({ type: 'udp4', backend: 'fast' })
  return createSocket(some, (message: Buffer, rinfo: RemoteInfo) => void [message, rinfo])
}

export function members(it: Socket): void {
  claim<Same<ReturnType<typeof it.bindSync>, AddressInfo>>()
  it.connectSync(1)
  it.on('message', (message, rinfo) => void [message.readUInt8(0), rinfo.port])
  it.bind(1, () => {}).unref()
  it.send('x', 1, '::1', (error, bytes) => void [error?.message, bytes.toFixed()])
}

class Own extends Socket {
  override address(): AddressInfo {
    return super.address()
  }
}
export const own: node.Socket = new Own('udp4')
