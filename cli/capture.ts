/** `recvmmsg listen --pcap`: what was received as a capture. */

import { addressBytes } from './address-bytes'
import type { CaptureFile } from './capture-file'
import { Outlet } from './outlet'
import { type Captured, fileHeader, OVERHEAD, writeRecord } from './pcap'
import type { ListenBatch, Sink } from './sink'
import { wallClock } from './time'

/** Bytes that are put together for one write; the longest record fits several times. */
const PIECE = 1 << 18

/** Where nobody told an address. */
const NOWHERE = { 4: new Uint8Array(4), 16: new Uint8Array(16) }

/** What the socket is bound to. */
interface Name {
  address: string
  port: number
}

/** Every batch is in the file, by whole records, before the next is received. */
export class Capture implements Sink {
  readonly #file: CaptureFile
  readonly #outlet: Outlet
  readonly #bound: Uint8Array
  readonly #keep: number
  readonly #piece = Buffer.allocUnsafeSlow(PIECE)
  /** Filled again for each datagram. */
  readonly #record: Captured
  /** The time in it, where the kernel told that; datagrams of one message share it. */
  #stamp: bigint | null = null
  #shown = 0
  #written = 0

  /**
   * `keep`: payload bytes of each datagram that are written at most. After `signal` it waits no longer for whoever takes
   * nothing for `graceMs`; for a disk it waits, however slow that is.
   */
  constructor(file: CaptureFile, name: Name, keep: number, signal: AbortSignal, graceMs: number) {
    this.#file = file
    this.#outlet = new Outlet(file.isRead ? signal : new AbortController().signal, graceMs)
    this.#bound = addressBytes(name.address)
    this.#keep = keep
    this.#record = {
      ...{ seconds: 0, nanoseconds: 0, source: NOWHERE[4], destination: NOWHERE[4] },
      ...{ sourcePort: 0, destinationPort: name.port, tos: 0, ttl: 0 },
      ...{ bytes: this.#piece, start: 0, length: 0, size: 0 },
    }
  }

  get unwritten(): number {
    return this.#shown - this.#written
  }

  /** Writes what it begins with: a capture of nothing is one, too. */
  begin(): Promise<void> {
    return this.#file.write(fileHeader(this.#keep))
  }

  async show(batch: ListenBatch, count: number): Promise<void> {
    const arrival = wallClock()
    this.#shown += count
    let end = 0
    let first = 0
    for (let index = 0; index < count; index++) {
      const longest = OVERHEAD + Math.min(this.#keep, batch.sizeAt(index))
      if (end + longest > PIECE) {
        await this.#write(end, index - first)
        if (this.#outlet.ended) return
        end = 0
        first = index
      }
      end = writeRecord(this.#piece, end, this.#captured(batch, index, arrival), this.#keep)
    }
    await this.#write(end, count - first)
  }

  async end(): Promise<void> {
    if (!this.#outlet.ended) await this.#outlet.until(this.#file.end(), () => {})
  }

  #write(end: number, datagrams: number): Promise<void> {
    return this.#outlet.until(this.#file.write(this.#piece.subarray(0, end)), () => {
      this.#written += datagrams
    })
  }

  /** Without an object or a view for each: a flood would make millions of them. */
  #captured(batch: ListenBatch, index: number, arrival: number): Captured {
    const packet = batch.at(index)!
    const captured = this.#record
    const { timestamp, destination } = packet
    if (timestamp === null) setTime(captured, arrival)
    else if (timestamp !== this.#stamp) setExactTime(captured, timestamp)
    this.#stamp = timestamp
    const source = addressBytes(batch.addressAt(index))
    const told = destination === null ? this.#bound : addressBytes(destination)
    captured.source = source
    // Of a socket that takes both families, bound to all addresses, the family is the sender's.
    captured.destination = told.length === source.length ? told : NOWHERE[source.length === 4 ? 4 : 16]
    captured.sourcePort = batch.portAt(index)
    captured.tos = packet.tos ?? 0
    captured.ttl = packet.ttl ?? 0
    captured.bytes = batch.bytes
    captured.start = batch.offsetAt(index)
    captured.length = batch.sizeAt(index)
    captured.size = packet.realSize ?? captured.length
    return captured
  }
}

/** Of milliseconds since the epoch, with fractions. */
function setTime(captured: Captured, milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000)
  captured.seconds = seconds
  captured.nanoseconds = Math.min(999_999_999, Math.round((milliseconds - seconds * 1000) * 1e6))
}

function setExactTime(captured: Captured, timestamp: bigint): void {
  captured.seconds = Number(timestamp / 1_000_000_000n)
  captured.nanoseconds = Number(timestamp % 1_000_000_000n)
}
