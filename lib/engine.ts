/** What is behind a socket: its native half, receiving into a batch's memory, counting what fails, the end. */

import * as native from '../binding'
import { type AnyBatch, access, PacketBatch } from './batch'
import { constants } from './constants'
import type { AnySocket } from './datagram-socket'
import { Diagnostics } from './diagnostics'
import { Drops } from './drops'
import * as errors from './errors'
import { takeIcmpError } from './icmp'
import { COALESCED_SLOT, DETACHED } from './layout'
import { Memory } from './memory'
import type { Backend, ReceiveSettings } from './options'
import { type Host, Reader } from './reader'
import { Sender, type SendHost } from './sender'
import { Counts, type SocketStats } from './stats'

/** So often a call may fail with errors that were told before it. */
const MOST_TOLD = 16

export class Engine implements Host, SendHost {
  /** The native socket, for `binding`. */
  readonly handle = native.socketCreate()
  readonly reader: Reader
  readonly sender: Sender
  /** Its system calls, for who subscribes to them. */
  readonly diagnostics: Diagnostics
  /** The socket's family is IPv6. */
  v6 = false
  /** It is Unix. */
  unix = false
  /** The kernel hands over coalesced messages. */
  coalesces = false
  /** Whom it is connected to; of a Unix socket its path, and 0. */
  peer: { address: string; port: number } | null = null
  readonly #socket: AnySocket
  readonly #settings: ReceiveSettings
  readonly #counts = new Counts(this.handle)
  readonly #drops = new Drops((drop) => this.#socket.emit('drop', drop))
  /** Errors that the error queue has told. */
  readonly #told = new Set<number>()
  readonly #abort = () => void this.#socket.close()
  /** How it received when it was closed. */
  #last: Backend | null = null
  /** An error that ended the socket has been told. */
  #failed = false
  /** `'close'` has been emitted. */
  ended = false
  /** The last fill was preceded by an ICMP error: what woke the reader. */
  #toldBefore = false
  /** Strict mode: memory for the next fill of a batch that the user made. */
  #spare: Memory | null = null

  constructor(socket: AnySocket, settings: ReceiveSettings) {
    this.#socket = socket
    this.#settings = settings
    this.diagnostics = new Diagnostics(socket, this.handle)
    this.reader = new Reader(this)
    this.sender = new Sender(this)
  }

