import * as native from '../binding'
import { type AnyBatch, access, type PacketBatch } from './batch'
import type { Drop } from './drops'
import { WatchedEmitter } from './emitter'
import { Engine } from './engine'
import * as errors from './errors'
import type { IcmpError } from './icmp'
import { BatchIterator } from './iterator'
import type { Backend, ReceiveSettings } from './options'
import { type RecvOptions, recvSettings } from './recv-options'
import type { Payload, Sendable, SendResult, Target } from './send'
import {
  iterableItems,
  type SendAllOptions,
  type SendBatchOptions,
  segmentedBatch,
  sendSettings,
} from './sender'
import type { SocketStats } from './stats'
import { validateAbortSignal, validateBoolean, validateOptions } from './validators'

/** Events of a socket, with what their listeners are given. */
export interface DatagramSocketEvents<Self> {
  /** Datagrams have arrived. The batch is filled again for the next event: valid until then. */
  batch: [batch: PacketBatch<Self>]
  /** There is room in the send buffer again, after a send that found none. */
  drain: []
  /** The kernel dropped messages before one of the batch that follows. Needs the option `drops`. */
  drop: [drop: Drop]
  /** Somebody answered a datagram with an ICMP error. Needs the option `errorQueue`. */
  icmp: [error: IcmpError]
  /** A call failed. Without a listener, errors that do not end the socket are only counted in `stats()`. */
  error: [error: Error]
  /** The socket is closed; the last event. */
  close: []
}

/** @internal Who has it may make sockets. */
export const KEY = Symbol('socket')

/** One of any family. */
export type AnySocket = DatagramSocket<unknown, unknown, unknown>

/** @internal What is behind a socket. */
export let engineOf: (socket: AnySocket) => Engine

/**
 * What sockets of every family have: receiving and sending in batches, and a life. `UdpSocket` is one, `UnixDatagramSocket`
 * another; each (`Self`) has items to send (`Item`) and targets (`To`) of its own.
 */
export abstract class DatagramSocket<Self, Item, To> extends WatchedEmitter<DatagramSocketEvents<Self>> {
  readonly #engine: Engine
  #disposed: Promise<void> | null = null

  static {
    engineOf = (socket) => socket.#engine
  }

  /** @internal */
  protected constructor(key: symbol, settings: ReceiveSettings) {
    super({
      adding: (event) => event === 'batch' && this.#engine.reader.checkListen(),
      changed: () => this.#engine.reader.listen(this.listenerCount('batch') > 0),
    })
    if (key !== KEY) throw errors.illegalConstructor()
    this.#engine = new Engine(this, settings)
  }

  /**
   * Receives what is there into `batch`, at most its capacity in messages, and returns the number of datagrams. Always
   * legal, also beside a reader: it takes what is next.
   *
   * **Blocks this thread** for up to `timeout` when one is given. JavaScript signal listeners wait meanwhile; the end of
   * a worker does not.
   *
   * @param batch Filled again: what it showed is gone, also where 0 is returned.
   * @param options.flags `constants.MSG_PEEK` and its kin. @defaultValue 0
   * @param options.timeout Milliseconds to wait for the first datagram, 0 to Infinity. @defaultValue 0
   * @returns Datagrams, 0 where nothing was there. With UDP_GRO up to 128 per message.
   * @throws ECONNREFUSED and other errors of recvmmsg(2), each once; the next call gives the data behind it.
   * @throws ERR_BATCH_DETACHED when the batch's memory was transferred away.
   * @throws ERR_BATCH_SLOT_TOO_SMALL when the socket coalesces and the batch's slots are below 65,536 bytes.
   * @throws ERR_SOCKET_DGRAM_NOT_RUNNING when the socket is closed.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE.
   * @see https://man7.org/linux/man-pages/man2/recvmmsg.2.html
   */
  recv(batch: AnyBatch, options: RecvOptions = {}): number {
    if (!access.is(batch)) throw errors.invalidArgType('batch', 'an instance of PacketBatch', batch)
    const { flags, timeout } = recvSettings(options)
    return this.#engine.receive(batch, batch.capacity, flags, timeout)
  }

