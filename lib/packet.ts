import { inspect } from 'node:util'
import { addressText, type Family, familyText } from './address'
import { batchDetached, batchStale } from './errors'
import * as layout from './layout'
import type { Memory } from './memory'
import { pathText } from './unix-name'

/** As constants of this module: V8 folds these, and not another module's. */
const { DATAGRAM, FLAGS, MESSAGE, MESSAGE_INDEX, OFFSET, PORT_SHIFT, SIZE, TRUNCATED } = layout
const { DESTINATION, DETAIL, FAMILY, HAS_TOS, HAS_TTL, INTERFACE, LENGTH, STAMP, TOS_TTL, TTL_SHIFT } = layout
const { CREDENTIALS, NAME, UNIX } = layout

/** What a datagram is, detached from the batch it came in. */
export interface PacketCopy {
  /** The payload; memory of its own. */
  data: Buffer
  /** Payload length, in bytes. */
  size: number
  /** The sender's IP address. */
  address: string
  /** The sender's port. */
  port: number
  /** The sender's family. */
  family: Family
  /** Whether it was longer than its slot; the rest is lost. */
  truncated: boolean
  /** Kernel receive time in nanoseconds since the epoch, or `null`. */
  timestamp: bigint | null
  /** The address it was sent to, or `null`. */
  destination: string | null
  /** Index of the interface it came in by, or `null`. */
  interfaceIndex: number | null
  /** Type of service, or `null`. */
  tos: number | null
  /** Time to live, or `null`. */
  ttl: number | null
  /** Of a Unix socket's: the sender's path, or `null`. */
  path?: string | null
  /** Of a Unix socket's: who the sender is, or `null`. */
  credentials?: Credentials | null
}

/**
 * Who sent a datagram to a Unix socket, as the kernel vouches: SCM_CREDENTIALS, unix(7). A privileged sender may name another.
 */
export interface Credentials {
  /** Process; 0 where it is of a namespace that is not seen from here. */
  pid: number
  /** User. */
  uid: number
  /** Group. */
  gid: number
}

/** Codepoints of explicit congestion notification, RFC 3168, 5. */
export type Ecn = 'Not-ECT' | 'ECT(1)' | 'ECT(0)' | 'CE'

const ECN: readonly Ecn[] = ['Not-ECT', 'ECT(1)', 'ECT(0)', 'CE']

/** How sending reaches the words of a packet's sender. Not exported by the package. */
export interface PacketAccess {
  is(value: unknown): value is Packet
  /** Copies its message's words to `to[at…]`. @throws ERR_BATCH_STALE. */
  message(packet: Packet, to: Uint32Array, at: number): void
  /** Copies its sender's name to `to[at…]`, where it is of a Unix socket. */
  name(packet: Packet, to: Uint32Array, at: number): void
}

/** @internal */
export let access: PacketAccess

/**
 * One datagram of a batch. It shows what the batch holds: **valid until the batch's next fill**; `copy()` what has to
 * live longer. The batch makes it on first use and gives the same object for the same index again.
 *
 * Every property is read from the batch's memory when asked for, so what is not asked for costs nothing.
 */
export class Packet implements PacketCopy {
  readonly #memory: Memory
  /** Where its row begins in `memory.datagrams`. */
  readonly #row: number

  /** The view that `data` gave last, and where it begins. */
  #view: Buffer | null = null
  #viewOffset = -1

  static {
    access = {
      is: (value): value is Packet => typeof value === 'object' && value !== null && #memory in value,
      message(packet, to, at) {
        const { messages } = packet.#live()
        const row = packet.#message()
        for (let word = 0; word < MESSAGE; word++) to[at + word] = messages[row + word]!
      },
      name(packet, to, at) {
        const { messages, names } = packet.#live()
        const row = packet.#message()
        if (messages[row + FAMILY] !== UNIX) return
        const begin = (row / MESSAGE) * NAME
        for (let word = 0; word < NAME; word++) to[at + word] = names[begin + word]!
      },
    }
  }

  /** @internal */
  constructor(memory: Memory, index: number) {
    this.#memory = memory
    this.#row = index * DATAGRAM
  }

