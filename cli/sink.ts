import type { PacketBatch, UdpSocket, UnixDatagramSocket } from '../index'

/** A socket that the listener reads. */
export type ListenSocket = UdpSocket | UnixDatagramSocket
export type ListenBatch = PacketBatch<ListenSocket>

/** Where datagrams go that were received. */
export interface Sink {
  /** Datagrams that were to be written, and have not been taken. */
  readonly unwritten: number
  /** Writes the first `count` datagrams of `batch`; resolves when they are taken, or are not going to be. */
  show(batch: ListenBatch, count: number): Promise<void>
  /** Resolves when all is where it belongs. */
  end(): Promise<void>
}
