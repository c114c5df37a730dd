/** What the sender measures: what became of the datagrams, and the process's CPU time, over time. */

import type { AddressInfo, SendResult, UdpSocket } from '../index'
import type { Run } from './source'

/** The state of things, and rates since the last time they were asked for. */
export interface SendRates {
  /** Since the start. */
  seconds: number
  /** Datagrams that the system took, since the start. */
  datagrams: number
  /** Bytes of their payloads. */
  bytes: number
  /** Datagrams that it refused. */
  failed: number
  /** How often the send buffer was full. */
  bufferFull: number
  datagramsPerSecond: number
  /** Of payload. */
  megabitsPerSecond: number
  /** User and system, of one core. */
  cpuPercent: number
}

/** All that is known at the end; rates are over the whole time. */
export interface SendSummary extends SendRates, AddressInfo {
  cpuSeconds: number
  /** `null` where there was no datagram. */
  cpuNanosecondsPerDatagram: number | null
  /** Failures by code. */
  errors: Record<string, number>
}

interface Sample {
  seconds: number
  cpuSeconds: number
  datagrams: number
  bytes: number
}

export class SendMeter {
  readonly #to: AddressInfo
  readonly #sockets: readonly UdpSocket[]
  readonly #first: Sample
  #last: Sample
  #datagrams = 0
  #bytes = 0
  #failed = 0
  #bufferFull = 0

  constructor(to: AddressInfo, sockets: readonly UdpSocket[]) {
    this.#to = to
    this.#sockets = sockets
    this.#first = this.#sample()
    this.#last = this.#first
  }

  /** What became of `run` from `start` on. */
  count(run: Run, start: number, { sent, failed, next }: SendResult): void {
    this.#datagrams += sent
    this.#failed += failed
    // Which of several failed is told of the first only; those that are refused for their size go alone.
    const part = sent + failed === 0 ? 0 : sent / (sent + failed)
    this.#bytes += Math.round(run.bytes(start, next) * part)
    if (next < run.length) this.#bufferFull++
  }

  get failed(): number {
    return this.#failed
  }

  /** The rates since the last call. */
  rates(): SendRates {
    const since = this.#last
    this.#last = this.#sample()
    return this.#between(since)
  }

  /** The time that `summary` is about ends here. */
  stop(): void {
    this.#last = this.#sample()
  }

  summary(): SendSummary {
    const cpuSeconds = this.#last.cpuSeconds - this.#first.cpuSeconds
    return {
      ...this.#to,
      ...this.#between(this.#first),
      cpuSeconds,
      cpuNanosecondsPerDatagram: this.#datagrams === 0 ? null : (cpuSeconds * 1e9) / this.#datagrams,
      errors: this.#errors(),
    }
  }

  #sample(): Sample {
    const { user, system } = process.cpuUsage()
    return {
      seconds: performance.now() / 1000,
      cpuSeconds: (user + system) / 1e6,
      datagrams: this.#datagrams,
      bytes: this.#bytes,
    }
  }

  #between(from: Sample): SendRates {
    const to = this.#last
    const seconds = to.seconds - from.seconds
    return {
      seconds: to.seconds - this.#first.seconds,
      datagrams: to.datagrams,
      bytes: to.bytes,
      failed: this.#failed,
      bufferFull: this.#bufferFull,
      datagramsPerSecond: (to.datagrams - from.datagrams) / seconds,
      megabitsPerSecond: ((to.bytes - from.bytes) * 8) / 1e6 / seconds,
      cpuPercent: (100 * (to.cpuSeconds - from.cpuSeconds)) / seconds,
    }
  }

  #errors(): Record<string, number> {
    const sum: Record<string, number> = {}
    for (const socket of this.#sockets) {
      for (const [code, count] of Object.entries(socket.stats().errors)) sum[code] = (sum[code] ?? 0) + count
    }
    return sum
  }
}
