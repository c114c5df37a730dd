// The ES module door to the same object.
import dgram from './dgram.js'

export type * from './dgram.js'
export { _createSocketHandle, createSocket, Socket } from './dgram.js'
export { dgram as default }
