import { systemCapabilities } from '../binding'
import { isNode } from './runtime'

/** What the kernel is to tell beside a datagram, each a bit for native code. */
export const TELLING = { timestamps: 1, recvTos: 2, recvTtl: 4, drops: 8, errorQueue: 16 } as const

/** What this build offers on this system, each tried when asked. */
export interface Capabilities {
  /** recvmmsg(2) may be called: Linux, and no seccomp(2) filter forbids it. */
  recvmmsg: boolean
  /** sendmmsg(2) may be called. */
  sendmmsg: boolean
  /** UDP_GRO: the kernel hands over coalesced datagrams (Linux 5.0). */
  gro: boolean
  /** UDP_SEGMENT: the kernel cuts one message into datagrams (Linux 4.18). */
  gso: boolean
  /** Kernel receive time of each datagram: Linux, macOS, FreeBSD. */
  timestamps: boolean
  /** The address each datagram was sent to. */
  destinations: boolean
  /** Type of service of each datagram: Linux, macOS, FreeBSD. */
  recvTos: boolean
  /** Time to live of each datagram: Linux, macOS, FreeBSD. */
  recvTtl: boolean
  /** Where in the stream the kernel dropped: Linux. */
  drops: boolean
  /** ICMP errors with their cause: Linux. */
  errorQueue: boolean
  /** SO_REUSEPORT that spreads flows over the sockets of a port: Linux, FreeBSD. */
  reusePort: boolean
  /** Unix datagram sockets. */
  unixSockets: boolean
  /** Readiness comes from the runtime's own event loop, and not from a helper thread. */
  uvPoll: boolean
}

/**
 * Tells what works here. Cheap enough to ask at every start; ask again rather than keep the answer, as a seccomp(2)
 * filter may come later.
 *
 * @example
 * if (!capabilities().recvmmsg) console.warn('one system call per datagram on this platform')
 */
export function capabilities(): Capabilities {
  const system = systemCapabilities()
  const tells = (bit: number) => (system.telling & bit) !== 0
  return {
    recvmmsg: system.recvmmsg,
    sendmmsg: system.sendmmsg,
    gro: system.gro,
    gso: system.gso,
    timestamps: tells(TELLING.timestamps),
    destinations: system.destinations,
    recvTos: tells(TELLING.recvTos),
    recvTtl: tells(TELLING.recvTtl),
    drops: tells(TELLING.drops),
    errorQueue: tells(TELLING.errorQueue),
    reusePort: system.reusePort,
    unixSockets: system.unixSockets,
    uvPoll: uvPollWorks(),
  }
}

/**
 * Bun exports every `uv_*` name, and aborts the process when one is called. Deno's `uv_poll_*` tells once and then is
 * silent until it is stopped and started (2.9).
 */
export function uvPollWorks(): boolean {
  return isNode && systemCapabilities().uv
}
