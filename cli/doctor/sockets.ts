/** UDP sockets at which the kernel has dropped: /proc/net/udp, udp6. */

import { endianness } from 'node:os'
import { plain } from '../escape'
import { endpoint, grouped, plural } from '../report'
import { type Finding, finding } from './finding'
import { owners } from './owners'
import type { System } from './system'

/** Sockets that are told of at most: those with the most drops. */
const MOST = 10

export interface UdpSocketEntry {
  address: string
  port: number
  uid: number
  inode: string
  /** Bytes that wait to be read. */
  waiting: number
  /** Messages. */
  drops: number
}

/** `null` where it cannot be read. */
export function udpSockets(system: System): UdpSocketEntry[] | null {
  const texts = ['proc/net/udp', 'proc/net/udp6'].map((path) => system.text(path))
  if (texts.every((text) => text === null)) return null
  return texts.flatMap((text) => (text ?? '').split('\n').slice(1).filter(Boolean).map(entry))
}

function entry(line: string): UdpSocketEntry {
  const fields = line.trim().split(/\s+/)
  const [address = '', port = ''] = (fields[1] ?? '').split(':')
  return {
    address: addressOf(address),
    port: Number.parseInt(port, 16),
    waiting: Number.parseInt(fields[4]?.split(':')[1] ?? '0', 16),
    uid: Number(fields[7]),
    inode: fields[9] ?? '',
    drops: Number(fields[12] ?? 0),
  }
}

/** Words of 32 bits in hexadecimal, each in the byte order of the machine. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  // It writes a host as RFC 5952 has it.
  return new URL(`udp://[${groups.join(':')}]`).hostname.slice(1, -1)
}

export function examineSockets(
  system: System,
  before: UdpSocketEntry[] | null,
  after: UdpSocketEntry[] | null,
  seconds: number,
): Finding[] {
  const name = 'UDP sockets'
  if (before === null || after === null) {
    return [finding(name, 'they cannot be read', { level: 'unknown' })]
  }
  const losing = after.filter(({ drops }) => drops > 0).sort((a, b) => b.drops - a.drops)
  const values = { sockets: after.length, withDrops: losing.length }
  if (losing.length === 0) {
    return [finding(name, `${plural(after.length, 'socket')}, none has dropped anything`, { values })]
  }
  const text = `${plural(after.length, 'socket')}, ${grouped(losing.length)} of which have dropped messages`
  const earlier = new Map(before.map(({ inode, drops }) => [inode, drops]))
  const shown = losing.slice(0, MOST)
  const named = owners(system, new Set(shown.map(({ inode }) => inode)))
  return [
    finding(name, text, { values }),
    ...shown.map((socket) =>
      one(socket, earlier.get(socket.inode) ?? 0, named.get(socket.inode) ?? [], seconds),
    ),
  ]
}

function one(socket: UdpSocketEntry, earlier: number, owned: string[], seconds: number): Finding {
  const { address, port, drops, uid, waiting } = socket
  const more = drops - earlier
  const by = owned.length > 0 ? owned.map(plain).join(', ') : `a process that cannot be seen, of user ${uid}`
  const now = more > 0 ? `${grouped(more)} of them in the last ${seconds} s` : `none in the last ${seconds} s`
  const text = `of ${by}: ${plural(drops, 'message')} dropped, ${now}; ${plural(waiting, 'byte')} wait to be read`
  return finding(`socket ${endpoint(address, port)}`, text, {
    level: more > 0 ? 'problem' : 'advice',
    advice:
      'It has to be read faster, or to have a larger receive buffer (SO_RCVBUF, here `recvBufferSize`).',
    values: { ...socket, owners: owned, more, seconds },
  })
}
