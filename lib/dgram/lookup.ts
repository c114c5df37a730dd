/** From what the user calls an address to an IP address. */

import dns from 'node:dns'
import { isIP } from 'node:net'
import { validateFunction } from '../validators'
import { looksUpLiterals } from './running-node'

export type LookupCallback = (error: Error | null, ip?: unknown, family?: number) => void

/** Resolves `address`, loopback where there is none; the callback is told. */
export type Lookup = ((address: unknown, callback: LookupCallback) => void) & {
  /** What `address` is without asking anybody, `null` where somebody is to be asked. */
  known(address: unknown): string | null
}

/** dns.lookup() as it was. */
const { lookup: original } = dns

type UserLookup = (address: string, family: number, callback: LookupCallback) => void

/** A socket's lookup: the user's own, or an IP literal itself and dns.lookup() for host names. */
export function bindLookup(family: 4 | 6, lookup: unknown): Lookup {
  if (lookup !== undefined) validateFunction(lookup, 'lookup')
  const own = lookup as UserLookup | undefined
  const loopback = family === 6 ? '::1' : '127.0.0.1'
  /** The literal that was asked for last, which is mostly the next one's as well. */
  let last = loopback

  function known(address: unknown): string | null {
    if (own !== undefined || (looksUpLiterals && dns.lookup !== original)) return null
    if (!address || address === last) return address ? last : loopback
    if (looksUpLiterals && typeof address !== 'string') return null
    if (isIP(address as string) !== family) return null
    last = address as string
    return last
  }

  function resolve(address: unknown, callback: LookupCallback): void {
    const ip = known(address)
    if (ip !== null) process.nextTick(callback, null, ip, family)
    else {
      const call = own ?? (dns.lookup as unknown as UserLookup)
      call((address || loopback) as string, family, callback)
    }
  }

  return Object.assign(resolve, { known })
}
