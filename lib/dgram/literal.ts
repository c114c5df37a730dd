import { addressWords } from '../../binding'
import { SOCKADDR } from '../layout'

const scratch = new Uint32Array(SOCKADDR)

/** An address as text. One in a zone that there is not is in none, for libuv. */
export function literal(text: unknown): string {
  const address = `${text}`
  const zone = address.indexOf('%')
  if (zone < 0 || addressWords(address, 0, scratch, 0)) return address
  return address.slice(0, zone)
}
