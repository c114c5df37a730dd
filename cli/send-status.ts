/** Where the sender says how it goes: standard error, or standard output for lines of JSON. */

import type { AddressInfo, UdpSocket } from '../index'
import { Progress } from './progress'
import type { SendRates, SendSummary } from './send-meter'
import type { SendOptions } from './send-options'
import { sendingText, sendLine, sendSummaryText } from './send-report'

export class SendStatus {
  readonly #progress: Progress

  constructor(json: boolean) {
    this.#progress = new Progress(json ? process.stdout : null)
  }

  get intervalMs(): number {
    return this.#progress.intervalMs
  }

  sending(to: AddressInfo, sockets: readonly UdpSocket[], options: SendOptions): void {
    const { file, size, rate, gso, flows } = options
    this.#progress.tell(sendingText(to.address, options), 'sending', {
      ...to,
      size: file === null ? size : null,
      rate: Number.isFinite(rate) ? rate : null,
      gso,
      flows,
      ports: sockets.map((socket) => socket.address().port),
    })
  }

  update(rates: SendRates): void {
    this.#progress.update(sendLine(rates), 'status', rates)
  }

  /** The last words. */
  summary(summary: SendSummary): void {
    this.#progress.tell(sendSummaryText(summary), 'summary', summary)
  }

  /** Resolves `true` when all of it is taken, `false` after `graceMs`. */
  flushed(graceMs: number): Promise<boolean> {
    return this.#progress.flushed(graceMs)
  }
}
