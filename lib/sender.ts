/**
 * Sending many datagrams. Native code sends all that fit, in order, and tells the first that was not touched; nothing is
 * kept here: what did not fit is the caller's.
 */

import { setImmediate } from 'node:timers'
import { socketSendMany } from '../binding'
import { addressText } from './address'
import { type AnyBatch, access as batches } from './batch'
import type { Diagnostics } from './diagnostics'
import * as errors from './errors'
import { DATAGRAM, DETACHED, HEADER, MESSAGE, MESSAGE_INDEX, NAME, PORT } from './layout'
import { type From, type KnownTarget, type Letters, targetWords, withLetters } from './letters'
import { Outcome } from './outcome'
import { access as packets } from './packet'
import { Room, type RoomHost } from './room'
import type { Payload, Sendable, SendError, SendResult, Target, UnixSendable, UnixTarget } from './send'
import { pathText } from './unix-name'
import { validateAbortSignal, validateInteger, validateOptions } from './validators'

/** The socket, as its sender needs it. */
export interface SendHost extends From, RoomHost {
  readonly gso: boolean
  readonly closed: boolean
  readonly diagnostics: Diagnostics
  assertOpen(): void
  /** Counts failures that have no error of their own. */
  count(errno: number, times: number): void
  /** A failure that ends nothing: counted, and told to who listens. */
  passing(syscall: string, errno: number): void
}

/** What `sendBatch` takes. */
export interface SendBatchOptions<To = Target> {
  /** All go here, and items need no address. */
  to?: To
  /** Bytes that each item's data is cut into: one large buffer is many datagrams, and indices count these. */
  segmentSize?: number
  /** Index to begin with: the `next` of a result that was short. @defaultValue 0 */
  start?: number
}

/** What `sendAll` takes. */
export interface SendAllOptions<To = Target> extends Omit<SendBatchOptions<To>, 'start'> {
  /** Rejects with an AbortError when aborted; what was sent is sent. */
  signal?: AbortSignal
}

/** Datagrams as they lie: in a batch's memory, in a chunk, or in one large buffer. */
interface Laid {
  bytes: Uint8Array
  table: Uint32Array
  capacity: number
}

/** What the sender of a socket of any family takes. */
type AnyTarget = Target | UnixTarget
type AnySendable = Sendable | UnixSendable

/** Items that `sendAll` takes from an iterable at a time. */
const ITEMS = 1024

export class Sender {
  readonly #host: SendHost
  readonly #outcome = new Outcome()
  /** The last `to`, which is mostly the next one's as well. */
  readonly #known: KnownTarget = { port: undefined, address: undefined, words: null }
  /** The last call dealt with everything. */
  #complete = true
  /** Waits for room where there was none. */
  readonly room: Room

  constructor(host: SendHost) {
    this.#host = host
    this.room = new Room(host)
  }

  /** Sends what is in a batch: back to the senders, or `to` one place. */
  batch(batch: AnyBatch, { to, start = 0 }: SendBatchOptions<AnyTarget>): SendResult {
    const target = this.#target(to)
    const memory = batches.live(batch)
    if (memory.detached) throw errors.batchDetached()
    const { length } = memory
    const result = newResult(Math.min(start, length))
    try {
      this.#call(memory, result.next, length, target, result, 0)
      return this.#done(result, length)
    } finally {
      this.#host.diagnostics.publish()
    }
  }

