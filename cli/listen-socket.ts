/** The sockets that the listener reads. */

import { capabilities, UdpSocket, type UdpSocketOptions, UnixDatagramSocket } from '../index'
import { nameOf } from './datagrams'
import { plain } from './escape'
import type { ListenOptions } from './listen-options'
import { Failure, reason } from './problem'
import { endpoint } from './report'

/** Closed with `signal`. */
export function bindUdp(options: ListenOptions, signal: AbortSignal): UdpSocket {
  const { port, address, capacity, gro, backend } = options
  try {
    // An explicit `true` is the same as nothing said: where the system has no UDP_GRO it changes nothing.
    const how = { port, address, capacity, gro, backend, signal }
    // Only a capture needs more than that, as far as this system tells it.
    return UdpSocket.bind(options.pcap === null ? how : { ...how, ...told() })
  } catch (error) {
    throw new Failure(`cannot listen on ${endpoint(address, port)}: ${reason(error)}`)
  }
}

function told(): UdpSocketOptions {
  const { timestamps, recvTos, recvTtl } = capabilities()
  return { timestamps, recvTos, recvTtl }
}

/** Closed with `signal`, and when the process exits before: its file is not to stay. */
export function bindUnix(path: string, options: ListenOptions, signal: AbortSignal): UnixDatagramSocket {
  const { capacity, backend } = options
  try {
    const socket = UnixDatagramSocket.bind({ path, capacity, backend, signal })
    process.once('exit', () => socket.close())
    return socket
  } catch (error) {
    throw new Failure(`cannot listen on ${plain(nameOf(path))}: ${reason(error)}`)
  }
}
