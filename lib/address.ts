/** Socket addresses as text, from the words of `layout.ts`. */

import { interfaceName } from '../binding'
import { ADDRESS, FAMILY, PORT, SCOPE_ID, UNIX } from './layout'

/** 'IPv4' or 'IPv6', as node:dgram names families. */
export type Family = 'IPv4' | 'IPv6'

/** Address, family and port, as node:dgram's `socket.address()` gives them. */
export interface AddressInfo {
  address: string
  family: Family
  port: number
}

/**
 * Texts of the addresses last seen, one per place: a hash decides the place, a newcomer takes it. So the number of
 * senders, who may all be made up, bounds nothing here, and a hit costs no allocation.
 */
const PLACES = 4096
const KEY = 5
const keys = new Uint32Array(PLACES * KEY)
const texts: (string | undefined)[] = new Array(PLACES).fill(undefined)

/** The text of the address at `words[base…]`; '' where the kernel named no sender, and of a Unix socket. */
export function addressText(words: Uint32Array, base: number): string {
  const family = words[base + FAMILY]!
  const a = words[base + ADDRESS]!
  const b = words[base + ADDRESS + 1]!
  const c = words[base + ADDRESS + 2]!
  const d = words[base + ADDRESS + 3]!
  // Family and scope share a word: an interface index is below 2³¹.
  const zone = (words[base + SCOPE_ID]! << 1) | (family === 6 ? 1 : 0)
  const hash = Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ d, 0x85ebca6b), 0xc2b2ae35) ^ zone, 0x9e3779b1)
  const place = hash >>> 20
  const key = place * KEY
  if (
    keys[key] === a &&
    keys[key + 1] === b &&
    keys[key + 2] === c &&
    keys[key + 3] === d &&
    keys[key + 4] === zone >>> 0
  ) {
    const text = texts[place]
    if (text !== undefined && family > UNIX) return text
  }
  if (family <= UNIX) return ''
  const text = family === 4 ? ipv4Text(a) : ipv6Text([a, b, c, d], words[base + SCOPE_ID]!)
  keys[key] = a
  keys[key + 1] = b
  keys[key + 2] = c
  keys[key + 3] = d
  keys[key + 4] = zone
  texts[place] = text
  return text
}

/** The address at `words[base…]` as node:dgram tells one. */
export function addressInfo(words: Uint32Array, base = 0): AddressInfo {
  return {
    address: addressText(words, base),
    family: familyText(words, base),
    port: words[base + PORT]!,
  }
}

/** The family at `words[base…]`. */
export function familyText(words: Uint32Array, base: number): Family {
  return words[base + FAMILY] === 6 ? 'IPv6' : 'IPv4'
}

function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** RFC 5952, with a link-local address's interface behind it as Node has it (RFC 4007, 11). */
function ipv6Text(words: [number, number, number, number], scopeId: number): string {
  const text = compressed(words)
  const linkLocal = words[0] >>> 22 === 0xfe80 >>> 6
  return linkLocal && scopeId !== 0 ? `${text}%${interfaceName(scopeId) ?? scopeId}` : text
}

function compressed(words: [number, number, number, number]): string {
  const [a, b, c, d] = words
  // Mapped (RFC 4291, 2.5.5.2), and compatible with an IPv4 part, which inet_ntop(3) writes the same way.
  if (a === 0 && b === 0 && c === 0xffff) return `::ffff:${ipv4Text(d)}`
  if (a === 0 && b === 0 && c === 0 && d > 0xffff) return `::${ipv4Text(d)}`
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff])
  const { start, length } = longestZeros(groups)
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':')
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}