  /** The native socket is bound, or taken over. */
  opened(): void {
    this.coalesces = native.socketHasGro(this.handle)
    if (this.#settings.timing) native.socketTime(this.handle)
    this.#settings.signal?.addEventListener('abort', this.#abort, { once: true })
  }

  get closed(): boolean {
    return this.#last !== null
  }

  get strict(): boolean {
    return this.#settings.strict
  }

  get gso(): boolean {
    return this.#settings.gso
  }

  /** Something has been received, or somebody reads. */
  get hasRead(): boolean {
    return this.reader.engaged || this.#counts.received
  }

  get connected(): boolean {
    return this.peer !== null
  }

  get loopback(): string {
    return this.v6 ? '::1' : '127.0.0.1'
  }

  get coalesce(): number {
    return this.#settings.coalesce
  }

  get backend(): Backend {
    return this.#last ?? (native.socketIsPortable(this.handle) ? 'portable' : 'mmsg')
  }

  /** The counts, in objects of the caller's own; with `reset` they begin anew. */
  stats(reset: boolean): SocketStats {
    if (reset) this.#drops.reset()
    return this.#counts.read(reset)
  }

  assertOpen(): void {
    if (this.closed) throw errors.notRunning()
  }

  newBatch(): AnyBatch {
    const { capacity, packetSize } = this.#settings
    return new PacketBatch({ capacity, packetSize })
  }

  /**
   * Whether a call failed with what the error queue tells, now or before. The kernel puts an error into the queue, and a
   * moment later it is pending at the socket as well: two calls may meet the one.
   */
  metIcmpError(errno: number): boolean {
    return this.tellIcmpErrors() || this.#told.has(errno)
  }

  /** Takes all ICMP errors that wait, and tells them; whether there was one. */
  tellIcmpErrors(): boolean {
    if (!this.#settings.errorQueue) return false
    let told = false
    while (!this.closed) {
      const error = takeIcmpError(this.handle)
      if (error === null) break
      told = true
      this.#told.add(error.errno)
      this.count(error.errno, 1)
      this.#socket.emit('icmp', error)
    }
    return told
  }

  /** One receive into a batch of the engine's own. Where its memory was transferred away it gets new. */
  fill(batch: AnyBatch): number {
    // Before receiving: an error that is taken here is not the receive's as well.
    this.#toldBefore = this.tellIcmpErrors()
    let memory = access.memory(batch)
    let count = this.#call(memory, memory.capacity, 0, 0)
    if (count === DETACHED) {
      memory = new Memory(memory.capacity, memory.packetSize)
      count = this.#call(memory, memory.capacity, 0, 0)
    }
    access.show(batch, memory, count, this.#socket)
    this.#drops.before(memory)
    return count
  }

  /** Refuses a batch of the user's that it cannot receive into. */
  assertFits(batch: AnyBatch): void {
    const { detached, packetSize } = access.memory(batch)
    if (detached) throw errors.batchDetached()
    if (this.coalesces && packetSize < COALESCED_SLOT) throw errors.batchSlotTooSmall(packetSize)
  }

  /** One receive into a batch of the user's: datagrams; failures are thrown. */
  receive(batch: AnyBatch, vlen: number, flags: number, timeout: number): number {
    try {
      return this.#receive(batch, vlen, flags, timeout)
    } finally {
      this.diagnostics.publish()
    }
  }

  #receive(batch: AnyBatch, vlen: number, flags: number, timeout: number): number {
    this.assertOpen()
    this.assertFits(batch)
    const shown = access.memory(batch)
    const memory = this.strict ? this.#otherMemory(shown) : shown
    this.tellIcmpErrors()
    this.assertOpen() // a listener may have closed it
    const received = this.#callBehindErrors(memory, vlen, flags, timeout)
    const count = received === 0 ? this.reader.broken() : received
    if (memory === shown || (count <= 0 && shown.length === 0)) {
      access.show(batch, shown, count, this.#socket)
    } else {
      this.#spare = null
      shown.retire()
      access.show(batch, memory, count, this.#socket)
    }
    if (count < 0) throw this.failed('recvmmsg', count)
    if ((flags & constants.MSG_PEEK) === 0) this.#drops.before(memory)
    return count
  }

  /** `#call`, and again behind each ICMP error: all of it within one timeout. */
  #callBehindErrors(memory: Memory, vlen: number, flags: number, timeout: number): number {
    const deadline = timeout > 0 ? performance.now() + timeout : 0
    let received = this.#call(memory, vlen, flags, timeout)
    // What was told before may be pending as well, once: what comes for ever is the call's own.
    for (let again = 0; received < 0; ) {
      if (!this.tellIcmpErrors() && !(this.#told.has(received) && again++ < MOST_TOLD)) break
      this.assertOpen() // a listener may have closed it
      const left = timeout > 0 ? Math.max(deadline - performance.now(), 0) : 0
      received = this.#call(memory, vlen, flags, left)
    }
    return received
  }

  #call({ bytes, table, packetSize }: Memory, vlen: number, flags: number, timeout: number): number {
    const traced = this.diagnostics.begin(false)
    const count = native.socketReceive(this.handle, bytes, table, packetSize, vlen, flags, timeout)
    if (traced) this.diagnostics.end(false)
    return count
  }

  /** One datagram; an empty address is the connected peer's. 1 sent, 0 no room, or a negative errno. */
  send(bytes: Uint8Array, address: string, port: number): number {
    const traced = this.diagnostics.begin(true)
    const result = native.socketSend(this.handle, bytes, address, port)
    if (traced) this.diagnostics.end(true)
    return result
  }

  /** The same of a Unix socket; `null` is the connected peer. */
  sendUnix(bytes: Uint8Array, name: Uint8Array | null): number {
    const traced = this.diagnostics.begin(true)
    const result = native.socketSendUnix(this.handle, bytes, name)
    if (traced) this.diagnostics.end(true)
    return result
  }

  /** Memory shaped as `shown` for a strict fill; the same again where the last one showed nothing new. */
  #otherMemory({ capacity, packetSize }: Memory): Memory {
    if (this.#spare?.capacity !== capacity || this.#spare.packetSize !== packetSize) {
      this.#spare = new Memory(capacity, packetSize)
    }
    return this.#spare
  }

  emptyWake(): void {
    if (!this.#toldBefore) this.#counts.emptyWake()
  }

  emitBatch(batch: AnyBatch): void {
    this.#socket.emit('batch', batch)
  }

  /** Counts a failed call and makes its error; `errno` is negative. */
  failed(syscall: string, errno: number, address?: string, port?: number): errors.SystemCallError {
    this.count(errno, 1)
    return errors.systemError(syscall, errno, address, port)
  }

  /** Counts failures; `errno` is negative. */
  count(errno: number, times: number): void {
    if (times > 0) this.#counts.fail(errors.errnoName(errno), times)
  }

  report(error: Error): void {
    if (this.#socket.listenerCount('error') > 0) this.#socket.emit('error', error)
  }

  drained(): void {
    this.#socket.emit('drain')
  }

  /** A failure that ends nothing: counted, and told to who listens. */
  passing(syscall: string, errno: number, address?: string, port?: number): void {
    // With the error queue it is there as well, and told from there.
    if (this.metIcmpError(errno)) return
    this.report(this.failed(syscall, errno, address, port))
  }

  /** A failure after which nothing can be received any more. */
  final(errno: number): void {
    const error = this.failed('recvmmsg', errno)
    this.#failed = true
    const told = this.reader.failIterator(error)
    this.#socket.close()
    if (!told || this.#socket.listenerCount('error') > 0) this.#socket.emit('error', error)
  }

  close(): void {
    if (this.closed) return
    this.#last = this.backend
    this.#counts.close()
    this.#settings.signal?.removeEventListener('abort', this.#abort)
    this.reader.close()
    this.sender.room.close()
    const errno = native.socketClose(this.handle)
    process.nextTick(() => {
      // Somebody else had closed the descriptor: a mistake in the program, which should hear of it.
      try {
        if (errno < 0 && !this.#failed) this.passing('close', errno)
      } finally {
        this.ended = true
        this.#socket.emit('close')
      }
    })
  }
}
