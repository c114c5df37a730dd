// The ES module door to the same instance.
import { _createSocketHandle, createSocket, Socket } from './dgram.js'

export type * from './dgram.js'
export { _createSocketHandle, createSocket, Socket }
export default { _createSocketHandle, createSocket, Socket }
