/**
 * Captures as tcpdump and Wireshark read them: draft-ietf-opsawg-pcap, with nanoseconds. A socket is given payloads, so
 * each gets the headers back that it came with, as far as the system told what was in them.
 *
 * ```text
 *  file header 24 │ record header 16 │ IPv4 20, or IPv6 40 │ UDP 8 │ payload │ record header 16 │ …
 * ```
 */

/** Nanoseconds, in the byte order in which this file writes: little-endian. */
const MAGIC = 0xa1b23c4d
/** LINKTYPE_RAW: a packet begins with its IP header, whose first four bits are its version. */
const RAW = 101

const RECORD_HEADER = 16
const IPV4_HEADER = 20
const IPV6_HEADER = 40
const UDP_HEADER = 8
const UDP = 17

/** What a record has beside the payload, at most. */
export const OVERHEAD = RECORD_HEADER + IPV6_HEADER + UDP_HEADER

/** A datagram of which a record is made. */
export interface Captured {
  /** When it arrived, since the epoch. */
  seconds: number
  nanoseconds: number
  /** 4 bytes or 16, both addresses alike. */
  source: Uint8Array
  destination: Uint8Array
  sourcePort: number
  destinationPort: number
  /** Type of service or traffic class, time to live or hop limit; 0 where nobody told. */
  tos: number
  ttl: number
  /** Where the payload is that arrived: `length` bytes of these, from `start` on. */
  bytes: Buffer
  start: number
  length: number
  /** Bytes that the payload had on the wire. */
  size: number
}

/** What a capture begins with. `keep`: payload bytes of each datagram that are written at most. */
export function fileHeader(keep: number): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(MAGIC, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(IPV6_HEADER + UDP_HEADER + keep, 16)
  header.writeUInt32LE(RAW, 20)
  return header
}

/** Writes a record to `to` from `at` on, with `keep` bytes of its payload at most; where it ends. */
export function writeRecord(to: Buffer, at: number, datagram: Captured, keep: number): number {
  const { bytes, start, size, source } = datagram
  const kept = Math.min(datagram.length, keep)
  const ip = at + RECORD_HEADER
  const udp = ip + (source.length === 4 ? IPV4_HEADER : IPV6_HEADER)
  const headers = udp + UDP_HEADER - ip
  to.writeUInt32LE(datagram.seconds >>> 0, at)
  to.writeUInt32LE(datagram.nanoseconds, at + 4)
  to.writeUInt32LE(headers + kept, at + 8)
  to.writeUInt32LE(headers + size, at + 12)
  if (source.length === 4) writeIpv4(to, ip, datagram)
  else writeIpv6(to, ip, datagram)
  writeUdp(to, udp, datagram)
  bytes.copy(to, udp + UDP_HEADER, start, start + kept)
  return ip + headers + kept
}

/** RFC 791, 3.1. Nobody tells the identification, nor whether it may be fragmented. */
function writeIpv4(to: Buffer, at: number, { source, destination, tos, ttl, size }: Captured): void {
  to[at] = 0x45
  to[at + 1] = tos
  to.writeUInt16BE(IPV4_HEADER + UDP_HEADER + size, at + 2)
  to.writeUInt32BE(0, at + 4)
  to[at + 8] = ttl
  to[at + 9] = UDP
  to.writeUInt16BE(0, at + 10)
  to.set(source, at + 12)
  to.set(destination, at + 16)
  to.writeUInt16BE(complement(sumOf(to, at, at + IPV4_HEADER)), at + 10)
}

/** RFC 8200, 3. Nobody tells the flow label. */
function writeIpv6(to: Buffer, at: number, { source, destination, tos, ttl, size }: Captured): void {
  to.writeUInt32BE(0x60000000 + tos * 0x100000, at)
  to.writeUInt16BE(UDP_HEADER + size, at + 4)
  to[at + 6] = UDP
  to[at + 7] = ttl
  to.set(source, at + 8)
  to.set(destination, at + 24)
}

/** RFC 768, with the pseudo header of RFC 8200, 8.1 for IPv6. */
function writeUdp(to: Buffer, at: number, datagram: Captured): void {
  const { source, destination, bytes, start, size } = datagram
  to.writeUInt16BE(datagram.sourcePort, at)
  to.writeUInt16BE(datagram.destinationPort, at + 2)
  to.writeUInt16BE(UDP_HEADER + size, at + 4)
  to.writeUInt16BE(0, at + 6)
  // Of what did not arrive nobody knows the sum; 0 says that there is none.
  if (datagram.length < size) return
  const addresses = sumOf(source, 0, source.length) + sumOf(destination, 0, destination.length)
  const pseudo = addresses + UDP + UDP_HEADER + size
  const checksum = complement(pseudo + sumOf(to, at, at + UDP_HEADER) + sumOf(bytes, start, start + size))
  to.writeUInt16BE(checksum || 0xffff, at + 6)
}

/** Sum of the 16-bit words from `start` to `end`; a byte that is left over is the upper half of one. */
function sumOf(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0
  const even = end - ((end - start) & 1)
  for (let at = start; at < even; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!
  return even < end ? sum + (bytes[even]! << 8) : sum
}

/** The Internet checksum of such a sum, RFC 1071. */
function complement(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = Math.floor(folded / 0x10000) + (folded & 0xffff)
  return ~folded & 0xffff
}
