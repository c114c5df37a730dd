/** Where the listener says how it goes: standard error. */

import type { UdpSocket } from '../index'
import type { Rates, Summary } from './meter'
import { endpoint, grouped, statusLine, summaryText } from './report'

/** To the start of the line, and nothing on it. */
const CLEAR = '\r\x1b[K'

export class Status {
  readonly #json: boolean
  /** One line, redrawn in place. */
  readonly #live: boolean

  constructor(json: boolean) {
    this.#json = json
    this.#live = !json && process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  }

  get intervalMs(): number {
    return this.#live ? 500 : 1000
  }

  listening(socket: UdpSocket): void {
    const name = socket.address()
    const { backend } = socket
    const recvBufferSize = socket.getRecvBufferSize()
    const how = `${backend}, receive buffer ${grouped(recvBufferSize)} bytes`
    if (this.#json) this.#event('listening', { ...name, backend, recvBufferSize })
    else process.stderr.write(`listening on ${endpoint(name.address, name.port)} (${how})\n`)
  }

  update(rates: Rates): void {
    const line = statusLine(rates)
    if (this.#json) this.#event('status', rates)
    // Cut where the terminal would wrap it: a line of two could not be redrawn.
    else if (this.#live) process.stderr.write(CLEAR + line.slice(0, (process.stderr.columns || 80) - 1))
    else process.stderr.write(`${line}\n`)
  }

  /** Takes the live line away where output is about to begin on it. */
  beforeOutput(): void {
    if (this.#live && process.stdout.isTTY) process.stderr.write(CLEAR)
  }

  /** The last words. */
  summary(summary: Summary): void {
    if (this.#json) this.#event('summary', summary)
    else process.stderr.write((this.#live ? CLEAR : '') + summaryText(summary))
  }

  #event(event: string, fields: object): void {
    process.stderr.write(`${JSON.stringify({ event, ...fields })}\n`)
  }
}
