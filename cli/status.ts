/** Where the listener says how it goes: standard error. */

import type { UdpSocket } from '../index'
import type { Rates, Summary } from './meter'
import { Progress } from './progress'
import { endpoint, grouped, statusLine, summaryText } from './report'

export class Status {
  readonly #progress: Progress

  constructor(json: boolean) {
    this.#progress = new Progress(json ? process.stderr : null)
  }

  get intervalMs(): number {
    return this.#progress.intervalMs
  }

  listening(socket: UdpSocket): void {
    const name = socket.address()
    const { backend } = socket
    const recvBufferSize = socket.getRecvBufferSize()
    const how = `${backend}, receive buffer ${grouped(recvBufferSize)} bytes`
    const text = `listening on ${endpoint(name.address, name.port)} (${how})\n`
    this.#progress.tell(text, 'listening', { ...name, backend, recvBufferSize })
  }

  update(rates: Rates): void {
    this.#progress.update(statusLine(rates), 'status', rates)
  }

  /** Takes the live line away where output is about to begin on it. */
  beforeOutput(): void {
    this.#progress.beforeOutput()
  }

  /** The last words. */
  summary(summary: Summary): void {
    this.#progress.tell(summaryText(summary), 'summary', summary)
  }
}
