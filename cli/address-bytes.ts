/** Addresses in bytes, as headers have them. */

/** As many are remembered: who floods has made-up senders, too. */
const MOST = 4096

const known = new Map<string, Uint8Array>()

/**
 * The bytes of an IP address: 4, or 16. An IPv4 address mapped into IPv6 is an IPv4 address (RFC 4291, 2.5.5.2), and the
 * interface behind a link-local one is nobody else's.
 */
export function addressBytes(text: string): Uint8Array {
  let bytes = known.get(text)
  if (bytes === undefined) {
    if (known.size >= MOST) known.clear()
    bytes = read(text)
    known.set(text, bytes)
  }
  return bytes
}

function read(text: string): Uint8Array {
  const [address = ''] = text.split('%', 1)
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number)
  const [before = '', after] = address.split('::')
  const head = groups(before)
  const tail = groups(after ?? '')
  const bytes = new Uint8Array(16)
  bytes.set(head)
  bytes.set(tail, 16 - tail.length)
  return isMapped(bytes) ? bytes.slice(12) : bytes
}

/** Of "2001:db8" or "ffff:192.0.2.1": two bytes each, and four for what is dotted. */
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 255 && bytes[11] === 255 && bytes.subarray(0, 10).every((byte) => byte === 0)
}
