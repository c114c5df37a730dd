import { inspect } from 'node:util'
import type { AnySocket } from './datagram-socket'
import { batchStale, invalidArgType, outOfRange } from './errors'
import * as layout from './layout'
import { Memory } from './memory'
import { dataOf, Packet, type PacketCopy } from './packet'
import type { UdpSocket } from './socket'
import { pathText } from './unix-name'
import { validateInteger, validateOptions } from './validators'

/** As constants of this module: V8 folds these, and not another module's. */
const { DATAGRAM, FLAGS, MESSAGE, MESSAGE_INDEX, OFFSET, PORT_SHIFT, SIZE } = layout

/** Shape of a batch's memory. */
export interface PacketBatchOptions {
  /** Messages that fit: 1 to 16,384. With UDP_GRO each may hold up to 128 datagrams. @defaultValue 64 */
  capacity?: number
  /**
   * Bytes of the slot that each message arrives in: 1 to 65,536. The default truncates nothing and costs memory only
   * where something arrives; a socket that coalesces (UDP_GRO) needs it. @defaultValue 65536
   */
  packetSize?: number
}

/** Largest capacity: 1 GiB of slots of the default size. */
const MAX_CAPACITY = 16_384
const MAX_PACKET_SIZE = 65_536

/** One that any socket has filled. */
export type AnyBatch = PacketBatch<unknown>

/** How the engine reaches a batch's memory. Not exported by the package. */
export interface BatchAccess {
  memory(batch: AnyBatch): Memory
  /** After a fill: shows what `memory` holds, `count` datagrams (or an error), received by `socket`. */
  show(batch: AnyBatch, memory: Memory, count: number, socket: AnySocket): void
  is(value: unknown): value is AnyBatch
  /** Its memory. @throws ERR_BATCH_STALE. */
  live(batch: AnyBatch): Memory
}

/** @internal */
export let access: BatchAccess

/**
 * Memory for many datagrams, filled by one system call. It is filled again and again: **what it shows is valid until
 * its next fill**, and so are its packets and their `data`. Copy what has to live longer.
 *
 * `Socket` is the type of `batch.socket`, for TypeScript: `new PacketBatch<UnixDatagramSocket>()`.
 *
 * `capacity` counts messages, `length` counts datagrams: with UDP_GRO one message holds up to 128 of them.
 *
 * @example
 * const batch = new PacketBatch({ capacity: 128 })
 * while (socket.recv(batch) > 0) {
 *   for (const packet of batch) handle(packet.data, packet.address, packet.port)
 * }
 * @see https://man7.org/linux/man-pages/man2/recvmmsg.2.html
 */
export class PacketBatch<Socket = UdpSocket> implements Iterable<Packet> {
  #memory: Memory
  #packets: Packet[] = []
  #socket: AnySocket | null = null

  static {
    access = {
      memory: (batch) => batch.#memory,
      show(batch, memory, count, socket) {
        if (memory !== batch.#memory) {
          batch.#memory = memory
          batch.#packets = []
        }
        memory.settle(count)
        batch.#socket = socket
      },
      live: (batch) => batch.#live(),
      is: (value): value is AnyBatch => typeof value === 'object' && value !== null && #memory in value,
    }
  }

  /**
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for an option that cannot be.
   */
  constructor(options: PacketBatchOptions = {}) {
    const { capacity, packetSize } = batchShape(validateOptions(options, ['capacity', 'packetSize']))
    this.#memory = new Memory(capacity, packetSize)
  }

  /** Messages that fit. */
  get capacity(): number {
    return this.#memory.capacity
  }

  /** Bytes of one slot. */
  get packetSize(): number {
    return this.#memory.packetSize
  }

  /** Datagrams that the last fill gave. */
  get length(): number {
    return this.#live().length
  }

  /** The socket that filled it last, `null` before the first fill. */
  get socket(): Socket | null {
    return this.#socket as Socket | null
  }

  /**
   * The whole memory, all slots; `offsetAt(i)` and `sizeAt(i)` say where in it datagram `i` is. No copy. In
   * `bytes.buffer` it begins at `bytes.byteOffset`, which is not 0: the slots begin with a cache line.
   */
  get bytes(): Buffer {
    return this.#live().bytes
  }

  /**
   * The packet at `index`, negative counted from the end; `undefined` outside, as `Array.prototype.at`. For one index
   * always the same object, made on first use.
   */
  at(index: number): Packet | undefined {
    const whole = Math.trunc(index) || 0 // first: it may call a valueOf
    const { length } = this.#live()
    const position = whole < 0 ? length + whole : whole
    return position >= 0 && position < length ? this.#packet(position) : undefined
  }

  /** Payload length of datagram `index`, in bytes. @throws ERR_OUT_OF_RANGE outside the batch. */
  sizeAt(index: number): number {
    return this.#memory.datagrams[this.#row(index) + SIZE]!
  }

