/** Memory of what is to be sent: payloads one after the other, and a table that says where each goes. */

import { addressWords } from '../binding'
import { invalidArgType, invalidIpAddress } from './errors'
import * as layout from './layout'
import { access as packets } from './packet'
import { notBytes, type Target, type UnixTarget } from './send'
import { nameBytes, writeName } from './unix-name'
import { validatePort } from './validators'

const { DATAGRAM, DESTINATION, FAMILY, HEADER, INTERFACE, LOCAL, MESSAGE, NAME, PORT, SOCKADDR } = layout

/** Datagrams of one chunk: as many messages as one system call takes (UIO_MAXIOV). */
const CHUNK = 1024
/** Payload bytes of one chunk, about: what stays in a core's cache. It grows for what is longer. */
const CHUNK_BYTES = 256 * 1024
/** No datagram of UDP is longer; the kernel says so of the first byte too many. */
const TOO_LONG = 65_536
/** Nor one of a Unix socket: a send buffer is at most INT_MAX bytes. A row of the table counts to 2³². */
const TOO_LONG_UNIX = 2 ** 31

/** The length of a typed array, whatever a subclass says: what lies behind it in the chunk is somebody else's. */
const lengthOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')!
  .get as (this: Uint8Array) => number

/** The words of the addresses last sent to. */
const known = new Map<string, Uint32Array>()
const MOST_KNOWN = 4096

/** What the socket adds to a target that leaves something out. */
export interface From {
  /** Loopback of its family. */
  readonly loopback: string
  readonly connected: boolean
  /** It is a Unix socket, whose targets have a path. */
  readonly unix: boolean
}

export class Letters {
  readonly capacity = CHUNK
  readonly table: Uint32Array = new Uint32Array(HEADER + CHUNK * (MESSAGE + DATAGRAM + NAME))
  readonly #messages = this.table.subarray(HEADER, HEADER + CHUNK * MESSAGE)
  readonly #rows = this.table.subarray(HEADER + CHUNK * MESSAGE, HEADER + CHUNK * (MESSAGE + DATAGRAM))
  readonly #names = this.table.subarray(HEADER + CHUNK * (MESSAGE + DATAGRAM))
  bytes: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  /** Datagrams in it. */
  length = 0
  #end = 0
  #targets = 0
  /** The target of the last datagram, whose message the next one mostly shares. */
  #port: unknown
  #address: unknown
  #plain = false
  /** Bytes of a payload beyond which nobody needs to see it. */
  longest = TOO_LONG

  clear(): void {
    this.length = 0
    this.#end = 0
    this.#targets = 0
    this.#plain = false
  }

  /** Gives back what an unusually long payload took. */
  shrink(): void {
    if (this.bytes.length > 4 * CHUNK_BYTES) this.bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  }

  /** Its datagrams have targets of their own. */
  get aimed(): boolean {
    return this.#targets > 0
  }

  get full(): boolean {
    return this.length === CHUNK || this.#end >= CHUNK_BYTES
  }

