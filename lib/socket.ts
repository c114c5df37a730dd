import { isIPv6 } from 'node:net'
import { inspect } from 'node:util'
import * as native from '../binding'
import { type AddressInfo, addressInfo } from './address'
import { access, type PacketBatch } from './batch'
import { WatchedEmitter } from './emitter'
import { Engine } from './engine'
import * as errors from './errors'
import { BatchIterator } from './iterator'
import { COALESCED_SLOT, SOCKADDR } from './layout'
import {
  type Backend,
  bindSettings,
  type FromFdOptions,
  fromFdSettings,
  type ReceiveSettings,
  type UdpSocketOptions,
} from './options'
import { access as packets } from './packet'
import { type RecvOptions, recvSettings } from './recv-options'
import { type Payload, type Sendable, type SendResult, type Target, toBytes, toTarget } from './send'
import {
  iterableItems,
  type SendAllOptions,
  type SendBatchOptions,
  segmentedBatch,
  sendSettings,
} from './sender'
import type { SocketStats } from './stats'
import {
  validateAbortSignal,
  validateAddress,
  validateInteger,
  validateOptions,
  validatePort,
} from './validators'

/** Events of a `UdpSocket`, with what their listeners are given. */
export interface UdpSocketEvents {
  /** Datagrams have arrived. The batch is filled again for the next event: valid until then. */
  batch: [batch: PacketBatch]
  /** There is room in the send buffer again, after a send that found none. */
  drain: []
  /** A call failed. Without a listener, errors that do not end the socket are only counted in `stats()`. */
  error: [error: Error]
  /** The socket is closed; the last event. */
  close: []
}

/** Who has it may make sockets. */
const KEY = Symbol('UdpSocket')

/** @internal How `recvMmsg` receives. */
export let receiveInto: (
  socket: UdpSocket,
  batch: PacketBatch,
  vlen: number,
  flags: number,
  timeout: number,
) => number

/** @internal How `sendMmsg` sends. */
export let sendFrom: (socket: UdpSocket, packets: PacketBatch | Iterable<Sendable>) => SendResult

/**
 * A UDP socket that receives and sends in batches.
 *
 * Reading starts with the first `'batch'` listener or the first turn of `for await`, and there is one reader at a time.
 * From then on the open socket keeps the process alive, until `close()` or `unref()`.
 *
 * @example
 * const socket = UdpSocket.bind({ port: 8125 })
 * for await (const batch of socket) {
 *   for (const packet of batch) handle(packet.data, packet.address, packet.port)
 * }
 * @see https://man7.org/linux/man-pages/man7/udp.7.html
 */
export class UdpSocket extends WatchedEmitter<UdpSocketEvents> {
  readonly #engine: Engine
  #disposed: Promise<void> | null = null

  static {
    receiveInto = (socket, ...how) => socket.#engine.receive(...how)
    sendFrom = (socket, packets) => socket.sendBatch(packets)
  }

  /** Use `UdpSocket.bind` or `UdpSocket.fromFd`. */
  private constructor(key: symbol, settings: ReceiveSettings) {
    super({
      adding: (event) => event === 'batch' && this.#engine.reader.checkListen(),
      changed: () => this.#engine.reader.listen(this.listenerCount('batch') > 0),
    })
    if (key !== KEY) throw errors.illegalConstructor()
    this.#engine = new Engine(this, settings)
  }