  /**
   * The payload: a view of the batch's memory, not a copy.
   *
   * @throws ERR_BATCH_DETACHED when the batch's memory has been transferred away.
   * @throws ERR_BATCH_STALE in strict mode, when the batch has been filled again.
   */
  get data(): Buffer {
    const memory = this.#live()
    const offset = memory.datagrams[this.#row + OFFSET]!
    const size = memory.datagrams[this.#row + SIZE]!
    const view = this.#view
    // Making a view is dearer than all the rest of a datagram. The next fill mostly has its datagrams in the same places.
    if (view !== null && !memory.detached && this.#viewOffset === offset && view.length === size) return view
    this.#viewOffset = offset
    this.#view = dataOf(memory, this.#row)
    return this.#view
  }

  /** Payload length, in bytes. */
  get size(): number {
    return this.#live().datagrams[this.#row + SIZE]!
  }

  /** The sender's IP address; a link-local IPv6 address with its interface, `fe80::1%eth0`. '' of a Unix socket. */
  get address(): string {
    return this.#live().addressText(this.#message())
  }

  /** The sender's port, 0 to 65535; 0 of a Unix socket. */
  get port(): number {
    return this.#live().datagrams[this.#row + FLAGS]! >>> PORT_SHIFT
  }

  /** The sender's family, 'IPv4' or 'IPv6'. An IPv4 peer of a dual-stack socket is 'IPv6', `::ffff:192.0.2.1`. */
  get family(): Family {
    return familyText(this.#live().messages, this.#message())
  }

  /**
   * Of a `UnixDatagramSocket`: the sender's path, an abstract name with its leading `\0`; `null` where it has none. Bytes
   * that are no UTF-8 are shown as U+FFFD; the packet itself as a target has them as they are. `null` of UDP.
   */
  get path(): string | null {
    const { messages, names } = this.#live()
    return pathText(messages, this.#message(), names)
  }

  /** Of a `UnixDatagramSocket` with the option `credentials`: who the sender is; otherwise `null`. */
  get credentials(): Credentials | null {
    const { messages } = this.#live()
    const row = this.#message()
    const at = row + CREDENTIALS
    if (messages[row + FAMILY] !== UNIX || messages[at] === 0) return null
    return { pid: messages[at + 1]!, uid: messages[at + 2]!, gid: messages[at + 3]! }
  }

  /** Whether the datagram was longer than its slot (`packetSize`); the rest is lost. */
  get truncated(): boolean {
    return (this.#live().datagrams[this.#row + FLAGS]! & TRUNCATED) !== 0
  }

  /** Kernel receive time in nanoseconds since the epoch; `null` where the kernel did not tell. */
  get timestamp(): bigint | null {
    const low = this.#detail(STAMP)
    const high = this.#detail(STAMP + 1)
    if (low === null || high === null || (low === 0 && high === 0)) return null
    return (BigInt(high) << 32n) | BigInt(low)
  }

  /** The address it was sent to; `null` where the kernel did not tell. */
  get destination(): string | null {
    const { messages } = this.#live()
    const row = this.#message() + DESTINATION
    return messages[row + FAMILY] === 0 ? null : addressText(messages, row)
  }

  /** Index of the interface it came in by; `null` where the kernel did not tell. */
  get interfaceIndex(): number | null {
    return this.#live().messages[this.#message() + INTERFACE] || null
  }

  /** Type of service or traffic class; `null` where the kernel did not tell. */
  get tos(): number | null {
    const told = this.#detail(TOS_TTL)
    return told === null || (told & HAS_TOS) === 0 ? null : told & 0xff
  }

  /** The explicit congestion notification in it, by name (RFC 3168); `null` where the kernel did not tell. */
  get ecn(): Ecn | null {
    const { tos } = this
    return tos === null ? null : ECN[tos & 3]!
  }

  /** Time to live or hop limit; `null` where the kernel did not tell. */
  get ttl(): number | null {
    const told = this.#detail(TOS_TTL)
    return told === null || (told & HAS_TTL) === 0 ? null : (told >>> TTL_SHIFT) & 0xff
  }

  /**
   * Bytes that it had when it arrived: `size`, and more where it was truncated and `MSG_TRUNC` was among the flags; `null`
   * where it was truncated and nobody told.
   */
  get realSize(): number | null {
    const { size, truncated } = this
    if (!truncated) return size
    const { messages, datagrams, packetSize } = this.#memory
    const row = this.#message()
    const length = messages[row + LENGTH]!
    const alone = datagrams[this.#row + OFFSET]! === (row / MESSAGE) * packetSize
    return alone && length > packetSize ? length : null
  }

  /** The same as a plain object with a payload of its own, for keeping. */
  copy(): PacketCopy {
    const { data } = this
    // Not from Node's pool: a payload that is kept must not keep its neighbours.
    const own = Buffer.allocUnsafeSlow(data.length)
    data.copy(own)
    return this.fields(own)
  }

  /** The same as `copy()`, with the time stamp as text, since JSON has no bigint. */
  toJSON(): object {
    const { timestamp } = this
    return { ...shown(this.copy()), timestamp: timestamp?.toString() ?? null }
  }

  [inspect.custom](depth: number, options: object): string {
    const { stale, detached } = this.#memory
    if (stale || detached) return `Packet { <${stale ? 'stale' : 'detached'}> }`
    return `Packet ${inspect(shown(this.fields(this.data)), { ...options, depth })}`
  }

  /** @internal Everything it knows, with `data` for its payload. */
  fields(data: Buffer): PacketCopy {
    const { size, address, port, family, truncated, timestamp, destination, interfaceIndex, tos, ttl } = this
    const all = {
      data,
      size,
      address,
      port,
      family,
      truncated,
      timestamp,
      destination,
      interfaceIndex,
      tos,
      ttl,
    }
    if (this.#live().messages[this.#message() + FAMILY] !== UNIX) return all
    const { path, credentials } = this
    return { ...all, path, credentials }
  }

  #live(): Memory {
    if (this.#memory.stale) throw batchStale()
    return this.#memory
  }

  /** A word of its message's details, `null` where there are none. */
  #detail(word: number): number | null {
    const memory = this.#live()
    if (!memory.detailed) return null
    return memory.details[memory.datagrams[this.#row + MESSAGE_INDEX]! * DETAIL + word]!
  }

  /** Where its message's row begins. */
  #message(): number {
    return this.#memory.datagrams[this.#row + MESSAGE_INDEX]! * MESSAGE
  }
}

/** What there is to show: of a Unix socket's packet no address. */
function shown(fields: PacketCopy): object {
  if (fields.path === undefined) return fields
  const { data, size, path, credentials, truncated, timestamp } = fields
  return { data, size, path, credentials, truncated, timestamp }
}

/** The payload of the datagram whose row begins at `row`, as a view. */
export function dataOf(memory: Memory, row: number): Buffer {
  const { bytes, datagrams } = memory
  if (memory.detached) throw batchDetached()
  const offset = datagrams[row + OFFSET]!
  return bytes.subarray(offset, offset + datagrams[row + SIZE]!)
}
