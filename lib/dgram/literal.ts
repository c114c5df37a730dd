import { addressWords } from '../../binding'
import { SOCKADDR } from '../layout'

const scratch = new Uint32Array(SOCKADDR)

/** A number names an interface for libuv on Windows only. */
const NUMBERED = process.platform === 'win32'

/** An address as text. One in a zone that there is not is in none, for libuv. */
export function literal(text: unknown): string {
  const address = `${text}`
  const zone = address.indexOf('%')
  const named = zone >= 0 && (NUMBERED || !/^\d+$/.test(address.slice(zone + 1)))
  if (zone < 0 || (named && addressWords(address, 0, scratch, 0))) return address
  return address.slice(0, zone)
}
