import { inspect } from 'node:util'
import * as native from '../binding'
import { DatagramSocket, engineOf, KEY } from './datagram-socket'
import type { Engine } from './engine'
import * as errors from './errors'
import type { ReceiveSettings } from './options'
import { access as packets } from './packet'
import { type Payload, toBytes, type UnixSendable, type UnixTarget } from './send'
import { LONGEST_NAME, nameBytes } from './unix-name'
import {
  type UnixDatagramSocketOptions,
  type UnixFromFdOptions,
  unixBindSettings,
  unixFromFdSettings,
} from './unix-options'
import { validateInteger, validateObject } from './validators'

/** What a Unix socket is bound or connected to. */
export interface UnixAddressInfo {
  /** Path, or behind a NUL an abstract name; `null` for none. */
  path: string | null
}

const NOBODY = new Uint8Array(0)

/**
 * A Unix domain datagram socket, unix(7), that receives and sends in batches: what `/dev/log` and a local statsd are. As
 * `UdpSocket`, with a `path` for address and port. Unix systems.
 *
 * The kernel drops nothing here: a receiver whose queue is full (`net.unix.max_dgram_qlen`, 10 by default on Linux) keeps
 * its senders waiting.
 *
 * @example
 * const socket = UnixDatagramSocket.bind({ path: '/run/statsd.sock', mode: 0o666 })
 * for await (const batch of socket) {
 *   for (const packet of batch) handle(packet.data, packet.path)
 * }
 * @see https://man7.org/linux/man-pages/man7/unix.7.html
 */
export class UnixDatagramSocket extends DatagramSocket<UnixDatagramSocket, UnixSendable, UnixTarget> {
  /** Use `UnixDatagramSocket.bind` or `UnixDatagramSocket.fromFd`. */
  private constructor(key: symbol, settings: ReceiveSettings) {
    super(key, settings)
    this.#engine.unix = true
  }

