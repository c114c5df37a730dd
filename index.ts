/**
 * Batched UDP for Node.js: recvmmsg(2), sendmmsg(2), UDP_GRO and UDP_SEGMENT behind batches of plain packets.
 *
 * @packageDocumentation
 */

import './lib/load'

export type { AddressInfo } from './lib/address'
export { PacketBatch, type PacketBatchOptions } from './lib/batch'
export { type Capabilities, capabilities } from './lib/capabilities'
export { constants } from './lib/constants'
export type { DatagramSocketEvents } from './lib/datagram-socket'
export type { FallbackDiagnostics, RecvDiagnostics, SendDiagnostics } from './lib/diagnostics'
export type { Drop } from './lib/drops'
export type { CodedError, SystemCallError } from './lib/errors'
export type { Filter, FilterInstruction } from './lib/filter'
export type { IcmpError } from './lib/icmp'
export { type Merged, type MergeOptions, merge } from './lib/merge'
export type {
  Backend,
  FromFdOptions,
  ReceiveOptions,
  UdpSocketOptions,
} from './lib/options'
export type { Credentials, Ecn, Packet, PacketCopy } from './lib/packet'
export { type RecvMmsgOptions, recvMmsg } from './lib/recv-mmsg'
export type { RecvOptions } from './lib/recv-options'
export type {
  Payload,
  Sendable,
  SendError,
  SendResult,
  Target,
  UnixSendable,
  UnixTarget,
} from './lib/send'
export { type SendMmsgOptions, sendMmsg } from './lib/send-mmsg'
export type { SendAllOptions, SendBatchOptions } from './lib/sender'
export { UdpSocket, type UdpSocketEvents } from './lib/socket'
export type { SocketOptionName, SocketOptionValue } from './lib/socket-option-table'
export type { SocketStats } from './lib/stats'
export { type UnixAddressInfo, UnixDatagramSocket } from './lib/unix-datagram-socket'
export type { UnixDatagramSocketOptions, UnixFromFdOptions } from './lib/unix-options'
