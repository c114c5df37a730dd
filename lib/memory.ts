/** The memory of one batch: slots that datagrams arrive in, and the table that describes them. */

import { bytesToCacheLine } from '../binding'
import { addressText } from './address'
import {
  COALESCED_SLOT,
  DATAGRAM,
  DATAGRAMS,
  DETAIL,
  DETAILED,
  DROPPED,
  HEADER,
  MAX_SEGMENTS,
  MESSAGE,
  MORE,
  NAME,
} from './layout'

/**
 * The slots begin with one: a small datagram then takes one less, which costs 5 % of all that receiving it does. The
 * allocator's memory begins 16 bytes into a page (glibc).
 */
const CACHE_LINE = 64

export class Memory {
  readonly capacity: number
  readonly packetSize: number
  /** The slots, one after the other. */
  readonly bytes: Buffer
  /** What native code fills. */
  readonly table: Uint32Array
  /** The part of the table with a row per message. */
  readonly messages: Uint32Array
  /** The part of the table with a row per datagram. */
  readonly datagrams: Uint32Array
  /** The part of the table with a row of details per message, which are there where `detailed` says so. */
  readonly details: Uint32Array
  /** The part of the table with the names of Unix sockets, a row per message. */
  readonly names: Uint32Array
  /** Datagrams that the last fill gave. */
  length = 0
  /** Strict mode: filled again elsewhere since, and detached. */
  stale = false
  /** The sender's text of the message whose row this is: a coalesced message's datagrams share it. */
  #textRow = -1
  #text = ''

  constructor(capacity: number, packetSize: number) {
    this.capacity = capacity
    this.packetSize = packetSize
    // Only slots that hold a whole coalesced message ever receive one.
    const most = packetSize < COALESCED_SLOT ? capacity : capacity * MAX_SEGMENTS
    const first = HEADER + capacity * MESSAGE
    // Both are mapped lazily by the allocator: slots that nothing arrives in cost no memory.
    const size = capacity * packetSize
    const memory = new Uint8Array(size + CACHE_LINE)
    this.bytes = Buffer.from(memory.buffer, bytesToCacheLine(memory), size)
    const details = first + most * DATAGRAM
    const names = details + capacity * DETAIL
    this.table = new Uint32Array(names + capacity * NAME)
    this.messages = this.table.subarray(HEADER, first)
    this.datagrams = this.table.subarray(first, details)
    this.details = this.table.subarray(details, names)
    this.names = this.table.subarray(names)
  }

  /** Takes over what native code wrote after a fill that gave `count` datagrams or a negative errno. */
  settle(count: number): void {
    this.length = count > 0 ? this.table[DATAGRAMS]! : 0
    this.#textRow = -1
  }

  /** The address of the sender of the message whose row begins at `row`. */
  addressText(row: number): string {
    if (this.#textRow !== row) {
      this.#text = addressText(this.messages, row)
      this.#textRow = row
    }
    return this.#text
  }

  /** The slots have been transferred away. */
  get detached(): boolean {
    return this.bytes.length === 0
  }

  /** Whether the kernel was to tell details of the last fill's messages. */
  get detailed(): boolean {
    return this.table[DETAILED] === 1
  }

  /** Messages that the kernel dropped before or between those of the last fill, as far as it tells. */
  get dropped(): number {
    return this.table[DROPPED]!
  }

  /** Whether the last fill may have left something in the queue. */
  get more(): boolean {
    return this.table[MORE] === 1
  }

  /** Ends it, strictly: views of it become empty. */
  retire(): void {
    this.stale = true
    this.length = 0
    if (this.bytes.length > 0)
      structuredClone(this.bytes.buffer, { transfer: [this.bytes.buffer as ArrayBuffer] })
  }
}
