/** Reads captures, by the book and slowly: draft-ietf-opsawg-pcap, RFC 791, 8200, 768. */

export interface Record {
  timestamp: bigint
  /** Bytes that were there, and those of them that are in the file. */
  original: number
  included: number
  version: number
  tos: number
  ttl: number
  source: string
  destination: string
  sourcePort: number
  destinationPort: number
  payload: Buffer
  /** Of the IP header, which IPv6 has not, and of UDP: whether each is right. */
  headerChecksum: boolean
  checksum: boolean
}

export function readCapture(file: Buffer): { magic: number; snap: number; link: number; records: Record[] } {
  const records: Record[] = []
  let at = 24
  while (at < file.length) {
    const included = file.readUInt32LE(at + 8)
    const packet = file.subarray(at + 16, at + 16 + included)
    if (packet.length < included) throw new Error(`the record at ${at} is cut`)
    records.push(readRecord(file.subarray(at, at + 16), packet))
    at += 16 + included
  }
  return { magic: file.readUInt32LE(0), snap: file.readUInt32LE(16), link: file.readUInt32LE(20), records }
}

function readRecord(header: Buffer, packet: Buffer): Record {
  const version = packet[0]! >> 4
  const four = version === 4
  const udp = packet.subarray(four ? 20 : 40)
  const addresses = four ? packet.subarray(12, 20) : packet.subarray(8, 40)
  const half = addresses.length / 2
  const length = four ? packet.readUInt16BE(2) - 20 : packet.readUInt16BE(4)
  if (packet[four ? 9 : 6] !== 17 || udp.readUInt16BE(4) !== length)
    throw new Error('lengths or protocol differ')
  const pseudo = Buffer.concat([addresses, Buffer.from([0, 17, length >> 8, length & 255])])
  return {
    timestamp: BigInt(header.readUInt32LE(0)) * 1_000_000_000n + BigInt(header.readUInt32LE(4)),
    included: header.readUInt32LE(8),
    original: header.readUInt32LE(12),
    version,
    tos: four ? packet[1]! : (packet.readUInt16BE(0) >> 4) & 255,
    ttl: packet[four ? 8 : 7]!,
    source: addressOf(addresses.subarray(0, half)),
    destination: addressOf(addresses.subarray(half)),
    sourcePort: udp.readUInt16BE(0),
    destinationPort: udp.readUInt16BE(2),
    payload: udp.subarray(8),
    headerChecksum: !four || folded(packet.subarray(0, 20)) === 0xffff,
    checksum: udp.readUInt16BE(6) !== 0 && folded(Buffer.concat([pseudo, udp])) === 0xffff,
  }
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  // As the WHATWG writes hosts: RFC 5952.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** RFC 1071: with its checksum among it, all ones. */
function folded(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0)
    if (sum > 0xffff) sum -= 0xffff
  }
  return sum
}
