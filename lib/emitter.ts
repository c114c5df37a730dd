import { EventEmitter } from 'node:events'

type Listener = (...args: unknown[]) => void

/** Told about an emitter's listeners. */
export interface ListenerWatch {
  /** Before one is added: throws to refuse it. */
  adding(event: string | symbol): void
  /** After one was added or removed, or all. */
  changed(): void
}

/**
 * An EventEmitter that tells when listeners come and go. (`'newListener'` and `'removeListener'` would not do: they are
 * listeners themselves, and `removeAllListeners()` takes them away.)
 */
class Watched extends EventEmitter {
  readonly #watch: ListenerWatch

  constructor(watch: ListenerWatch) {
    super()
    this.#watch = watch
  }

  override on(event: string | symbol, listener: Listener): this {
    this.#watch.adding(event)
    super.on(event, listener)
    this.#added(event, listener)
    return this
  }

  override addListener(event: string | symbol, listener: Listener): this {
    return this.on(event, listener)
  }

  override prependListener(event: string | symbol, listener: Listener): this {
    this.#watch.adding(event)
    super.prependListener(event, listener)
    this.#added(event, listener)
    return this
  }

  override removeListener(event: string | symbol, listener: Listener): this {
    super.removeListener(event, listener)
    this.#watch.changed()
    return this
  }

  override off(event: string | symbol, listener: Listener): this {
    return this.removeListener(event, listener)
  }

  override removeAllListeners(event?: string | symbol): this {
    // With an undefined argument EventEmitter would look for an event of that name.
    if (event === undefined) super.removeAllListeners()
    else super.removeAllListeners(event)
    this.#watch.changed()
    return this
  }

  /** What its coming started may be refused even now: `'newListener'` has run somebody's code. */
  #added(event: string | symbol, listener: Listener): void {
    try {
      this.#watch.changed()
    } catch (error) {
      this.removeListener(event, listener)
      throw error
    }
  }
}

/** `Watched` with typed events. */
export const WatchedEmitter = Watched as unknown as new <Events extends Record<keyof Events, unknown[]>>(
  watch: ListenerWatch,
) => EventEmitter<Events>
