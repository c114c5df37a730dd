/** A client and a server with a router between them: three namespaces. */

import { hasIpv6, type Row } from './matrix'
import { Namespace, tools } from './namespace'

/** The router's interface towards the client; those towards the server have one name at both ends. */
export const NEAR = 'near'
export const WIDE = 'wide'
export const NARROW = 'narrow'
/** Of the narrow cable; the others have 1,500. IPv6 knows none below 1,280. */
export const NARROW_MTU = 1300

/** Networks by number. Of those that are no cable the router knows what becomes of what is sent there. */
const nets = {
  [NEAR]: 1,
  [WIDE]: 2,
  [NARROW]: 3,
  /** All of it is the server's, by way of the narrow cable. */
  behind: 4,
  prohibited: 5,
  /** The router has no route. */
  unrouted: 6,
  /** The client sends there what the router may not forward: its time to live is 1. */
  far: 7,
  /** A packet filter of the router's rejects it, where there are such. */
  rejected: 8,
} as const

/** Hosts by number, on any cable that they have an end of; nobody is the last one. */
export const ROUTER = 1
export const HOST = 2
/** The router's other address on the wide cable. */
export const OTHER = 9
export const NOBODY = 77

/** The address of a host. */
export function at(family: Row['family'], net: keyof typeof nets, host: number): string {
  return family === 'udp6' ? `fd84:${nets[net]}::${host}` : `10.84.${nets[net]}.${host}`
}

function network(family: Row['family'], net: keyof typeof nets): string {
  return family === 'udp6' ? `fd84:${nets[net]}::/64` : `10.84.${nets[net]}.0/24`
}

const families = hasIpv6 ? (['udp4', 'udp6'] as const) : (['udp4'] as const)

/**
 * ```text
 *         near .1.2    .1.1 ┌────────┐ .2.1, .2.9  wide    .2.2 ┌────────┐ 10.84.2.2 …
 *  client ──────────────────┤ router ├──────────────────────────┤ server │
 *         fd84:1::2   ::1   │        │ .3.1       narrow   .3.2 │        │ 10.84.4.0/24
 *                           │        ├──────────────────────────┤        │ fd84:4::/64
 *                           └────────┘        MTU 1,300         └────────┘
 * ```
 *
 * What the server sends to the client goes by the wide cable.
 */
export interface Routed {
  client: Namespace
  router: Namespace
  server: Namespace
}

export function makeRouted(): Routed {
  const [client, router, server] = [new Namespace(), new Namespace(), new Namespace()]
  for (const each of [client, router, server]) prepare(each)
  cable(client, router, NEAR, 1500, [HOST], [ROUTER])
  // The kernel prefers the IPv6 address that it was given last, and the first of IPv4.
  cable(router, server, WIDE, 1500, [ROUTER, OTHER], [HOST])
  cable(router, server, NARROW, NARROW_MTU, [ROUTER], [HOST])
  client.ip('route', 'add', 'local', SOURCES, 'dev', 'lo')
  router.ip('route', 'add', SOURCES, 'via', at('udp4', NEAR, HOST))
  for (const family of families) {
    const route = (from: Namespace, ...words: string[]) =>
      from.ip(family === 'udp6' ? '-6' : '-4', 'route', 'add', ...words)
    route(client, 'default', 'via', at(family, NEAR, ROUTER))
    route(server, 'default', 'via', at(family, WIDE, ROUTER))
    route(server, 'local', network(family, 'behind'), 'dev', 'lo')
    route(router, network(family, 'behind'), 'via', at(family, NARROW, HOST))
    route(router, 'prohibit', network(family, 'prohibited'))
    route(router, network(family, 'rejected'), 'via', at(family, WIDE, HOST))
    if (tools.rejects) reject(router, family, network(family, 'rejected'))
    route(router, network(family, 'far'), 'via', at(family, WIDE, HOST))
    route(client, network(family, 'far'), 'via', at(family, NEAR, ROUTER), 'hoplimit', '1')
    // They are soon told that somebody is not there.
    for (const [namespace, device] of [
      [client, NEAR],
      [router, WIDE],
    ] as const) {
      const neighbours = `net/${family === 'udp6' ? 'ipv6' : 'ipv4'}/neigh/${device}`
      namespace.set(`${neighbours}/mcast_solicit`, 1)
      namespace.set(`${neighbours}/retrans_time_ms`, 20)
    }
  }
  return { client, router, server }
}

/** All of it is the client's. */
const SOURCES = '10.85.0.0/16'
let sources = 0

/**
 * Has the client send from an IPv4 address that it has not used yet, where it may choose. A router tells each host of five
 * missing routes, and then of one a second; that can be set for the whole system only, net.ipv4.route.error_burst.
 */
export function freshSource({ client }: Routed): void {
  const source = `10.85.${++sources >>> 8}.${sources & 255}`
  client.ip('route', 'replace', 'default', 'via', at('udp4', NEAR, ROUTER), 'src', source)
}

/** Forwards, and answers as often as it is asked. */
function prepare(namespace: Namespace): void {
  namespace.set('net/ipv4/ip_forward', 1)
  // What comes by one cable is answered by the other.
  for (const each of ['all', 'default']) namespace.set(`net/ipv4/conf/${each}/rp_filter`, 0)
  namespace.set('net/ipv4/icmp_ratemask', 0)
  if (!hasIpv6) return
  namespace.set('net/ipv6/conf/all/forwarding', 1)
  // Only a type that nobody sends.
  namespace.set('net/ipv6/icmp/ratemask', 127)
}

function reject(router: Namespace, family: Row['family'], destination: string): void {
  const [program, how] =
    family === 'udp6' ? ['ip6tables', 'icmp6-adm-prohibited'] : ['iptables', 'icmp-host-prohibited']
  router.exec(program, '-A', 'FORWARD', '-d', destination, '-j', 'REJECT', '--reject-with', how)
}

/** Joins two namespaces by a cable whose ends have the same name, in the network of that name. */
function cable(
  one: Namespace,
  two: Namespace,
  name: typeof NEAR | typeof WIDE | typeof NARROW,
  mtu: number,
  ...hosts: [number[], number[]]
): void {
  one.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', two.name)
  for (const [index, end] of [one, two].entries()) {
    end.ip('link', 'set', name, 'addrgenmode', 'none', 'mtu', String(mtu), 'up')
    const give = (address: string, ...more: string[]) =>
      end.ip('address', 'add', address, 'dev', name, ...more)
    for (const host of hosts[index]!) give(`${at('udp4', name, host)}/24`, 'broadcast', '+')
    if (!hasIpv6) continue
    for (const host of [...hosts[index]!].reverse()) give(`${at('udp6', name, host)}/64`, 'nodad')
    give(`fe80::84:${index + 1}/64`, 'nodad')
  }
}
