/** Whose turn it is among many sockets: each that has something gives one batch, then all are asked again. */

import { socketsReadable } from '../binding'
import type { Engine } from './engine'

export class Turns {
  readonly #engines: Engine[]
  /** Those of this round that have not had their turn. */
  #round: Engine[] = []

  constructor(engines: Engine[]) {
    this.#engines = engines
  }

  /** Those that are not closed. */
  get open(): Engine[] {
    return this.#engines.filter((engine) => !engine.closed)
  }

  /** Whether somebody waits for a turn. */
  get left(): boolean {
    return this.#round.length > 0
  }

  /** The next of this round that `may` have its turn; the others before it lose theirs. */
  next(may: (engine: Engine) => boolean): Engine | null {
    let next = this.#round.shift()
    while (next !== undefined && !may(next)) next = this.#round.shift()
    return next ?? null
  }

  /**
   * Begins a round with those of `engines` that have something for a receive, and waits up to `timeout` milliseconds for
   * the first. Gives their number, or a negative errno.
   */
  ask(engines: Engine[], timeout: number): number {
    const ready = new Uint8Array(engines.length)
    const handles = engines.map(({ handle }) => handle)
    const count = socketsReadable(handles, ready, timeout)
    this.#round = count > 0 ? engines.filter((_engine, index) => ready[index] === 1) : []
    return count
  }
}
