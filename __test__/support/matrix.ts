import { capabilities, UdpSocket, type UdpSocketOptions } from '../../index'

/** One row of the tables that every spec with a real socket runs over. */
export interface Row {
  backend: 'mmsg' | 'portable'
  family: 'udp4' | 'udp6'
  /** The loopback address of the family. */
  loopback: string
}

const backends = capabilities().recvmmsg ? (['mmsg', 'portable'] as const) : (['portable'] as const)

/** Whether this host has IPv6 on its loopback interface. */
export const hasIpv6 = probeIpv6()

/** Every backend that works here with every family; title them with `$backend $family`. */
export const matrix: Row[] = backends.flatMap((backend) => [
  { backend, family: 'udp4', loopback: '127.0.0.1' },
  ...(hasIpv6 ? [{ backend, family: 'udp6', loopback: '::1' } as const] : []),
])

const opened = new Set<UdpSocket>()

/** A socket on the row's loopback address that `closeAll` closes. */
export function bind(row: Row, options: UdpSocketOptions = {}): UdpSocket {
  return track(UdpSocket.bind({ address: row.loopback, backend: row.backend, ...options }))
}

/** Has `closeAll` close it. */
export function track(socket: UdpSocket): UdpSocket {
  opened.add(socket)
  return socket
}

/** For `afterEach`. */
export function closeAll(): void {
  for (const socket of opened) socket.close()
  opened.clear()
}

function probeIpv6(): boolean {
  try {
    UdpSocket.bind({ address: '::1' }).close()
    return true
  } catch {
    return false
  }
}
