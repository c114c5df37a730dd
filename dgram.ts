/**
 * node:dgram's API over batched system calls: `import dgram from 'recvmmsg/dgram'`, and nothing else changes.
 *
 * @packageDocumentation
 */

import './lib/load'

import * as legacy from './lib/dgram/legacy'
import * as sockets from './lib/dgram/socket'

export type {
  BindOptions,
  BindSyncOptions,
  RemoteInfo,
  SocketOptions,
  SocketType,
} from './lib/dgram/types'

export const _createSocketHandle = legacy._createSocketHandle
export const createSocket = sockets.createSocket
export const Socket = sockets.Socket
export type Socket = sockets.Socket

// One object for `require`, for `import` and for what compilers make of it, as node:dgram is one: what is put in a
// function's place is there for all.
exports.default = exports
