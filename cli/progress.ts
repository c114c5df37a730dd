/** How a command tells how it goes: a live line on a terminal, a line now and then elsewhere, or lines of JSON. */

import { flushed } from './stdio'

/** To the start of the line, and nothing on it. */
const CLEAR = '\r\x1b[K'

export class Progress {
  readonly #json: NodeJS.WriteStream | null
  /** One line, redrawn in place. */
  readonly #live: boolean
  #drawn = false

  /** `json`: where lines of JSON go, `null` for text, which goes to standard error. */
  constructor(json: NodeJS.WriteStream | null) {
    this.#json = json
    this.#live = json === null && process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  }

  get intervalMs(): number {
    return this.#live ? 500 : 1000
  }

  /** Tells once, in text or as an event with fields. */
  tell(text: string, event: string, fields: object): void {
    if (this.#json === null) process.stderr.write((this.#drawn ? CLEAR : '') + text)
    else this.#json.write(`${JSON.stringify({ event, ...fields })}\n`)
    this.#drawn = false
  }

  /** Tells in place of what was told last. */
  update(line: string, event: string, fields: object): void {
    if (this.#live) {
      // Cut where the terminal would wrap it: a line of two could not be redrawn.
      process.stderr.write(CLEAR + line.slice(0, (process.stderr.columns || 80) - 1))
      this.#drawn = true
    } else {
      this.tell(`${line}\n`, event, fields)
    }
  }

  /** Takes the live line away where output is about to begin on it. */
  beforeOutput(): void {
    if (this.#live && process.stdout.isTTY) process.stderr.write(CLEAR)
  }

  /** Resolves `true` when all of it is taken, `false` after `graceMs`. */
  flushed(graceMs: number): Promise<boolean> {
    return flushed(this.#json ?? process.stderr, graceMs)
  }
}
