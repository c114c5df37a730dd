// Types of sockets. This compiles, or fails to, and is never run.

import type { EventEmitter } from 'node:events'
import {
  type AddressInfo,
  type Backend,
  type Capabilities,
  capabilities,
  constants,
  type Drop,
  type FallbackDiagnostics,
  type FromFdOptions,
  type IcmpError,
  type Merged,
  type MergeOptions,
  merge,
  PacketBatch,
  type RecvDiagnostics,
  type RecvMmsgOptions,
  type RecvOptions,
  recvMmsg,
  type SendDiagnostics,
  type SendError,
  type SendResult,
  type SocketOptionName,
  type SocketOptionValue,
  type SocketStats,
  sendMmsg,
  type Target,
  UdpSocket,
  type UdpSocketEvents,
  type UdpSocketOptions,
  type UnixAddressInfo,
  UnixDatagramSocket,
  type UnixDatagramSocketOptions,
} from '../../index'
import { claim, type Same } from './support'

export function options(signal: AbortSignal): void {
  const all: Required<UdpSocketOptions> = {
    port: 1,
    address: '::',
    reuseAddr: true,
    reusePort: true,
    ipv6Only: true,
    recvBufferSize: 1,
    sendBufferSize: 1,
    multicastAll: false,
    dontFragment: true,
    bindToDevice: 'lo',
    socketOptions: { IP_TOS: 1, IP_FREEBIND: true },
    filter: [[6, 0, 0, 0]],
    capacity: 1,
    packetSize: 1,
    gro: true,
    backend: 'auto',
    gso: true,
    destinations: true,
    timestamps: true,
    recvTos: true,
    recvTtl: true,
    drops: true,
    errorQueue: true,
    timing: true,
    coalesce: 0,
    strict: true,
    signal,
  }
  UdpSocket.bind(all)
  UdpSocket.bind()
  UdpSocket.fromFd(3, {
    dup: true,
    gro: true,
    backend: 'portable',
    strict: false,
    capacity: 1,
    packetSize: 1,
    signal,
  })
  claim<Same<UdpSocketOptions['backend'], 'auto' | 'mmsg' | 'portable' | undefined>>()
  claim<Same<Backend, 'mmsg' | 'portable'>>()
  claim<Same<keyof FromFdOptions & keyof UdpSocketOptions, Exclude<keyof FromFdOptions, 'dup'>>>()
  // @ts-expect-error a number
  UdpSocket.bind({ port: '1' })
  // @ts-expect-error no such backend
  UdpSocket.bind({ backend: 'uring' })
  // @ts-expect-error no such option
  UdpSocket.bind({ adress: '::' })
  // @ts-expect-error an object
  UdpSocket.bind(8125)
  // @ts-expect-error a descriptor already has its port
  UdpSocket.fromFd(3, { port: 1 })
  // @ts-expect-error a number
  UdpSocket.fromFd('3')
  // @ts-expect-error by bind and fromFd only
  new UdpSocket()
}

export function socketOptions(socket: UdpSocket, name: SocketOptionName): void {
  socket.setSocketOption('SO_PRIORITY', 6)
  socket.setSocketOption('IP_FREEBIND', true)
  claim<Same<ReturnType<typeof socket.getSocketOption<'IP_TOS'>>, number>>()
  claim<Same<ReturnType<typeof socket.getSocketOption<'IPV6_TRANSPARENT'>>, boolean>>()
  claim<Same<SocketOptionValue<SocketOptionName>, number | boolean>>()
  const value: number | boolean = socket.getSocketOption(name)
  void value
  socket.attachFilter([{ code: 6, jt: 0, jf: 0, k: 0 }, [6, 0, 0, 0]])
  socket.detachFilter()
  socket.bindToDevice('')
  socket.setDontFragment(true)
  socket.setMulticastAll(false)
  // @ts-expect-error a boolean
  socket.setSocketOption('IP_FREEBIND', 1)
  // @ts-expect-error a number
  socket.setSocketOption('SO_PRIORITY', true)
  // @ts-expect-error the engine's
  socket.setSocketOption('UDP_GRO', true)
  // @ts-expect-error no such option
  socket.getSocketOption('SO_PRIO')
  // @ts-expect-error four numbers
  socket.attachFilter([[6, 0, 0]])
  // @ts-expect-error four numbers
  socket.attachFilter([{ code: 6, k: 0 }])
}

