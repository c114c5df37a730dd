import type { AnyBatch } from './batch'
import { constants } from './constants'
import { type AnySocket, DatagramSocket } from './datagram-socket'
import { invalidArgType, invalidArgValue } from './errors'
import type { Sendable, SendResult, UnixSendable } from './send'
import type { UdpSocket } from './socket'
import type { UnixDatagramSocket } from './unix-datagram-socket'
import { validateOptions } from './validators'

/** Options of `sendMmsg`. */
export interface SendMmsgOptions {
  /** `constants.MSG_DONTWAIT` or 0, which is the same: it never waits. @defaultValue 0 */
  flags?: number
}

/**
 * sendmmsg(2): sends many datagrams, in order, until all are dealt with or the send buffer is full. It never blocks.
 *
 * @param socket Sends.
 * @param packets As for `UdpSocket.sendBatch`.
 * @returns What has become of them. Unlike the system call it goes on behind one that cannot be sent, and tells why.
 * @throws As `UdpSocket.sendBatch`; ERR_INVALID_ARG_VALUE for other flags.
 * @example
 * const { sent, failed, error } = sendMmsg(socket, [{ data: 'one', port: 8125 }, { data: 'two', port: 8125 }])
 * @see https://man7.org/linux/man-pages/man2/sendmmsg.2.html
 */
export function sendMmsg(
  socket: UdpSocket,
  packets: AnyBatch | Iterable<Sendable>,
  options?: SendMmsgOptions,
): SendResult
export function sendMmsg(
  socket: UnixDatagramSocket,
  packets: AnyBatch | Iterable<UnixSendable>,
  options?: SendMmsgOptions,
): SendResult
export function sendMmsg(
  socket: AnySocket,
  packets: AnyBatch | Iterable<unknown>,
  options: SendMmsgOptions = {},
): SendResult {
  if (!(socket instanceof DatagramSocket))
    throw invalidArgType('socket', 'an instance of UdpSocket or UnixDatagramSocket', socket)
  const { flags = 0 } = validateOptions(options, ['flags'])
  if (typeof flags !== 'number') throw invalidArgType('options.flags', 'of type number', flags)
  if ((flags & ~constants.MSG_DONTWAIT) !== 0 || flags !== (flags | 0))
    throw invalidArgValue('options.flags', flags, 'may hold MSG_DONTWAIT')
  return socket.sendBatch(packets)
}
