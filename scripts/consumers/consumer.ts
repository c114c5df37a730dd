// What a program in TypeScript does with the package. It is compiled, as a CommonJS and as an ES module, and never run.

import { once } from 'node:events'
import {
  type Capabilities,
  capabilities,
  constants,
  type IcmpError,
  merge,
  type Packet,
  PacketBatch,
  type PacketCopy,
  recvMmsg,
  type SendResult,
  type SocketStats,
  sendMmsg,
  type Target,
  UdpSocket,
  type UdpSocketOptions,
  UnixDatagramSocket,
} from 'recvmmsg'
import dgram, { createSocket, type RemoteInfo, type Socket } from 'recvmmsg/dgram'

const options: UdpSocketOptions = { port: 8125, address: '::', gro: true, strict: true, timestamps: true }

export async function listen(signal: AbortSignal): Promise<PacketCopy[]> {
  const socket: UdpSocket = UdpSocket.bind({ ...options, signal })
  const kept: PacketCopy[] = []
  // Typed events.
  socket.on('error', (error) => console.error(error.message))
  socket.on('icmp', (error: IcmpError) => console.error(error.name, error.mtu))
  socket.once('close', () => {})
  // @ts-expect-error it is told an error
  socket.on('icmp', (error: string) => console.error(error))
  for await (const batch of socket) {
    for (const packet of batch) {
      const { data, address, port, timestamp }: Packet = packet
      const stamp: bigint | null = timestamp
      if (data.length > 0 && stamp !== null) kept.push(packet.copy())
      socket.send(data, { port, address })
    }
    const result: SendResult = socket.sendBatch(batch)
    if (result.next < batch.length) await once(socket, 'drain')
  }
  const stats: SocketStats = socket.stats()
  console.log(stats.kernelDrops ?? 'not told', stats.batchSizes[0])
  return kept
}

export function ask(socket: UdpSocket, to: Target): number {
  const batch = new PacketBatch({ capacity: 32 })
  sendMmsg(socket, [{ data: 'x', to }])
  return (
    recvMmsg(socket, batch, { timeout: 10, flags: constants.MSG_WAITFORONE }) + merge([socket]).recv(batch)
  )
}

export async function local(): Promise<string | null> {
  await using socket = UnixDatagramSocket.bind({ path: '/run/x' })
  for await (const batch of socket) return batch.at(0)?.path ?? null
  return null
}

export function swapped(): Socket {
  const socket = createSocket({ type: 'udp4', gro: false })
  socket.on('message', (message: Buffer, rinfo: RemoteInfo) => console.log(message.length, rinfo.port))
  const other: dgram.Socket = dgram.createSocket('udp6')
  other.close()
  return socket
}

export const able: Capabilities = capabilities()
