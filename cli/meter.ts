/** What the listener measures: the socket's counts and the process's CPU time, over time. */

import type { AddressInfo, SocketStats, UnixAddressInfo } from '../index'
import type { ListenBatch, ListenSocket } from './sink'

/** The state of things, and rates since the last time they were asked for. */
export interface Rates {
  /** Since the start. */
  seconds: number
  /** Datagrams since the start. */
  datagrams: number
  /** Bytes of their payloads. */
  bytes: number
  /** Receives that gave something. */
  batches: number
  /** Messages that the kernel dropped since the start; `null` where it does not tell. */
  kernelDrops: number | null
  datagramsPerSecond: number
  /** Of payload. */
  megabitsPerSecond: number
  /** `null` where there was no batch. */
  datagramsPerBatch: number | null
  /** User and system, of one core. */
  cpuPercent: number
}

/** What a socket is bound to. */
export type Name = AddressInfo | UnixAddressInfo

/** All that is known at the end; rates are over the whole time. */
export type Summary = Name & Totals

interface Totals extends Rates {
  backend: string
  messages: number
  cpuSeconds: number
  /** `null` where there was no datagram. */
  cpuNanosecondsPerDatagram: number | null
  truncated: number
  overflow: number
  controlTruncated: number
  /** Received, but what they were written to did not take them before the end. */
  unwritten: number
  errors: Record<string, number>
  batchSizes: number[]
}

interface Sample {
  seconds: number
  cpuSeconds: number
  stats: SocketStats
}

export class Meter {
  readonly #socket: ListenSocket
  readonly #name: Name
  readonly #first: Sample
  #last: Sample
  #drops = 0
  /** Received beyond what was asked for. */
  #extra = { datagrams: 0, bytes: 0 }
  /** The size of the batch in which that was, before and after it was left out. */
  #cut: { from: number; to: number } | null = null

  constructor(socket: ListenSocket) {
    this.#socket = socket
    this.#name = socket.address()
    this.#first = this.#sample()
    this.#last = this.#first
    this.#drops = this.#first.stats.kernelDrops ?? 0
  }

  /** The datagrams of `batch`, the last one, from index `from`, 1 or more, on are not for the summary. */
  leaveOut(batch: ListenBatch, from: number): void {
    this.#cut = { from: batch.length, to: from }
    this.#extra.datagrams += batch.length - from
    for (let index = from; index < batch.length; index++) this.#extra.bytes += batch.sizeAt(index)
  }

  /** The rates since the last call. */
  rates(): Rates {
    const since = this.#last
    this.#take()
    return this.#between(since, this.#last)
  }

  /** The time that `summary` is about ends here. */
  stop(): void {
    this.#take()
  }

  summary(unwritten: number): Summary {
    const stats = { ...this.#last.stats }
    stats.datagrams -= this.#extra.datagrams
    stats.bytes -= this.#extra.bytes
    stats.batchSizes = this.#resized(stats.batchSizes)
    const rates = this.#between(this.#first, { ...this.#last, stats })
    const cpuSeconds = this.#last.cpuSeconds - this.#first.cpuSeconds
    const { messages, truncated, overflow, controlTruncated, errors, batchSizes } = stats
    return {
      ...this.#name,
      backend: this.#socket.backend,
      ...rates,
      messages,
      cpuSeconds,
      cpuNanosecondsPerDatagram: ratio(cpuSeconds * 1e9, rates.datagrams),
      truncated,
      overflow,
      controlTruncated,
      unwritten,
      errors,
      batchSizes,
    }
  }

  #resized(batchSizes: number[]): number[] {
    const sizes = [...batchSizes]
    if (this.#cut === null) return sizes
    sizes[Math.floor(Math.log2(this.#cut.from))]!--
    sizes[Math.floor(Math.log2(this.#cut.to))]!++
    return sizes
  }

  #take(): void {
    const sample = this.#sample()
    // The kernel counts modulo 2³².
    this.#drops += ((sample.stats.kernelDrops ?? 0) - (this.#last.stats.kernelDrops ?? 0)) >>> 0
    this.#last = sample
  }

  #sample(): Sample {
    const { user, system } = process.cpuUsage()
    return {
      seconds: performance.now() / 1000,
      cpuSeconds: (user + system) / 1e6,
      stats: this.#socket.stats(),
    }
  }

  #between(from: Sample, to: Sample): Rates {
    const seconds = to.seconds - from.seconds
    const datagrams = to.stats.datagrams - from.stats.datagrams
    const bytes = to.stats.bytes - from.stats.bytes
    return {
      seconds: to.seconds - this.#first.seconds,
      datagrams: to.stats.datagrams,
      bytes: to.stats.bytes,
      batches: to.stats.batches,
      kernelDrops: to.stats.kernelDrops === null ? null : this.#drops,
      datagramsPerSecond: datagrams / seconds,
      megabitsPerSecond: (bytes * 8) / 1e6 / seconds,
      datagramsPerBatch: ratio(datagrams, to.stats.batches - from.stats.batches),
      cpuPercent: (100 * (to.cpuSeconds - from.cpuSeconds)) / seconds,
    }
  }
}

function ratio(value: number, by: number): number | null {
  return by === 0 ? null : value / by
}
