import { print } from './stdio'

/** Output that is waited for, but not for ever: who reads it may have stopped without closing it. */
export class Outlet {
  #ended = false
  #giveUp: () => void = () => {}
  #timer: NodeJS.Timeout | undefined

  /** After `signal` it waits no longer for whoever takes nothing for `graceMs`. */
  constructor(signal: AbortSignal, graceMs: number) {
    const giveUp = () => {
      this.#ended = true
      this.#giveUp()
    }
    signal.addEventListener('abort', () => {
      this.#timer = setTimeout(giveUp, graceMs).unref()
    })
  }

  /** It waits no longer. */
  get ended(): boolean {
    return this.#ended
  }

  /** Writes to standard output. As `until`. */
  write(text: string, taken: () => void): Promise<void> {
    return this.until(print(text), taken)
  }

  /** Resolves when what is written is taken, or is not going to be. `taken` is called when it is, however late. */
  until(written: Promise<void>, taken: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = resolve
      if (this.#ended) resolve()
      const done = () => {
        // What has run out stays so.
        if (!this.#ended) this.#timer?.refresh()
        taken()
        resolve()
      }
      written.then(done, reject)
    })
  }
}
