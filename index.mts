// The ES module door to the same instance.
export type * from './index.js'
export {
  capabilities,
  constants,
  merge,
  PacketBatch,
  recvMmsg,
  sendMmsg,
  UdpSocket,
  UnixDatagramSocket,
} from './index.js'
