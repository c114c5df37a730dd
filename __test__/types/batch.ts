// Types of batches and packets. This compiles, or fails to, and is never run.

import * as index from '../../index'
import {
  type Credentials,
  type Packet,
  PacketBatch,
  type PacketBatchOptions,
  type PacketCopy,
  type UdpSocket,
} from '../../index'
import { claim, type Same } from './support'

export function batches(batch: PacketBatch): void {
  claim<Same<PacketBatchOptions, { capacity?: number; packetSize?: number }>>()
  new PacketBatch()
  new PacketBatch({ capacity: 1 })
  // @ts-expect-error a number
  new PacketBatch({ capacity: '1' })
  // @ts-expect-error no such option
  new PacketBatch({ size: 1 })
  // @ts-expect-error an object
  new PacketBatch(64)

  claim<Same<ReturnType<PacketBatch['at']>, Packet | undefined>>()
  claim<Same<ReturnType<PacketBatch['copy']>, PacketCopy[]>>()
  claim<Same<ReturnType<PacketBatch['dataAt']>, Buffer>>()
  claim<Same<ReturnType<PacketBatch['addressAt']>, string>>()
  claim<Same<ReturnType<PacketBatch['sizeAt' | 'portAt' | 'offsetAt']>, number>>()
  claim<Same<PacketBatch['bytes'], Buffer>>()
  claim<Same<PacketBatch['socket'], UdpSocket | null>>()
  // @ts-expect-error there may be none
  batch.at(0).data
  // @ts-expect-error a number
  batch.sizeAt('0')

  // @ts-expect-error only a receive changes it
  batch.length = 0
  // @ts-expect-error fixed
  batch.capacity = 1
  // @ts-expect-error fixed
  batch.packetSize = 1
  // @ts-expect-error fixed
  batch.bytes = Buffer.alloc(1)
  // @ts-expect-error only a receive changes it
  batch.socket = null

  for (const packet of batch) claim<Same<typeof packet, Packet>>()
  const [first, ...rest] = batch
  claim<Same<typeof first, Packet | undefined>>()
  claim<Same<typeof rest, Packet[]>>()
}

type Fields = {
  data: Buffer
  size: number
  address: string
  port: number
  family: 'IPv4' | 'IPv6'
  truncated: boolean
  timestamp: bigint | null
  destination: string | null
  interfaceIndex: number | null
  tos: number | null
  ttl: number | null
}

export function packets(packet: Packet, copy: PacketCopy): void {
  // A copy is the caller's, a packet shows what is in the batch.
  claim<Same<{ [Name in Exclude<keyof PacketCopy, 'path' | 'credentials'>]: PacketCopy[Name] }, Fields>>()
  claim<Same<PacketCopy['path'], string | null | undefined>>()
  claim<Same<PacketCopy['credentials'], Credentials | null | undefined>>()
  claim<Same<Packet['path'], string | null>>()
  claim<Same<Packet['credentials'], Credentials | null>>()
  claim<Same<Pick<Packet, keyof Fields>, Readonly<Fields>>>()
  claim<Same<ReturnType<Packet['copy']>, PacketCopy>>()
  copy.data = Buffer.alloc(0)
  const shown: PacketCopy = packet
  void shown
  // @ts-expect-error read only
  packet.data = Buffer.alloc(0)
  // @ts-expect-error read only
  packet.size = 0
  // @ts-expect-error read only
  packet.address = ''
  // @ts-expect-error read only
  packet.truncated = true
  // @ts-expect-error a bigint or null
  const milliseconds: number = packet.timestamp
  void milliseconds
  // @ts-expect-error only batches make packets: the class is no export, its type is
  new index.Packet()
}