  /**
   * Makes a socket and binds it, synchronously.
   *
   * @throws EADDRINUSE and other errors of bind(2), with `syscall: 'bind'`.
   * @throws ERR_INVALID_IP_ADDRESS for a host name: resolve it first.
   * @throws ERR_SOCKET_BAD_PORT, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for other options.
   * @throws ERR_RECVMMSG_UNSUPPORTED for `backend: 'mmsg'` where recvmmsg(2) cannot be called.
   * @throws AbortError when `signal` is aborted already.
   * @see https://man7.org/linux/man-pages/man2/bind.2.html
   */
  static override bind(options: UdpSocketOptions = {}): UdpSocket {
    const settings = bindSettings(options)
    if (settings.signal?.aborted) throw errors.abortError(settings.signal)
    const { address, port } = settings
    const gro = settings.packetSize === COALESCED_SLOT && settings.gro !== false
    const socket = new UdpSocket(KEY, settings)
    const errno = native.socketBind(socket.#engine.handle, address, port, { ...settings, gro })
    if (errno < 0) throw errors.systemError('bind', errno, address, port)
    socket.#engine.v6 = isIPv6(address)
    socket.#engine.opened()
    return socket
  }

  /**
   * Takes a UDP socket's descriptor over; with `dup: true` a duplicate of it, and the descriptor stays the caller's.
   * It is made non-blocking and close-on-exec; a blocking one is made blocking again by `close()`. UDP_GRO stays on
   * where it is on. Linux and other Unix systems.
   *
   * @param fd Descriptor of a datagram socket of IPv4 or IPv6.
   * @throws ERR_INVALID_FD_TYPE for any other descriptor. EBADF for none.
   * @throws ERR_BATCH_SLOT_TOO_SMALL when it coalesces (UDP_GRO) and `packetSize` is below 65,536.
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, AbortError as `bind`.
   */
  static fromFd(fd: number, options: FromFdOptions = {}): UdpSocket {
    validateInteger(fd, 'fd', 0, 2 ** 31 - 1)
    const settings = fromFdSettings(options)
    if (settings.signal?.aborted) throw errors.abortError(settings.signal)
    const { dup, portable, packetSize, destinations } = settings
    const gro = settings.gro === true
    const socket = new UdpSocket(KEY, settings)
    const large = packetSize === COALESCED_SLOT
    const result = native.socketFromFd(socket.#engine.handle, fd, dup, gro, large, portable, destinations)
    if (result === 'GRO') throw errors.batchSlotTooSmall(packetSize)
    if (typeof result === 'string') throw errors.invalidFdType(result)
    if (result < 0) throw errors.systemError('fcntl', result)
    socket.#engine.opened()
    socket.#engine.v6 = socket.address().family === 'IPv6'
    socket.#engine.peer = socket.#connectedTo()
    return socket
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
  recv(batch: PacketBatch, options: RecvOptions = {}): number {
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
   * Sends one datagram. On a connected socket without `port` and `address`; an ICMP error that is pending there is
   * counted, told as `'error'` to whoever listens, and the datagram is sent all the same.
   *
   * @param data Payload: Buffer, any view, a string (UTF-8), or an array of these. At most 65,507 bytes (IPv6: 65,527).
   * @param port Port to send to, 1 to 65535; or a target with `port` and `address`, a packet for one: its sender, from
   * the address that the packet was sent to.
   * @param address IP literal. @defaultValue loopback of the socket's family
   * @returns `true` when the kernel took it, `false` when the send buffer is full: nothing was sent, and `'drain'`
   * follows when there is room.
   * @throws EMSGSIZE, ENETUNREACH and other errors of sendto(2), with `syscall: 'send'`.
   * @throws ERR_SOCKET_BAD_PORT, ERR_INVALID_IP_ADDRESS, ERR_INVALID_ARG_TYPE.
   * @throws ERR_SOCKET_DGRAM_IS_CONNECTED for a target on a connected socket; ERR_SOCKET_DGRAM_NOT_RUNNING when closed.
   * @see https://man7.org/linux/man-pages/man2/send.2.html
   */
  send(data: Payload, port?: number, address?: string): boolean
  send(data: Payload, target: Target): boolean
  send(data: Payload, to?: number | Target, toAddress?: string): boolean {
    const bytes = toBytes(data)
    const { byteLength } = bytes
    const target = toTarget(to, toAddress)
    // A getter of the target may have transferred it away.
    if (bytes.byteLength !== byteLength) throw errors.invalidArgValue('data', data, 'has been detached')
    this.#engine.assertOpen()
    if (this.#engine.peer !== null) {
      if (target !== null) throw errors.alreadyConnected()
      return this.#sendConnected(bytes, this.#engine.peer)
    }
    const port = validatePort(target?.port, 'Port', false)
    const { address = this.#engine.loopback } = target ?? {}
    validateAddress(address, 'address')
    if (packets.is(to) || typeof target?.destination === 'string') {
      return this.#engine.sender.one(bytes, packets.is(to) ? to : (target as Target))
    }
    const result = native.socketSend(this.#engine.handle, bytes, address, port)
    if (result < 0) throw this.#engine.failed('send', result, address, port)
    if (result === 0) this.#engine.sender.room.full()
    return result === 1
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
  sendBatch(packets: PacketBatch | Iterable<Sendable>, options: SendBatchOptions = {}): SendResult {
    const how = sendSettings(options, ['to', 'segmentSize', 'start'])
    if (!access.is(packets)) return this.#engine.sender.items(iterableItems(packets), how)
    if (how.segmentSize !== undefined) throw segmentedBatch(how.segmentSize)
    return this.#engine.sender.batch(packets, how)
  }

  /**
   * Sends one payload to many targets; otherwise as `sendBatch`, whose result it has.
   *
   * @param options.start Index of the target to begin with. @defaultValue 0
   */
  sendToMany(data: Payload, targets: Iterable<Target>, options: { start?: number } = {}): SendResult {
    const { start } = sendSettings(options, ['start'])
    return this.#engine.sender.toMany(data, iterableItems(targets, 'targets') as Iterable<Target>, start ?? 0)
  }

  /**
   * Sends all of it, waiting for room as often as it takes. A batch must not be filled again before it is done, nor an
   * item's data be changed.
   *
   * @param options.signal Rejects with an AbortError when aborted; what was sent is sent.
   * @returns Resolves with the result of the whole.
   * @throws As `sendBatch`, by rejecting; ERR_SOCKET_DGRAM_NOT_RUNNING when the socket closes meanwhile.
   */
  async sendAll(
    packets: PacketBatch | Iterable<Sendable>,
    options: SendAllOptions = {},
  ): Promise<SendResult> {
    const how = sendSettings(options, ['to', 'segmentSize', 'signal'])
    if (access.is(packets) && how.segmentSize !== undefined) throw segmentedBatch(how.segmentSize)
    return this.#engine.sender.all(access.is(packets) ? packets : iterableItems(packets), how)
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
   * Receives from and sends to one peer only, from now on.
   *
   * @param port Port, 1 to 65535.
   * @param address IP literal. @defaultValue loopback of the socket's family
   * @throws ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING, ERR_SOCKET_BAD_PORT, ERR_INVALID_IP_ADDRESS;
   * errors of connect(2).
   * @see https://man7.org/linux/man-pages/man2/connect.2.html
   */
  connect(port: number, address: string = this.#engine.loopback): this {
    const number = validatePort(port, 'Port', false)
    validateAddress(address, 'address')
    this.#engine.assertOpen()
    if (this.#engine.peer !== null) throw errors.alreadyConnected()
    const errno = native.socketConnect(this.#engine.handle, address, number)
    if (errno < 0) throw this.#engine.failed('connect', errno, address, number)
    this.#engine.peer = { address, port: number }
    return this
  }

  /**
   * Ends `connect`. A socket that was bound to port 0 loses its port with it: the kernel had chosen that one.
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

  /** The address it is bound to. @throws ERR_SOCKET_DGRAM_NOT_RUNNING; EBADF where the descriptor is not its own. */
  address(): AddressInfo {
    return this.#name(false, 'getsockname')
  }

  /** The address it is connected to. @throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING. */
  remoteAddress(): AddressInfo {
    this.#engine.assertOpen()
    if (this.#engine.peer === null) throw errors.notConnected()
    return this.#name(true, 'getpeername')
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

  /** What it has counted; after `close()` the last counts. */
  stats(): SocketStats {
    return this.#engine.stats()
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

  [inspect.custom](): string {
    if (this.#engine.closed) return 'UdpSocket { closed }'
    if (this.fd < 0) return 'UdpSocket { its descriptor was closed by somebody else }'
    const { address, port } = this.address()
    const peer =
      this.#engine.peer === null
        ? ''
        : `, peer: '${this.#engine.peer.address}', peerPort: ${this.#engine.peer.port}`
    return `UdpSocket { address: '${address}', port: ${port}${peer}, backend: '${this.backend}' }`
  }

  /**
   * Iterates over batches as they arrive: `for await (const batch of socket)`. The same batch each time, filled again:
   * valid until the loop's next turn.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PacketBatch> {
    return new BatchIterator(this.#engine.reader)
  }

  #sendConnected(bytes: Uint8Array, peer: { address: string; port: number }): boolean {
    let result = native.socketSend(this.#engine.handle, bytes, '', 0)
    if (result < 0) {
      // An ICMP error to an earlier datagram is told here, and this one was not sent. Telling takes it away.
      const earlier = result
      result = native.socketSend(this.#engine.handle, bytes, '', 0)
      if (result >= 0) this.#engine.passing('send', earlier, peer.address, peer.port)
    }
    if (result < 0) throw this.#engine.failed('send', result, peer.address, peer.port)
    if (result === 0) this.#engine.sender.room.full()
    return result === 1
  }

  /** Whom a descriptor that was taken over is connected to. */
  #connectedTo(): { address: string; port: number } | null {
    const words = new Uint32Array(SOCKADDR)
    return native.socketName(this.#engine.handle, true, words) < 0 ? null : addressInfo(words)
  }

  #name(peer: boolean, syscall: string): AddressInfo {
    this.#engine.assertOpen()
    const words = new Uint32Array(SOCKADDR)
    const errno = native.socketName(this.#engine.handle, peer, words)
    if (errno < 0) throw this.#engine.failed(syscall, errno)
    return addressInfo(words)
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