  /** Sends items, a chunk at a time, until all are dealt with or there is no room. */
  items(items: Iterable<AnySendable>, options: SendBatchOptions<AnyTarget>): SendResult {
    const { segmentSize, start = 0 } = options
    const target = this.#target(options.to)
    const result = newResult(start)
    return withLetters((letters) => {
      if (segmentSize !== undefined) return this.#segments(letters, items, segmentSize, target, result)
      return this.#chunks(letters, items, target, result, (item) =>
        letters.add(this.#aim(letters, item, target)),
      )
    }, this.#host.unix)
  }

  /** Sends one payload to many places. */
  toMany(data: Payload, targets: Iterable<AnyTarget>, start: number): SendResult {
    this.#target(undefined)
    if (this.#host.connected) throw errors.alreadyConnected()
    return withLetters((letters) => {
      let size = 0
      return this.#chunks(letters, targets, null, newResult(start), (target) => {
        if (letters.length === 0) size = letters.payload(data)
        letters.aim(object(target, 'target'), this.#host)
        letters.row(0, size)
      })
    }, this.#host.unix)
  }

  /** One datagram from a given address: `false` where there is no room. */
  one(data: unknown, target: AnyTarget): boolean {
    const result = newResult(0)
    withLetters((letters) => {
      letters.aim(target, this.#host)
      letters.add(data)
      this.#flush(letters, 0, null, result, 'send')
    }, this.#host.unix)
    if (result.error !== null) {
      Reflect.deleteProperty(result.error, 'index')
      throw result.error
    }
    if (result.sent === 0) this.room.full()
    return result.sent === 1
  }

  /** Sends all of it, waiting for room; the result of the whole. */
  async all(
    packets: AnyBatch | Iterable<AnySendable>,
    options: SendAllOptions<AnyTarget>,
  ): Promise<SendResult> {
    const { signal, ...how } = options
    if (signal?.aborted) throw errors.abortError(signal)
    const whole = newResult(0)
    if (batches.is(packets)) {
      await this.#until(whole, signal, (start) => this.batch(packets, { ...how, start }))
      return whole
    }
    let chunk: AnySendable[] = []
    const send = () => this.#until(whole, signal, (start) => this.items(chunk, { ...how, start }))
    for (const item of packets) {
      chunk.push(item)
      if (chunk.length < ITEMS) continue
      await send()
      chunk = []
      // The event loop has its turn: an iterable may be endless, and the send buffer never full.
      await new Promise((resolve) => void setImmediate(resolve))
      if (signal?.aborted) throw errors.abortError(signal)
    }
    await send()
    return whole
  }

  /** Repeats `send` from where it stopped, until it does not stop short. */
  async #until(
    whole: SendResult,
    signal: AbortSignal | undefined,
    send: (start: number) => SendResult,
  ): Promise<void> {
    const base = whole.next
    for (let start = 0; ; ) {
      const { sent, failed, error, next } = send(start)
      whole.sent += sent
      whole.failed += failed
      whole.next = base + next
      if (error !== null && whole.error === null) {
        error.index += base
        whole.error = error
      }
      if (this.#complete) return
      start = next
      if (!(await this.room.writable(signal))) throw errors.notRunning()
    }
  }

  /** `to` as words; checks that a peer and a target do not contradict each other. */
  #target(to: AnyTarget | undefined): Uint32Array | null {
    this.#host.assertOpen()
    if (to === undefined) return null
    if (this.#host.connected) throw errors.alreadyConnected()
    return targetWords(object(to, 'options.to'), this.#host, this.#known)
  }

  /** Writes each of `things` as a datagram, and sends them a chunk at a time. */
  #chunks<T>(
    letters: Letters,
    things: Iterable<T>,
    target: Uint32Array | null,
    result: SendResult,
    write: (thing: T) => void,
  ): SendResult {
    const start = result.next
    let base = 0
    for (const thing of things) {
      if (base < start && letters.length === 0) {
        base++
        continue
      }
      write(thing)
      if (letters.full) {
        if (!this.#flush(letters, base, target, result)) return this.#done(result, Number.POSITIVE_INFINITY)
        base += letters.length
        letters.clear()
      }
    }
    const total = base + letters.length
    if (letters.length > 0) this.#flush(letters, base, target, result)
    return this.#done(result, total)
  }

  /** Reads an item: the datagrams that follow go where it says, or all to `target`. Its data. */
  #aim(letters: Letters, item: AnySendable, target: Uint32Array | null): Payload {
    if (this.#host.unix) return this.#aimPath(letters, item as UnixSendable, target)
    const { data, to, port, address, destination } = object(item, 'packet') as Sendable & Target
    if (target !== null) return data
    if (this.#host.connected) {
      // A packet, or its copy, has an address, too: whoever is connected says nothing of one.
      if (to !== undefined || port !== undefined || address !== undefined) throw errors.alreadyConnected()
    } else if (to !== undefined) letters.aim(object(to, 'packet.to'), this.#host)
    // A packet, or its copy, goes back to where it came from, from where it was sent to.
    else if (packets.is(item) || typeof destination === 'string') letters.aim(item, this.#host)
    else letters.to(port, address, this.#host)
    return data
  }

  /** The same of a Unix socket. */
  #aimPath(letters: Letters, item: UnixSendable, target: Uint32Array | null): Payload {
    const { data, to, path } = object(item, 'packet')
    if (target !== null) return data
    if (this.#host.connected) {
      if (to !== undefined || path !== undefined) throw errors.alreadyConnected()
    } else if (to !== undefined) letters.aim(object(to, 'packet.to'), this.#host)
    else if (packets.is(item)) letters.aim(item, this.#host)
    else letters.path(path)
    return data
  }

  /** Each item's data is many datagrams, sent from where they lie. */
  #segments(
    letters: Letters,
    items: Iterable<AnySendable>,
    segmentSize: number,
    target: Uint32Array | null,
    result: SendResult,
  ): SendResult {
    const start = result.next
    let total = 0
    for (const item of items) {
      letters.clear()
      const data = this.#aim(letters, item, target)
      if (!ArrayBuffer.isView(data))
        throw errors.invalidArgType('data', 'an instance of Buffer, TypedArray, or DataView', data)
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      const base = total
      total += Math.max(1, Math.ceil(bytes.length / segmentSize))
      if (total <= start) continue
      letters.length = total - base
      if (!this.#flush(letters, base, target, result, 'sendmmsg', bytes, segmentSize))
        return this.#done(result, Number.POSITIVE_INFINITY)
    }
    return this.#done(result, total)
  }

  /** Sends a chunk that begins with datagram `base`; whether it was dealt with whole. */
  #flush(
    letters: Letters,
    base: number,
    target: Uint32Array | null,
    result: SendResult,
    syscall = 'sendmmsg',
    bytes: Uint8Array = letters.bytes,
    segment = 0,
  ): boolean {
    // A getter or a listener may have closed or connected it.
    if (this.#host.closed && result.sent + result.failed > 0) return false // the next call says so
    this.#host.assertOpen()
    if (this.#host.connected && target === null && letters.aimed) throw errors.alreadyConnected()
    const first = Math.max(0, result.next - base)
    const { table, capacity, length } = letters
    try {
      this.#call({ bytes, table, capacity }, first, length, target, result, base, syscall, segment)
    } finally {
      this.#host.diagnostics.publish()
    }
    return result.next === base + letters.length
  }

  /** One native call, and its part of the result. */
  #call(
    { bytes, table, capacity }: Laid,
    first: number,
    end: number,
    target: Uint32Array | null,
    result: SendResult,
    base: number,
    syscall = 'sendmmsg',
    segment = 0,
  ): void {
    const { handle, gso, connected, diagnostics } = this.#host
    const outcome = this.#outcome
    const { words } = outcome
    const traced = diagnostics.begin(true)
    const errno = socketSendMany(
      handle,
      bytes,
      table,
      capacity,
      first,
      end,
      segment,
      target,
      connected,
      gso,
      false,
      words,
    )
    if (traced) diagnostics.end(true)
    if (errno === DETACHED) throw errors.batchDetached()
    if (errno < 0) {
      if (result.sent + result.failed > 0) return // the next call says so
      throw this.#host.failed(syscall, errno)
    }
    result.sent += outcome.sent
    result.failed += outcome.failed
    result.next = base + outcome.next
    if (outcome.failed > 0) this.#failures(table, capacity, target, result, base, syscall, segment > 0)
    if (outcome.pending > 0) {
      for (const passing of outcome.passing()) this.#host.passing(syscall, passing)
    }
  }

  #failures(
    table: Uint32Array,
    capacity: number,
    target: Uint32Array | null,
    result: SendResult,
    base: number,
    syscall: string,
    cut: boolean,
  ): void {
    const { errno, row } = this.#outcome
    const first = result.error === null
    if (first) {
      const message = cut ? 0 : table[HEADER + capacity * MESSAGE + row * DATAGRAM + MESSAGE_INDEX]!
      const [address, port] = this.#host.connected ? [] : this.#whereTo(table, capacity, target, message)
      const error = this.#host.failed(syscall, errno, address, port)
      result.error = Object.assign(error, { index: base + row }) as SendError
    }
    for (const [each, count] of this.#outcome.errors()) {
      this.#host.count(each, first && each === errno ? count - 1 : count)
    }
  }

  /** Where a message goes, as an error tells it. */
  #whereTo(
    table: Uint32Array,
    capacity: number,
    target: Uint32Array | null,
    message: number,
  ): [address: string, port: number] {
    const messages = target ?? table.subarray(HEADER)
    const row = target === null ? message * MESSAGE : 0
    if (!this.#host.unix) return [addressText(messages, row), messages[row + PORT]!]
    const names = target === null ? table.subarray(table.length - capacity * NAME) : target.subarray(MESSAGE)
    return [pathText(messages, row, names) ?? '', 0]
  }

  #done(result: SendResult, total: number): SendResult {
    if (result.next > total) result.next = total // `start` was beyond the end
    const complete = result.next === total
    if (!complete) this.room.full()
    this.#complete = complete // last: an 'error' listener may have sent, too
    return result
  }
}

function newResult(start: number): SendResult {
  return { sent: 0, failed: 0, error: null, next: start }
}

function object<T>(value: T, name: string): T {
  if (typeof value !== 'object' || value === null) throw errors.invalidArgType(name, 'of type object', value)
  return value
}

/** What `sendBatch` takes beside a batch. */
export function iterableItems<T>(value: unknown, name = 'packets'): Iterable<T> {
  const iterable =
    typeof value === 'object' &&
    value !== null &&
    !ArrayBuffer.isView(value) &&
    typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function'
  if (iterable) return value as Iterable<T>
  const must =
    name === 'packets' ? 'an instance of PacketBatch or an iterable of objects' : 'an iterable of objects'
  throw errors.invalidArgType(name, must, value)
}

/** The options of sending, checked; each is read once. */
export function sendSettings(value: unknown, known: string[]): SendBatchOptions & SendAllOptions {
  const { to, segmentSize, start, signal } = validateOptions(value, known)
  if (segmentSize !== undefined) validateInteger(segmentSize, 'options.segmentSize', 1, 65_527)
  if (start !== undefined) validateInteger(start, 'options.start', 0, Number.MAX_SAFE_INTEGER)
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal')
  return { to, segmentSize, start, signal } as SendBatchOptions & SendAllOptions
}

export function segmentedBatch(segmentSize: number): Error {
  const reason = 'is for buffers: the datagrams of a PacketBatch have their sizes'
  return errors.invalidArgValue('options.segmentSize', segmentSize, reason)
}
