/** Where the listener says how it goes: standard error. */

import { nameOf } from './datagrams'
import { plain } from './escape'
import type { Name, Rates, Summary } from './meter'
import { Progress } from './progress'
import { endpoint, grouped, statusLine, summaryText } from './report'
import type { ListenSocket } from './sink'

export class Status {
  readonly #progress: Progress

  constructor(json: boolean) {
    this.#progress = new Progress(json ? process.stderr : null)
  }

  get intervalMs(): number {
    return this.#progress.intervalMs
  }

  listening(socket: ListenSocket): void {
    const name = socket.address()
    const { backend } = socket
    const recvBufferSize = socket.getRecvBufferSize()
    const how = `${backend}, receive buffer ${grouped(recvBufferSize)} bytes`
    const text = `listening on ${bound(name)} (${how})\n`
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

function bound(name: Name): string {
  return 'path' in name ? plain(nameOf(name.path)) : endpoint(name.address, name.port)
}
