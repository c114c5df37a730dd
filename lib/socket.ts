import { isIPv6 } from 'node:net'
import { inspect } from 'node:util'
import * as native from '../binding'
import { type AddressInfo, addressInfo } from './address'
import { type DatagramSocketEvents, engineOf, KEY } from './datagram-socket'
import type { Engine } from './engine'
import * as errors from './errors'
import { COALESCED_SLOT, SOCKADDR } from './layout'
import { OptionSocket } from './option-socket'
import {
  bindSettings,
  type FromFdOptions,
  fromFdSettings,
  type ReceiveSettings,
  type UdpSocketOptions,
} from './options'
import { access as packets } from './packet'
import { type Payload, type Target, toBytes, toTarget } from './send'
import { validateAddress, validateInteger, validatePort } from './validators'

/** Events of a `UdpSocket`, with what their listeners are given. */
export type UdpSocketEvents = DatagramSocketEvents<UdpSocket>

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
export class UdpSocket extends OptionSocket {
  /** Use `UdpSocket.bind` or `UdpSocket.fromFd`. */
  private constructor(key: symbol, settings: ReceiveSettings) {
    super(key, settings)
  }

  get #engine(): Engine {
    return engineOf(this)
  }

  /**
   * Makes a socket and binds it, synchronously.
   *
   * @throws EADDRINUSE and other errors of bind(2), with `syscall: 'bind'`; ENODEV, EPERM for `bindToDevice`.
   * @throws ERR_INVALID_IP_ADDRESS for a host name: resolve it first.
   * @throws ERR_SOCKET_BAD_PORT, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for other options.
   * @throws ERR_RECVMMSG_UNSUPPORTED for `backend: 'mmsg'` where recvmmsg(2) cannot be called, and for
   * `multicastAll`, `dontFragment` and `bindToDevice` where the system has no such thing.
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
    tellClamped(socket.#engine.handle, settings.recvBufferSize)
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
    const { dup, portable, packetSize, destinations, telling } = settings
    const gro = settings.gro === true
    const socket = new UdpSocket(KEY, settings)
    const large = packetSize === COALESCED_SLOT
    const result = native.socketFromFd(
      socket.#engine.handle,
      fd,
      dup,
      gro,
      large,
      portable,
      destinations,
      telling,
    )
    if (result === 'GRO') throw errors.batchSlotTooSmall(packetSize)
    if (typeof result === 'string') throw errors.invalidFdType(result)
    if (result < 0) throw errors.systemError('fcntl', result)
    socket.#engine.opened()
    socket.#engine.v6 = socket.address().family === 'IPv6'
    socket.#engine.peer = socket.#connectedTo()
    return socket
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
    try {
      return this.#send(data, to, toAddress)
    } finally {
      this.#engine.diagnostics.publish()
    }
  }

  #send(data: Payload, to?: number | Target, toAddress?: string): boolean {
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
    let result = this.#engine.send(bytes, address, port)
    // An ICMP error to an earlier datagram is told here, and this one was not sent.
    if (result < 0 && this.#engine.metIcmpError(result)) {
      this.#engine.assertOpen() // a listener may have closed it
      result = this.#engine.send(bytes, address, port)
    }
    if (result < 0) throw this.#engine.failed('send', result, address, port)
    if (result === 0) this.#engine.sender.room.full()
    return result === 1
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

  #sendConnected(bytes: Uint8Array, peer: { address: string; port: number }): boolean {
    let result = this.#engine.send(bytes, '', 0)
    if (result < 0) {
      // An ICMP error to an earlier datagram is told here, and this one was not sent. Telling takes it away.
      const earlier = result
      result = this.#engine.send(bytes, '', 0)
      if (this.#engine.tellIcmpErrors()) {
        // It was one of them.
      } else if (result >= 0) this.#engine.passing('send', earlier, peer.address, peer.port)
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
}

/** Warns, once a process, of a receive buffer that is smaller than was asked for. */
function tellClamped(handle: object, asked: number): void {
  if (asked === 0) return
  const granted = native.socketNewsOfClampedBuffer(handle, asked)
  if (granted < 0) return
  process.emitWarning(
    `recvBufferSize: ${asked} bytes were asked for and the system gave ${granted}, its limit net.core.rmem_max. ` +
      `Raise it (sysctl -w net.core.rmem_max=${asked}), or datagrams are lost sooner`,
    { type: 'RecvBufferWarning', code: 'RECVMMSG_RCVBUF' },
  )
}
