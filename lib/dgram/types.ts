/** Types of node:dgram, of whatever version the user has, with what is more here. */

import type * as node from 'node:dgram'
import type { AddressInfo, BlockList } from 'node:net'

export type { BindOptions, RemoteInfo, SocketType } from 'node:dgram'

/** Options of `createSocket`: node:dgram's (Node 26), and three of this package. */
export interface SocketOptions extends node.SocketOptions {
  /** SO_REUSEPORT: share the port, and let the kernel spread flows over the sockets. @defaultValue false */
  reusePort?: boolean | undefined
  /** Datagrams from these addresses are dropped. */
  receiveBlockList?: BlockList | undefined
  /** Sending to these addresses fails with ERR_IP_BLOCKED. */
  sendBlockList?: BlockList | undefined
  /** UDP_GRO, where the system has it. A descriptor that is taken over (`fd`) keeps what it has. @defaultValue true */
  gro?: boolean | undefined
  /** Messages that one system call receives, 1 to 16,384. @defaultValue 64 */
  capacity?: number | undefined
  /** Which system call receives. `mmsg` throws where there is none. @defaultValue 'auto' */
  backend?: 'auto' | 'mmsg' | 'portable' | undefined
}

/** What `bindSync` takes. */
export interface BindSyncOptions {
  /** Port, 0 to 65535. @defaultValue 0, one that is free */
  port?: number | undefined
  /** IP literal. @defaultValue all addresses */
  address?: string | undefined
}

/** A datagram socket with node:dgram's API. */
export interface Socket extends node.Socket {
  /** `bind` to an IP literal, at once: returns the address it is bound to, throws what `bind` emits as `'error'`. */
  bindSync(options?: BindSyncOptions): AddressInfo
  /** `connect` to an IP literal, at once. */
  connectSync(port: number, address?: string): void
}

/** What a `'message'` listener is. */
export type MessageListener = NonNullable<Parameters<typeof node.createSocket>[1]>

/** The class: node:dgram's, as its types have it, with sockets that have more. */
export type SocketClass = Omit<typeof node.Socket, 'prototype'> & {
  new (type: node.SocketType | SocketOptions, listener?: MessageListener): Socket
  new (...args: ConstructorParameters<typeof node.Socket>): Socket
  readonly prototype: Socket
}