  /**
   * Waits until a `recv` would find something.
   *
   * @param options.signal Rejects with an AbortError when aborted.
   * @returns Resolves `true`, or `false` when the socket is closed.
   * @example
   * if (await socket.readable({ signal: AbortSignal.timeout(1000) })) socket.recv(batch)
   */
  readable(options: { signal?: AbortSignal } = {}): Promise<boolean> {
    return this.#engine.reader.readable(signalOf(options))
  }

  /** Stops reading, between two batches. Datagrams wait in the kernel, as many as its buffer holds. */
  pause(): this {
    this.#engine.reader.pause()
    return this
  }

  /** Reads again after `pause()`. */
  resume(): this {
    this.#engine.reader.resume()
    return this
  }

  /**
   * Sends many datagrams, in order, until all are dealt with or the send buffer is full; one system call for up to 1,024
   * of them on Linux, and fewer messages than datagrams where they go to one place and have one size (UDP_SEGMENT).
   *
   * One that cannot be sent is counted and does not stop the others. Nothing is queued: what is left, from `next` on, is
   * the caller's, and `'drain'` follows when there is room. Arguments are checked a chunk at a time (1,024 items, 256 KiB),
   * before any of it is sent.
   *
   * @param packets A batch, which goes back to its senders (or `to` one place) without a copy; or items with `data` and
   * `to`, or `port` and `address`. To be resumed, they have to be an array.
   * @param options.to All go here.
   * @param options.segmentSize Bytes that each item's data is cut into, 1 to 65,527; indices count these datagrams.
   * @param options.start Index to begin with: `next` of a result that was short. @defaultValue 0
   * @throws EBADF, ENOTSOCK where the descriptor is gone, and nothing was sent.
   * @throws ERR_INVALID_ARG_TYPE, ERR_SOCKET_BAD_PORT, ERR_INVALID_IP_ADDRESS, ERR_OUT_OF_RANGE for an item.
   * @throws ERR_SOCKET_DGRAM_IS_CONNECTED for a target on a connected socket; ERR_SOCKET_DGRAM_NOT_RUNNING when closed.
   * @example
   * const { next } = socket.sendBatch(packets)
   * if (next < packets.length) socket.once('drain', () => socket.sendBatch(packets, { start: next }))
   * @see https://man7.org/linux/man-pages/man2/sendmmsg.2.html
   */
  sendBatch(packets: AnyBatch | Iterable<Item>, options: SendBatchOptions<To> = {}): SendResult {
    const how = sendSettings(options, ['to', 'segmentSize', 'start'])
    if (!access.is(packets)) return this.#engine.sender.items(iterableItems<Sendable>(packets), how)
    if (how.segmentSize !== undefined) throw segmentedBatch(how.segmentSize)
    return this.#engine.sender.batch(packets, how)
  }

  /**
   * Sends one payload to many targets; otherwise as `sendBatch`, whose result it has.
   *
   * @param options.start Index of the target to begin with. @defaultValue 0
   */
  sendToMany(data: Payload, targets: Iterable<To>, options: { start?: number } = {}): SendResult {
    const { start } = sendSettings(options, ['start'])
    return this.#engine.sender.toMany(data, iterableItems<Target>(targets, 'targets'), start ?? 0)
  }

  /**
   * Sends all of it, waiting for room as often as it takes. A batch must not be filled again before it is done, nor an
   * item's data be changed.
   *
   * @param options.signal Rejects with an AbortError when aborted; what was sent is sent.
   * @returns Resolves with the result of the whole.
   * @throws As `sendBatch`, by rejecting; ERR_SOCKET_DGRAM_NOT_RUNNING when the socket closes meanwhile.
   */
  async sendAll(packets: AnyBatch | Iterable<Item>, options: SendAllOptions<To> = {}): Promise<SendResult> {
    const how = sendSettings(options, ['to', 'segmentSize', 'signal'])
    if (access.is(packets) && how.segmentSize !== undefined) throw segmentedBatch(how.segmentSize)
    return this.#engine.sender.all(access.is(packets) ? packets : iterableItems<Sendable>(packets), how)
  }

  /**
   * Waits until the send buffer has room.
   *
   * @param options.signal Rejects with an AbortError when aborted.
   * @returns Resolves `true`, or `false` when the socket is closed.
   */
  writable(options: { signal?: AbortSignal } = {}): Promise<boolean> {
    return this.#engine.sender.room.writable(signalOf(options))
  }