export async function sendingMany(socket: UdpSocket, batch: PacketBatch): Promise<void> {
  claim<Same<ReturnType<UdpSocket['send']>, boolean>>()
  claim<Same<ReturnType<UdpSocket['sendBatch' | 'sendToMany']>, SendResult>>()
  claim<Same<SendResult, { sent: number; failed: number; error: SendError | null; next: number }>>()
  socket.send(['a', new Uint8Array(1), new DataView(new ArrayBuffer(1))], 9)
  socket.send('x', batch.at(0)!)
  socket.sendBatch(batch, { to: { port: 9 }, start: 1 })
  socket.sendBatch(new Set([{ data: 'x', port: 9 }]))
  socket.sendBatch(Array.from(batch, (packet) => ({ data: packet.data, to: packet })))
  socket.sendBatch([{ data: new Uint8Array(9) }], { to: batch.copy()[0]!, segmentSize: 3 })
  socket.sendToMany('x', [batch.at(0)!, { port: 9, address: '::1' }], { start: 0 })
  const { signal } = new AbortController()
  claim<Same<Awaited<ReturnType<UdpSocket['sendAll']>>, SendResult>>()
  await socket.sendAll(batch, { signal })
  claim<Same<Awaited<ReturnType<UdpSocket['writable']>>, boolean>>()
  sendMmsg(socket, [{ data: 'x', port: 9 }], { flags: 0 })
  socket.once('drain', () => {})
  // @ts-expect-error bytes are no packets
  socket.sendBatch(Buffer.from('x'))
  // @ts-expect-error a packet needs data
  socket.sendBatch([{ port: 9 }])
  // @ts-expect-error no such option
  socket.sendBatch(batch, { segment: 9 })
  // @ts-expect-error no wait without end
  socket.sendAll(batch, { start: 9 })
  // @ts-expect-error a number
  socket.send('x', '9')
}

export function events(socket: UdpSocket): void {
  interface Expected {
    batch: [batch: PacketBatch]
    drain: []
    drop: [drop: Drop]
    icmp: [error: IcmpError]
    error: [error: Error]
    close: []
  }
  claim<
    Same<
      { [Name in keyof UdpSocketEvents]: UdpSocketEvents[Name] },
      { [Name in keyof Expected]: Expected[Name] }
    >
  >()
  const emitter: EventEmitter<UdpSocketEvents> = socket
  void emitter
  socket.on('batch', (batch) => claim<Same<typeof batch, PacketBatch>>())
  socket.once('error', (error) => claim<Same<typeof error, Error>>())
  socket.prependListener('close', () => {}).removeAllListeners('close')
  const same: UdpSocket = socket.on('batch', () => {}).off('batch', () => {})
  void same
  // @ts-expect-error a batch, not a message
  socket.on('batch', (message: Buffer) => message)
  // @ts-expect-error one batch
  socket.once('batch', (batch: PacketBatch, info: object) => [batch, info])
  // @ts-expect-error an error
  socket.addListener('error', (code: number) => code)
  // @ts-expect-error nothing comes with it
  socket.prependListener('close', (had: boolean) => had)
  // @ts-expect-error node:dgram's event
  socket.on('message', () => {})
  // @ts-expect-error a batch
  socket.emit('batch', 1)
  // @ts-expect-error nothing goes with it
  socket.emit('close', 1)
}