  /** Where datagram `index` begins in `bytes`. @throws ERR_OUT_OF_RANGE outside the batch. */
  offsetAt(index: number): number {
    return this.#memory.datagrams[this.#row(index) + OFFSET]!
  }

  /** Port of the sender of datagram `index`. @throws ERR_OUT_OF_RANGE outside the batch. */
  portAt(index: number): number {
    return this.#memory.datagrams[this.#row(index) + FLAGS]! >>> PORT_SHIFT
  }

  /** IP address of the sender of datagram `index`. @throws ERR_OUT_OF_RANGE outside the batch. */
  addressAt(index: number): string {
    return this.#memory.addressText(this.#message(index))
  }

  /** Path of the sender of datagram `index` of a Unix socket, as `packet.path`. @throws ERR_OUT_OF_RANGE outside the batch. */
  pathAt(index: number): string | null {
    const message = this.#message(index)
    return pathText(this.#memory.messages, message, this.#memory.names)
  }

  /** Payload of datagram `index`: a view, not a copy. @throws ERR_OUT_OF_RANGE outside the batch. */
  dataAt(index: number): Buffer {
    return dataOf(this.#memory, this.#row(index))
  }

  /** Forgets what it holds. The memory stays. */
  clear(): this {
    this.#live().length = 0
    return this
  }

  /** Plain objects of all its datagrams, for keeping; their payloads share one allocation of what arrived. */
  copy(): PacketCopy[] {
    const { length } = this.#live()
    let total = 0
    for (let index = 0; index < length; index++) total += this.sizeAt(index)
    const all = Buffer.allocUnsafeSlow(total)
    const copies: PacketCopy[] = new Array(length)
    let end = 0
    for (let index = 0; index < length; index++) {
      const packet = this.#packet(index)
      const start = end
      end += packet.size
      const data = all.subarray(start, end)
      packet.data.copy(data)
      copies[index] = packet.fields(data)
    }
    return copies
  }

  /** Its packets, in order of arrival. */
  [Symbol.iterator](): IterableIterator<Packet> {
    return new Packets(this.#live(), this.#packets)
  }

  toJSON(): object[] {
    return Array.from(this, (packet) => packet.toJSON())
  }

  [inspect.custom](depth: number, options: object): string {
    const { stale, detached, length, capacity } = this.#memory
    if (stale || detached) return `PacketBatch(<${stale ? 'stale' : 'detached'}>)`
    return `PacketBatch(${length}) capacity ${capacity} ${inspect([...this], { ...options, depth })}`
  }

  #live(): Memory {
    if (this.#memory.stale) throw batchStale()
    return this.#memory
  }

  #packet(index: number): Packet {
    this.#packets[index] ??= new Packet(this.#memory, index)
    return this.#packets[index]
  }

  /** Where the row of datagram `index` begins. */
  #row(index: number): number {
    const { length, stale } = this.#memory
    // The type first: `>>>` would call a valueOf, and throws on a bigint.
    if (typeof index === 'number' && index >>> 0 === index && index < length) return index * DATAGRAM
    if (stale) throw batchStale()
    if (typeof index !== 'number') throw invalidArgType('index', 'of type number', index)
    throw outOfRange('index', `an integer >= 0 && < ${length}`, index)
  }

  /** Where the row of its message begins. */
  #message(index: number): number {
    return this.#memory.datagrams[this.#row(index) + MESSAGE_INDEX]! * MESSAGE
  }
}

/** The packets of a batch, by hand: a generator costs twice as much per packet. */
class Packets implements IterableIterator<Packet> {
  readonly #memory: Memory
  readonly #packets: Packet[]
  #index = 0

  constructor(memory: Memory, packets: Packet[]) {
    this.#memory = memory
    this.#packets = packets
  }

  next(): IteratorResult<Packet, undefined> {
    const memory = this.#memory
    if (memory.stale) throw batchStale()
    const index = this.#index
    const done = index >= memory.length
    let value: Packet | undefined
    if (!done) {
      this.#index = index + 1
      value = this.#packets[index] ??= new Packet(memory, index)
    }
    // One literal, and not one for each case: only so does V8 see that a loop keeps none of them.
    return { value, done } as IteratorResult<Packet, undefined>
  }

  [Symbol.iterator](): this {
    return this
  }
}

/** Capacity and slot size of an options bag, checked, with their defaults. */
export function batchShape(options: Record<string, unknown>): { capacity: number; packetSize: number } {
  const { capacity = 64, packetSize = MAX_PACKET_SIZE } = options
  validateInteger(capacity, 'options.capacity', 1, MAX_CAPACITY)
  validateInteger(packetSize, 'options.packetSize', 1, MAX_PACKET_SIZE)
  return { capacity, packetSize }
}
