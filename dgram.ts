/**
 * node:dgram's API over batched system calls: `import dgram from 'recvmmsg/dgram'`, and nothing else changes.
 *
 * @packageDocumentation
 */

import { _createSocketHandle } from './lib/dgram/legacy'
import { createSocket, Socket } from './lib/dgram/socket'

export type {
  BindOptions,
  BindSyncOptions,
  RemoteInfo,
  SocketOptions,
  SocketType,
} from './lib/dgram/types'
export { _createSocketHandle, createSocket, Socket }
export default { _createSocketHandle, createSocket, Socket }
