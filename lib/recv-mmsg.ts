import { type AnyBatch, access } from './batch'
import { constants } from './constants'
import { DatagramSocket, engineOf } from './datagram-socket'
import { batchNotEmpty, invalidArgType } from './errors'
import { type RecvOptions, waiting } from './recv-options'
import type { UdpSocket } from './socket'
import type { UnixDatagramSocket } from './unix-datagram-socket'
import { validateInteger, validateOptions } from './validators'

/** Options of `recvMmsg`. */
export interface RecvMmsgOptions extends RecvOptions {
  /** The most messages to receive, 1 to the batch's capacity. @defaultValue the batch's capacity */
  vlen?: number
}

/**
 * recvmmsg(2): waits up to `timeout` for the first datagram, then takes what is there without waiting.
 *
 * **Blocks this thread** meanwhile. Unlike the system call's own, the timeout is a bound.
 *
 * @param socket Receives.
 * @param batch Must be empty: `clear()` it when dealt with.
 * @param options.vlen The most messages to receive. @defaultValue the batch's capacity
 * @param options.flags As for `recv`. @defaultValue MSG_WAITFORONE
 * @param options.timeout Milliseconds, 0 to Infinity. @defaultValue 1000
 * @returns Datagrams received, 0 when none came in time. With UDP_GRO more than `vlen` may come.
 * @throws ERR_BATCH_NOT_EMPTY when the batch still holds packets; otherwise as `UdpSocket.recv`.
 * @example
 * const batch = new PacketBatch({ capacity: 32 })
 * while (recvMmsg(socket, batch, { timeout: 100 }) > 0) {
 *   for (const { size, address, port } of batch) console.log(size, address, port)
 *   batch.clear()
 * }
 * @see https://man7.org/linux/man-pages/man2/recvmmsg.2.html
 */
export function recvMmsg(
  socket: UdpSocket | UnixDatagramSocket,
  batch: AnyBatch,
  options: RecvMmsgOptions = {},
): number {
  if (!(socket instanceof DatagramSocket))
    throw invalidArgType('socket', 'an instance of UdpSocket or UnixDatagramSocket', socket)
  if (!access.is(batch)) throw invalidArgType('batch', 'an instance of PacketBatch', batch)
  const { vlen = batch.capacity, ...rest } = validateOptions(options, ['vlen', 'flags', 'timeout'])
  validateInteger(vlen, 'options.vlen', 1, batch.capacity)
  const { flags = constants.MSG_WAITFORONE, timeout = 1000 } = rest
  const settings = waiting(flags, timeout)
  if (batch.length > 0) throw batchNotEmpty(batch.length)
  return engineOf(socket).receive(batch, vlen, settings.flags, settings.timeout)
}