  /** Adds a datagram to where `aim` was last told. */
  add(data: unknown): void {
    const offset = this.#end
    this.#append(data)
    this.row(offset, this.#end - offset)
  }

  /** Writes a payload, which `row` may then name often. */
  payload(data: unknown): number {
    this.#append(data)
    return this.#end
  }

  /** Adds a datagram that is `size` bytes at `offset`. */
  row(offset: number, size: number): void {
    const at = this.length * DATAGRAM
    this.#rows[at] = offset
    this.#rows[at + 1] = size
    this.#rows[at + 2] = this.#targets - 1
    this.#rows[at + 3] = 0
    this.length++
  }

  /** The datagrams that follow go to this target. */
  aim(target: unknown, from: From): void {
    if (packets.is(target)) {
      packets.message(target, this.#messages, this.#targets * MESSAGE)
      if (from.unix) packets.name(target, this.#names, this.#targets * NAME)
      this.#targets++
      this.#plain = false
      return
    }
    if (from.unix) {
      this.path((target as UnixTarget).path)
      return
    }
    const { port, address, destination, interfaceIndex } = target as Target
    const sourced = typeof destination === 'string'
    if (sourced) this.#plain = false // a message of its own: the last one's datagrams come from elsewhere
    this.to(port, address, from)
    if (!sourced) return
    source(this.#messages, (this.#targets - 1) * MESSAGE, destination, interfaceIndex)
    this.#plain = false
  }

  /** The same for a port and an address. */
  to(port: unknown, address: unknown, from: From): void {
    if (this.#plain && port === this.#port && address === this.#address) return
    const at = this.#targets * MESSAGE
    const number = validatePort(port, 'Port', false)
    this.#messages.set(wordsOf(address === undefined ? from.loopback : address), at)
    this.#messages[at + PORT] = number
    this.#messages[at + DESTINATION] = 0
    this.#messages[at + INTERFACE] = 0
    this.#targets++
    this.#plain = true
    this.#port = port
    this.#address = address
  }

  /** The same for the path of a Unix socket. */
  path(path: unknown): void {
    if (this.#plain && path === this.#address) return
    const name = nameBytes(path, 'path')
    writeName(name, this.#messages, this.#targets * MESSAGE, this.#names, this.#targets * NAME)
    this.#targets++
    this.#plain = true
    this.#address = path
  }

  /** Payload bytes of a datagram. */
  sizeOf(row: number): number {
    return this.#rows[row * DATAGRAM + layout.SIZE]!
  }

  /** The errno that native code left where a datagram failed, if it was asked to; 0 for one that was sent. */
  errnoOf(row: number): number {
    return this.#rows[row * DATAGRAM + layout.FLAGS]!
  }

  #append(data: unknown): void {
    if (typeof data === 'string') {
      this.#room(data.length * 3)
      this.#end += this.bytes.write(data, this.#end)
      return
    }
    if (Array.isArray(data)) {
      for (const part of data) {
        if (Array.isArray(part)) throw notBytes('data', data)
        this.#append(part)
      }
      return
    }
    if (!ArrayBuffer.isView(data)) throw notBytes('data', data)
    let view: Uint8Array =
      data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    let size = lengthOf.call(view)
    if (size > this.longest) {
      view = new Uint8Array(view.buffer, view.byteOffset, this.longest)
      size = this.longest
    }
    if (this.#end + size > this.bytes.length) this.#room(size)
    // One that was detached has no bytes, and cannot be copied from.
    if (size > 0) this.bytes.set(view, this.#end)
    this.#end += size
  }

  #room(size: number): void {
    const needed = this.#end + size
    if (needed <= this.bytes.length) return
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length))
    bytes.set(this.bytes.subarray(0, this.#end))
    this.bytes = bytes
  }
}

/** Payloads of one call. Beside a call that runs while another reads its arguments a second one is made. */
let spare: Letters | null = new Letters()

/** Lends empty letters to `use`. */
export function withLetters<T>(use: (letters: Letters) => T, unix = false): T {
  const letters = spare ?? new Letters()
  spare = null
  try {
    letters.clear()
    letters.longest = unix ? TOO_LONG_UNIX : TOO_LONG
    return use(letters)
  } finally {
    letters.shrink()
    spare = letters
  }
}

/** A target that was looked up, by what it was made of. Its words are never written to again. */
export interface KnownTarget {
  port: unknown
  address: unknown
  words: Uint32Array | null
}

/** The words of one target. */
export function targetWords(target: unknown, from: From, known: KnownTarget): Uint32Array {
  if (packets.is(target)) {
    const words = new Uint32Array(MESSAGE + NAME)
    packets.message(target, words, 0)
    packets.name(target, words, MESSAGE)
    return words
  }
  if (from.unix) return pathWords((target as UnixTarget).path, known)
  const { port, address, destination, interfaceIndex } = target as Target
  const plain = typeof destination !== 'string'
  if (plain && known.words !== null && known.port === port && known.address === address) return known.words
  const words = new Uint32Array(MESSAGE)
  const number = validatePort(port, 'Port', false)
  words.set(wordsOf(address === undefined ? from.loopback : address))
  words[PORT] = number
  if (!plain) source(words, 0, destination, interfaceIndex)
  // An interface's name may be another one's tomorrow.
  else if (address === undefined || !address.includes('%')) Object.assign(known, { port, address, words })
  return words
}

function pathWords(path: unknown, known: KnownTarget): Uint32Array {
  if (known.words !== null && known.address === path) return known.words
  const words = new Uint32Array(MESSAGE + NAME)
  writeName(nameBytes(path, 'path'), words, 0, words, MESSAGE)
  Object.assign(known, { address: path, words })
  return words
}

/** What goes to the target at `words[at…]` comes from here. */
function source(to: Uint32Array, at: number, destination: string, interfaceIndex: unknown): void {
  const words = wordsOf(destination)
  to.set(words, at + DESTINATION)
  if (Number.isInteger(interfaceIndex)) to[at + INTERFACE] = interfaceIndex as number
  const address = words[layout.ADDRESS]!
  const unicast = words[FAMILY] === 4 && address >>> 28 !== 14 && address !== 0xffffffff
  to[at + LOCAL] = unicast ? address : 0
}

/** The words of an address, without a port. */
function wordsOf(address: unknown): Uint32Array {
  if (typeof address !== 'string') throw invalidArgType('address', 'of type string', address)
  let words = known.get(address)
  if (words !== undefined) return words
  words = new Uint32Array(SOCKADDR)
  if (!addressWords(address, 0, words, 0)) throw invalidIpAddress(address)
  // An interface's name may be another one's tomorrow.
  if (address.includes('%')) return words
  if (known.size === MOST_KNOWN) known.clear()
  known.set(address, words)
  return words
}
