/** Host names. */

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { Failure, reason } from './problem'

/** The address of a host: itself where it is one. */
export async function resolve(host: string): Promise<{ address: string; family: 'IPv4' | 'IPv6' }> {
  const { address, family } = isIP(host) ? { address: host, family: isIP(host) } : await first(host)
  return { address, family: family === 6 ? 'IPv6' : 'IPv4' }
}

/** Of IPv4 where there is one: that is where `recvmmsg listen` listens unless it is told otherwise. */
async function first(host: string): Promise<{ address: string; family: number }> {
  try {
    const all = await lookup(host, { all: true })
    return all.find(({ family }) => family === 4) ?? all[0]!
  } catch (error) {
    throw new Failure(`cannot resolve ${host}: ${reason(error)}`)
  }
}