  /**
   * Ends `connect`. A UDP socket that was bound to port 0 loses its port with it: the kernel had chosen that one.
   *
   * @throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING.
   */
  disconnect(): this {
    this.#engine.assertOpen()
    if (this.#engine.peer === null) throw errors.notConnected()
    const errno = native.socketDisconnect(this.#engine.handle)
    if (errno < 0) throw this.#engine.failed('connect', errno)
    this.#engine.peer = null
    return this
  }

  /** Receive buffer in force, in bytes: SO_RCVBUF, which Linux doubles and clamps (net.core.rmem_max), socket(7). */
  getRecvBufferSize(): number {
    return this.#bufferSize(false)
  }

  /** Send buffer in force, in bytes: SO_SNDBUF, which Linux doubles and clamps (net.core.wmem_max), socket(7). */
  getSendBufferSize(): number {
    return this.#bufferSize(true)
  }

  /** Asks for a receive buffer of `size` bytes. @throws ERR_SOCKET_BAD_BUFFER_SIZE, ERR_SOCKET_DGRAM_NOT_RUNNING. */
  setRecvBufferSize(size: number): void {
    this.#setBufferSize(false, size)
  }

  /** Asks for a send buffer of `size` bytes. @throws ERR_SOCKET_BAD_BUFFER_SIZE, ERR_SOCKET_DGRAM_NOT_RUNNING. */
  setSendBufferSize(size: number): void {
    this.#setBufferSize(true, size)
  }

  /** The descriptor's number; -1 when closed, or when somebody else closed it. */
  get fd(): number {
    return Math.max(-1, native.socketFd(this.#engine.handle))
  }

  /** Which system call receives. It changes to 'portable' when a seccomp(2) filter comes to forbid recvmmsg(2). */
  get backend(): Backend {
    return this.#engine.backend
  }

  /**
   * What it has counted since it was made or last told to count anew; after `close()` the last counts.
   *
   * @param options.reset Counts anew from now on, all of it, and nothing is lost between what is returned and the next.
   * @defaultValue false
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE.
   */
  stats(options: { reset?: boolean } = {}): SocketStats {
    const { reset = false } = validateOptions(options, ['reset'])
    validateBoolean(reset, 'options.reset')
    return this.#engine.stats(reset)
  }

  /** Lets the open socket keep the process alive again. */
  ref(): this {
    this.#engine.reader.ref(true)
    this.#engine.sender.room.ref(true)
    return this
  }

  /** Lets the process end although the socket is open. */
  unref(): this {
    this.#engine.reader.ref(false)
    this.#engine.sender.room.ref(false)
    return this
  }

  /**
   * Closes the socket; repeating it does nothing. Iteration ends, `'close'` follows on the next tick. A batch in hand
   * stays readable. What the kernel still holds is lost: `docs/api.md` shows the shutdown that loses nothing.
   */
  close(): this {
    this.#engine.close()
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Closes it and waits for `'close'`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#engine.ended
      ? Promise.resolve()
      : new Promise((resolve) => void this.once('close', resolve))
    this.close()
    return this.#disposed
  }

  /**
   * Iterates over batches as they arrive: `for await (const batch of socket)`. The same batch each time, filled again:
   * valid until the loop's next turn.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PacketBatch<Self>> {
    return new BatchIterator<Self>(this.#engine.reader)
  }

  #bufferSize(send: boolean): number {
    this.#engine.assertOpen()
    const size = native.socketBufferSize(this.#engine.handle, send)
    if (size < 0) throw this.#engine.failed('getsockopt', size)
    return size
  }

  #setBufferSize(send: boolean, size: unknown): void {
    if (!Number.isInteger(size) || (size as number) < 1 || (size as number) >= 2 ** 31)
      throw errors.badBufferSize()
    this.#engine.assertOpen()
    const errno = native.socketSetBufferSize(this.#engine.handle, send, size as number)
    if (errno < 0) throw this.#engine.failed('setsockopt', errno)
  }
}

/** The signal of an options bag that has nothing else. */
function signalOf(options: unknown): AbortSignal | undefined {
  const { signal } = validateOptions(options, ['signal'])
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal')
  return signal as AbortSignal | undefined
}
