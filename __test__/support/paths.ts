/** Rows for sockets on real networks: the matrix, and dual-stack sockets whose peers are mapped. */

import { type Mode, modes } from './loop'
import { hasIpv6 } from './matrix'

export interface Path extends Mode {
  path: 'udp4' | 'udp6' | 'mapped'
  /** All addresses, of the socket's family. */
  any: '0.0.0.0' | '::'
}

/** With both readinesses; title them with `$readiness $backend $path`. `family` is that of the network. */
export const paths = modes.flatMap((mode): Path[] => [
  { ...mode, path: mode.family, any: mode.family === 'udp6' ? '::' : '0.0.0.0' },
  ...(mode.family === 'udp4' && hasIpv6 ? [{ ...mode, path: 'mapped', any: '::' } as const] : []),
])

/** For what is read by calls. */
export const callPaths = paths.filter(({ readiness }) => readiness === modes[0]!.readiness)

/** An address of the network as the socket tells it. */
export function told({ path }: Path, address: string): string {
  return path === 'mapped' ? `::ffff:${address}` : address
}