export async function receiving(socket: UdpSocket, batch: PacketBatch): Promise<void> {
  claim<Same<RecvOptions, { flags?: number; timeout?: number }>>()
  claim<Same<keyof RecvMmsgOptions, 'flags' | 'timeout' | 'vlen'>>()
  const counts: number =
    socket.recv(batch, { flags: constants.MSG_PEEK, timeout: 1 }) + recvMmsg(socket, batch)
  void counts
  for await (const each of socket) claim<Same<typeof each, PacketBatch>>()
  claim<Same<Awaited<ReturnType<UdpSocket['readable']>>, boolean>>()
  // @ts-expect-error a batch
  socket.recv()
  // @ts-expect-error a batch, not memory
  socket.recv(Buffer.alloc(1))
  // @ts-expect-error a number
  socket.recv(batch, { flags: 'MSG_PEEK' })
  // @ts-expect-error recvMmsg's option
  socket.recv(batch, { vlen: 1 })
  // @ts-expect-error the socket comes first
  recvMmsg(batch, socket)
  // @ts-expect-error frozen
  constants.MSG_PEEK = 1
  // @ts-expect-error read only
  socket.fd = 1
  // @ts-expect-error read only
  socket.backend = 'mmsg'
}

export async function merging(first: UdpSocket, second: UdpSocket, batch: PacketBatch): Promise<void> {
  claim<Same<MergeOptions, { signal?: AbortSignal }>>()
  const merged: Merged = merge([first, second])
  merge(new Set([first]), { signal: AbortSignal.timeout(1) })
  for await (const each of merged) claim<Same<typeof each, PacketBatch>>()
  claim<Same<Parameters<Merged['recv']>, [batch: PacketBatch<unknown>, options?: RecvOptions]>>()
  const count: number = merged.recv(batch, { timeout: 1 })
  void count
  // @ts-expect-error a list
  merge(first)
  // @ts-expect-error of sockets
  merge([first, batch])
  // @ts-expect-error no such option
  merge([first], { timeout: 1 })
  // @ts-expect-error a batch
  merged.recv()
}

export function sending(socket: UdpSocket, batch: PacketBatch): void {
  const taken: boolean = socket.send('text', 1, '::1')
  void taken
  for (const data of [Buffer.alloc(1), new Uint16Array(1), new DataView(new ArrayBuffer(1))])
    socket.send(data)
  const targets: Target[] = [{ port: 1 }, socket.address(), socket.remoteAddress(), ...batch, ...batch.copy()]
  for (const target of targets) socket.send('text', target)
  // @ts-expect-error a string or a view
  socket.send(1, 1)
  // @ts-expect-error a view of it
  socket.send(new ArrayBuffer(1), 1)
  // @ts-expect-error a number
  socket.send('text', '1')
  // @ts-expect-error needs a port
  socket.send('text', { address: '::1' })
  // @ts-expect-error the target has its address
  socket.send('text', { port: 1 }, '::1')
  // @ts-expect-error needs a port
  socket.connect()
}

export async function life(): Promise<void> {
  using first = UdpSocket.bind()
  await using second = UdpSocket.bind()
  first.ref().unref().pause().resume().connect(1).disconnect().close()
  claim<Same<ReturnType<UdpSocket['address']>, AddressInfo>>()
  claim<Same<AddressInfo['family'], 'IPv4' | 'IPv6'>>()
  claim<Same<SocketStats['kernelDrops'], number | null>>()
  claim<Same<SocketStats['errors'], Record<string, number>>>()
  claim<Same<ReturnType<typeof second.stats>, SocketStats>>()
  claim<Same<ReturnType<typeof capabilities>, Capabilities>>()
  type Names = 'recvmmsg' | 'sendmmsg' | 'gro' | 'gso' | 'timestamps' | 'destinations' | 'recvTos' | 'recvTtl'
  claim<
    Same<
      Capabilities,
      Record<Names | 'drops' | 'errorQueue' | 'reusePort' | 'unixSockets' | 'uvPoll', boolean>
    >
  >()
  // @ts-expect-error no such capability
  capabilities().sendfile
}

