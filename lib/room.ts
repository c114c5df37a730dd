/** Waiting for room in the send buffer: `writable()`, and `'drain'` after a send that found none. */

import { socketUnwatch, socketWaitsForOthers, socketWatchStart } from '../binding'
import { abortError, type SystemCallError } from './errors'
import { hold, release } from './keepalive'
import { watch } from './readiness'

/** The socket, as this needs it. */
export interface RoomHost {
  readonly handle: object
  /** The error of a system call that failed; counted. */
  failed(syscall: string, errno: number, address?: string, port?: number): SystemCallError
  /** Tells an error, that was counted, to who listens. */
  report(error: Error): void
  /** There is room again. */
  drained(): void
}

interface Waiter {
  resolve(writable: boolean): void
}

export class Room {
  readonly #host: RoomHost
  #waiters = new Set<Waiter>()
  /** Somebody was told that there is no room: `'drain'` is to follow. */
  #short = false
  #watched = false
  #closed = false
  #ref = true

  constructor(host: RoomHost) {
    this.#host = host
  }

  /** There was none, and `'drain'` has not come yet. */
  get short(): boolean {
    return this.#short
  }

  /** The send buffer was full: `'drain'` follows when there is room. */
  full(): void {
    if (this.#closed) return
    this.#short = true
    try {
      this.#wait()
    } catch (error) {
      // What was sent is to be told all the same.
      this.#short = false
      this.#host.report(error as Error)
    }
  }

  /** Resolves `true` when there is room, `false` when the socket closes. */
  writable(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
      }
      const waiter: Waiter = {
        resolve(writable) {
          resolve(writable)
          end()
        },
      }
      const abort = () => {
        end()
        reject(abortError(signal!))
        this.#keepAlive()
      }
      if (signal?.aborted) return reject(abortError(signal))
      if (this.#closed) return resolve(false)
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
      try {
        this.#wait()
      } catch (error) {
        end()
        this.#keepAlive()
        reject(error)
      }
    })
  }

  ref(referenced: boolean): void {
    this.#ref = referenced
    this.#keepAlive()
  }

  close(): void {
    this.#closed = true
    this.#short = false
    for (const waiter of this.#waiters) waiter.resolve(false)
    this.#keepAlive()
  }

  #keepAlive(): void {
    const alive = !this.#closed && this.#ref && (this.#short || this.#waiters.size > 0)
    if (alive) hold(this)
    else release(this)
  }

  /** Has the socket watched until there is room. */
  #wait(): void {
    // Made anew also where one more peer of a Unix socket is to be waited for.
    if (!this.#watched || socketWaitsForOthers(this.#host.handle)) {
      const errno = watch(this.#host.handle, true, () => this.#wake())
      if (errno < 0) throw this.#host.failed('watch', errno)
      this.#watched = true
    }
    const errno = socketWatchStart(this.#host.handle, true)
    if (errno < 0) throw this.#host.failed('watch', errno)
    this.#keepAlive()
  }

  #wake(): boolean {
    // It is mostly not needed again, and would keep the socket from being collected.
    socketUnwatch(this.#host.handle)
    this.#watched = false
    const short = this.#short
    this.#short = false
    for (const waiter of this.#waiters) waiter.resolve(true)
    this.#keepAlive()
    if (short) this.#host.drained()
    return false
  }
}