  get #engine(): Engine {
    return engineOf(this)
  }

  /**
   * Makes a socket and binds it, synchronously. bind(2) makes the file; `close()` removes it, and so does the end of a
   * worker thread. A file that a process has left behind whose socket nobody has open any more is replaced.
   *
   * @throws EADDRINUSE where a socket is bound there, or the file is no datagram socket's; EACCES, ENOENT, ENAMETOOLONG
   * and other errors of bind(2), with `syscall: 'bind'` and the path as `address`.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for options.
   * @throws ERR_RECVMMSG_UNSUPPORTED for `backend: 'mmsg'`, an abstract name and `credentials` where there is no such thing.
   * @throws AbortError when `signal` is aborted already.
   * @see https://man7.org/linux/man-pages/man2/bind.2.html
   */
  static override bind(options: UnixDatagramSocketOptions = {}): UnixDatagramSocket {
    const { path, ...settings } = unixBindSettings(options)
    // With no name at all the kernel chooses an abstract one, where it has those (unix(7), Autobind feature).
    const chosen = process.platform === 'linux' || process.platform === 'android' ? NOBODY : null
    const name = path === undefined ? chosen : nameBytes(path, 'options.path')
    if (settings.signal?.aborted) throw errors.abortError(settings.signal)
    const socket = new UnixDatagramSocket(KEY, settings)
    const errno = native.socketBindUnix(socket.#engine.handle, name, settings)
    if (errno < 0) throw errors.systemError('bind', errno, path as string | undefined)
    socket.#engine.opened()
    return socket
  }

  /**
   * Takes a Unix datagram socket's descriptor over, as a service manager hands one down; with `dup: true` a duplicate of
   * it, and the descriptor stays the caller's. It is made non-blocking and close-on-exec; a blocking one is made blocking
   * again by `close()`, which leaves its file alone.
   *
   * @param fd Descriptor of a Unix datagram socket.
   * @throws ERR_INVALID_FD_TYPE for any other descriptor. EBADF for none.
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, AbortError as `bind`.
   */
  static fromFd(fd: number, options: UnixFromFdOptions = {}): UnixDatagramSocket {
    validateInteger(fd, 'fd', 0, 2 ** 31 - 1)
    const { dup, ...settings } = unixFromFdSettings(options)
    if (settings.signal?.aborted) throw errors.abortError(settings.signal)
    const socket = new UnixDatagramSocket(KEY, settings)
    const result = native.socketUnixFromFd(socket.#engine.handle, fd, dup, settings)
    if (typeof result === 'string') throw errors.invalidFdType(result)
    if (result < 0) throw errors.systemError('fcntl', result)
    socket.#engine.opened()
    const peer = socket.#name(true)
    if (typeof peer !== 'number') socket.#engine.peer = { address: peer ?? '', port: 0 }
    return socket
  }

  /**
   * Sends one datagram. On a connected socket without a target; where the peer has gone and another socket has its path by
   * now, a daemon that was started anew, the datagram goes to that one.
   *
   * @param data Payload: Buffer, any view, a string (UTF-8), or an array of these; at most the send buffer's size.
   * @param to Path of a socket, or a target with a `path`, a packet for one: its sender.
   * @returns `true` when the kernel took it, `false` when the receiver's queue, or the send buffer, is full: nothing was
   * sent, and `'drain'` follows when there is room.
   * @throws ECONNREFUSED where nobody has the file's socket open; ENOENT, EACCES, EMSGSIZE, EPROTOTYPE and other errors
   * of sendto(2), with `syscall: 'send'` and the path as `address`.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE.
   * @throws ERR_SOCKET_DGRAM_IS_CONNECTED for a target on a connected socket, ERR_SOCKET_DGRAM_NOT_CONNECTED for none on
   * another; ERR_SOCKET_DGRAM_NOT_RUNNING when closed.
   * @see https://man7.org/linux/man-pages/man2/send.2.html
   */
  send(data: Payload, to?: string | UnixTarget): boolean {
    try {
      return this.#send(data, to)
    } finally {
      this.#engine.diagnostics.publish()
    }
  }

  #send(data: Payload, to?: string | UnixTarget): boolean {
    const bytes = toBytes(data)
    const { byteLength } = bytes
    const { peer } = this.#engine
    if (to === undefined) {
      this.#engine.assertOpen()
      if (peer === null) throw errors.notConnected()
      return this.#sent(this.#engine.sendUnix(bytes, null), peer.address)
    }
    if (typeof to !== 'string') validateObject(to, 'to')
    const path = typeof to === 'string' ? to : to.path
    const name = packets.is(to) ? null : nameBytes(path, typeof to === 'string' ? 'to' : 'to.path')
    // A getter of the target may have transferred it away.
    if (bytes.byteLength !== byteLength) throw errors.invalidArgValue('data', data, 'has been detached')
    this.#engine.assertOpen()
    if (peer !== null) throw errors.alreadyConnected()
    // Its name as it is, also where that is no text, or none.
    if (name === null) return this.#engine.sender.one(bytes, to as UnixTarget)
    return this.#sent(this.#engine.sendUnix(bytes, name), path as string)
  }

  /**
   * Receives from and sends to one socket only, from now on.
   *
   * @param path Of a socket, or behind a NUL its abstract name.
   * @throws ECONNREFUSED, ENOENT, EACCES, EPROTOTYPE and other errors of connect(2).
   * @throws ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE.
   * @see https://man7.org/linux/man-pages/man2/connect.2.html
   */
  connect(path: string): this {
    const name = nameBytes(path, 'path')
    this.#engine.assertOpen()
    if (this.#engine.peer !== null) throw errors.alreadyConnected()
    const errno = native.socketConnectUnix(this.#engine.handle, name)
    if (errno < 0) throw this.#engine.failed('connect', errno, path)
    this.#engine.peer = { address: path, port: 0 }
    return this
  }

  /** What it is bound to. @throws ERR_SOCKET_DGRAM_NOT_RUNNING; EBADF where the descriptor is not its own. */
  address(): UnixAddressInfo {
    this.#engine.assertOpen()
    const path = this.#name(false)
    if (typeof path === 'number') throw this.#engine.failed('getsockname', path)
    return { path }
  }

  /** What it is connected to. @throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING. */
  remoteAddress(): UnixAddressInfo {
    this.#engine.assertOpen()
    if (this.#engine.peer === null) throw errors.notConnected()
    return { path: this.#engine.peer.address || null }
  }

  [inspect.custom](): string {
    if (this.#engine.closed) return 'UnixDatagramSocket { closed }'
    if (this.fd < 0) return 'UnixDatagramSocket { its descriptor was closed by somebody else }'
    const peer = this.#engine.peer === null ? '' : `, peer: ${inspect(this.#engine.peer.address)}`
    return `UnixDatagramSocket { path: ${inspect(this.address().path)}${peer}, backend: '${this.backend}' }`
  }

  /** What has become of one datagram. */
  #sent(result: number, path: string): boolean {
    if (result < 0) throw this.#engine.failed('send', result, path)
    if (result === 0) this.#engine.sender.room.full()
    return result === 1
  }

  /** Its name, or its peer's: `null` for none, or a negative errno. */
  #name(peer: boolean): string | null | number {
    const bytes = Buffer.alloc(LONGEST_NAME)
    const length = native.socketUnixName(this.#engine.handle, peer, bytes)
    if (length < 0) return length
    return length === 0 ? null : bytes.toString('utf8', 0, length)
  }
}