export async function unix(socket: UnixDatagramSocket, udp: UdpSocket, batch: PacketBatch): Promise<void> {
  const options: Required<UnixDatagramSocketOptions> = {
    path: '/run/x',
    mode: 0o666,
    sendBufferSize: 1,
    recvBufferSize: 1,
    credentials: true,
    timestamps: true,
    capacity: 1,
    packetSize: 1,
    backend: 'auto',
    coalesce: 0,
    strict: true,
    timing: true,
    signal: AbortSignal.timeout(1),
  }
  UnixDatagramSocket.bind(options)
  // @ts-expect-error a path, not a port
  UnixDatagramSocket.bind({ port: 1 })
  claim<Same<UnixAddressInfo, { path: string | null }>>()
  claim<Same<ReturnType<UnixDatagramSocket['address']>, UnixAddressInfo>>()
  const sent: boolean = socket.send('x', '/run/x') && socket.send('x', { path: '/run/x' }) && socket.send('x')
  // @ts-expect-error a path, not a port
  socket.send('x', 8125)
  // @ts-expect-error neither
  socket.send('x', {})
  for await (const each of socket) {
    claim<Same<typeof each.socket, UnixDatagramSocket | null>>()
    for (const packet of each) socket.send(packet.data, packet) && socket.send(packet.data, packet.copy())
    socket.sendBatch([...each])
    socket.sendBatch(each.copy().map((packet) => ({ data: 'x', to: packet })))
    socket.sendBatch(each, { to: { path: '/run/x' } })
    // @ts-expect-error a path, not a port
    socket.sendBatch(each, { to: { port: 1 } })
  }
  socket.recv(batch)
  socket.recv(new PacketBatch<UnixDatagramSocket>())
  sendMmsg(socket, [{ data: 'x', path: '/run/x' }])
  // @ts-expect-error a path, not a port
  sendMmsg(socket, [{ data: 'x', port: 1 }])
  recvMmsg(socket, batch)
  for await (const { socket } of merge([udp])) claim<Same<typeof socket, UdpSocket | null>>()
  const both = merge<UdpSocket | UnixDatagramSocket>([udp, socket])
  for await (const { socket } of both) claim<Same<typeof socket, UdpSocket | UnixDatagramSocket | null>>()
  void sent
}

/** What the channels publish: by the name of the call it has that call's arguments. */
export function diagnostics(
  recv: RecvDiagnostics,
  send: SendDiagnostics,
  fallback: FallbackDiagnostics,
): void {
  claim<Same<RecvDiagnostics['syscall'], 'recvmmsg' | 'recvmsg' | 'recvfrom'>>()
  claim<Same<SendDiagnostics['syscall'], 'sendmmsg' | 'sendmsg' | 'sendto'>>()
  if (recv.syscall === 'recvmmsg') {
    const all: [number, string, number, number, null] = [
      recv.sockfd,
      recv.msgvec,
      recv.vlen,
      recv.flags,
      recv.timeout,
    ]
    void all
  }
  if (send.syscall === 'sendmmsg') claim<Same<typeof send.msgvec, string>>()
  if (send.syscall === 'sendto') claim<Same<typeof send.dest_addr, string | null>>()
  // @ts-expect-error only of recvmmsg
  void recv.vlen
  claim<Same<typeof recv.error, string | null>>()
  claim<Same<typeof fallback.errno, number>>()
  fallback.socket.close()
}

export function stats(socket: UdpSocket): void {
  claim<Same<SocketStats['recvTime'], number | null>>()
  const { sent, sentBytes, sentMessages, sendCalls, recvCalls, fullBatches, emptyWakes }: SocketStats =
    socket.stats({ reset: true })
  void [sent, sentBytes, sentMessages, sendCalls, recvCalls, fullBatches, emptyWakes]
  // @ts-expect-error a boolean
  socket.stats({ reset: 1 })
}
