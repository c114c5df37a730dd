/**
 * Reading from the event loop: who reads, when the socket is watched, what a wake does.
 *
 * A wake is one call of `#wake` by native code, which calls again at once when it says so, within its budget. Each call
 * receives at most one batch and hands it to the reader: the `'batch'` listeners, or the one iterator. Where that reads
 * many sockets, what wakes one of them receives from the one whose turn it is.
 */

import { clearTimeout, setTimeout } from 'node:timers'
import { socketIsShutDown, socketWatchStart, socketWatchStop } from '../binding'
import { type AnyBatch, access } from './batch'
import type { Diagnostics } from './diagnostics'
import { EBADF, EFAULT, EINVAL, ENOTSOCK, ESHUTDOWN } from './errno'
import { abortError, invalidState } from './errors'
import { hold, release } from './keepalive'
import { watch } from './readiness'

/** The socket, as its reader needs it. */
export interface Host {
  readonly handle: object
  newBatch(): AnyBatch
  /** Receives into `batch`: datagrams, 0, or a negative errno. */
  fill(batch: AnyBatch): number
  /** A wake found nothing at all. */
  emptyWake(): void
  /** Who subscribes to the system calls is told last. */
  readonly diagnostics: Pick<Diagnostics, 'publish'>
  /** Hands a batch to the `'batch'` listeners. */
  emitBatch(batch: AnyBatch): void
  /** The error of a system call that failed; counted. */
  failed(syscall: string, errno: number): Error
  /** A receive failed, and reading goes on. */
  passing(syscall: string, errno: number): void
  /** A receive failed, and reading is over. */
  final(errno: number): void
  /** Milliseconds for which an empty socket is left alone. */
  readonly coalesce: number
  /** Strict mode: every batch is a new one. */
  readonly strict: boolean
}

/** Who reads a socket by asking for batches: its iterator, or what it is of an iterator over many. */
export interface Taker {
  /** Whether somebody waits for a batch. */
  readonly pending: boolean
  /** Whether it is another socket's turn at once. */
  readonly more: boolean
  /** Whose turn it is, now that `woken` was woken; `null` where nobody has anything. */
  turn(woken: Reader): Reader | null
  /** A batch has come. */
  give(batch: AnyBatch): void
  /** The socket has closed. */
  finish(): void
  /** The socket has failed for good. */
  fail(error: Error): void
}

interface Waiter {
  resolve(readable: boolean): void
}

/** Errors that no later receive can overcome. */
const FINAL = new Set([EBADF, ENOTSOCK, EFAULT, EINVAL].map((errno) => -errno))
const NONE: number[] = []
/** Wakes in a row that gave nothing but errors, after which any error is final: it would spin. */
const MOST_FAILURES = 16

export class Reader {
  readonly #host: Host
  #listening = false
  #iterator: Taker | null = null
  #paused = false
  #closed = false
  #ref = true
  /** Somebody has read; from then on an open socket keeps the process alive. */
  #engaged = false
  #waiters = new Set<Waiter>()
  #watched = false
  #started = false
  /** The engine's own batch, made when something first arrives. */
  #batch: AnyBatch | null = null
  /** Strict mode: the batch last delivered, whose time ends with the next. */
  #delivered: AnyBatch | null = null
  /** The socket was empty, and is left alone until this is over. */
  #rest: NodeJS.Timeout | null = null
  #failures = 0
  #fruitless = 0
  /** The last receive has left something behind, as far as is known. */
  #more = false
  /** `readable()` has said so, and no receive has been made since. */
  #promised = false

  constructor(host: Host) {
    this.#host = host
  }

  get engaged(): boolean {
    return this.#engaged
  }

  /** The number of `'batch'` listeners changed. */
  listen(listening: boolean): void {
    if (listening === this.#listening) return
    if (listening) this.checkListen()
    this.#listening = listening
    if (listening) this.#engage()
    this.#update()
  }

  /** Refuses a listener beside an iterator. */
  checkListen(): void {
    if (this.#iterator !== null)
      throw invalidState('an iterator is reading this socket: one reader at a time')
  }

  /** `iterator` becomes the reader; `false` where there is nothing to read any more. */
  begin(iterator: Taker): boolean {
    if (this.#listening) throw invalidState("a 'batch' listener is reading this socket: one reader at a time")
    if (this.#iterator !== null)
      throw invalidState('another iterator is reading this socket: one reader at a time')
    if (this.#closed) return false
    this.#iterator = iterator
    this.#engage()
    return true
  }

  /** The iterator waits for a batch. */
  demand(): void {
    this.#update()
  }

  /** `iterator` has ended. */
  end(iterator: Taker): void {
    if (this.#iterator !== iterator) return
    this.#iterator = null
    this.#update()
  }

  /** Neither closed nor paused, nor left alone for a while. */
  get willing(): boolean {
    return !this.#closed && !this.#paused && this.#rest === null
  }

  pause(): void {
    this.#paused = true
    this.#update()
  }

  resume(): void {
    const paused = this.#paused
    this.#paused = false
    try {
      this.#update()
    } catch (error) {
      this.#paused = paused
      throw error
    }
    // Also where the watch runs: a descriptor closed behind our back is noticed here at the latest.
    if (this.#started) this.#startWatch()
  }

  ref(referenced: boolean): void {
    this.#ref = referenced
    this.#keepAlive()
  }

  /** Resolves `true` at the next wake, `false` when the socket closes. */
  readable(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const settle = (readable: boolean) => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
        resolve(readable)
      }
      const waiter: Waiter = { resolve: settle }
      const fail = (error: unknown) => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', abort)
        reject(error)
        this.#keepAlive()
      }
      const abort = () => {
        fail(abortError(signal!))
        this.#update()
      }
      if (signal?.aborted) return reject(abortError(signal))
      if (this.#closed) return resolve(false)
      signal?.addEventListener('abort', abort, { once: true })
      this.#waiters.add(waiter)
      try {
        this.#update()
      } catch (error) {
        fail(error)
      }
    })
  }

  /** A receive gave nothing: ESHUTDOWN where `readable()` had promised something and never can keep it. */
  broken(): number {
    const broken = this.#promised && socketIsShutDown(this.#host.handle)
    this.#promised = false
    return broken ? -ESHUTDOWN : 0
  }

  close(): void {
    this.#closed = true
    this.#started = false
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#keepAlive()
    for (const waiter of this.#waiters) waiter.resolve(false)
    const iterator = this.#iterator
    this.#iterator = null
    iterator?.finish()
  }

  /** Ends the iterator, if there is one, with an error. */
  failIterator(error: Error): boolean {
    const iterator = this.#iterator
    this.#iterator = null
    iterator?.fail(error)
    return iterator !== null
  }

  #engage(): void {
    this.#engaged = true
    this.#keepAlive()
  }

  #keepAlive(): void {
    const alive = !this.#closed && this.#ref && (this.#engaged || this.#waiters.size > 0)
    if (alive) hold(this)
    else release(this)
  }

  /** Whether somebody takes a batch now. */
  get #delivering(): boolean {
    return this.willing && (this.#listening || this.#iterator?.pending === true)
  }

  /**
   * Has the socket watched while somebody waits for it, and not otherwise.
   *
   * @throws the error of a watch that could not be begun.
   */
  #update(): void {
    if (this.#closed) return
    this.#keepAlive()
    const wanted = this.#waiters.size > 0 || this.#delivering
    // An iterator whose consumer is busy is left watched: it mostly comes back before the next wake.
    if (wanted) this.#start()
    else if (this.#iterator === null || this.#paused || this.#rest !== null) this.#stop()
  }

  #start(): void {
    if (this.#started) return
    if (!this.#watched) {
      const errno = watch(this.#host.handle, false, () => this.#wake())
      if (errno === -EBADF) {
        this.#host.final(errno)
        return
      }
      // No descriptor to be had, say: it may work the next time, and the socket can be read by recv.
      if (errno < 0) throw this.#host.failed('watch', errno)
      this.#watched = true
    }
    this.#startWatch()
  }

  #startWatch(): void {
    const errno = socketWatchStart(this.#host.handle, false)
    if (errno < 0) this.#host.final(errno)
    else this.#started = true
  }

  #stop(): void {
    if (!this.#started) return
    this.#started = false
    socketWatchStop(this.#host.handle, false)
  }

  /** One batch. Whether there is probably another, and somebody to take it. */
  #wake(): boolean {
    this.#tellWaiters()
    if (!this.#delivering) {
      this.#keepAlive()
      this.#stop()
      return false
    }
    const iterator = this.#iterator
    if (iterator === null) return this.#receive()
    const reader = iterator.turn(this)
    if (reader === null) {
      this.#host.emptyWake()
      return false
    }
    if (reader !== this) reader.#tellWaiters()
    return reader.#receive() || iterator.more
  }

  #tellWaiters(): void {
    if (this.#waiters.size > 0) this.#promised = true
    for (const waiter of this.#waiters) waiter.resolve(true)
  }

  #receive(): boolean {
    let again = false
    try {
      again = this.#receiveBatch()
    } finally {
      this.#host.diagnostics.publish()
    }
    return again && !this.#closed
  }

  #receiveBatch(): boolean {
    this.#batch ??= this.#host.newBatch()
    const batch = this.#batch
    let count = this.#host.fill(batch)
    let errors = NONE
    if (count < 0) {
      errors = [count]
      // A pending error comes before the data behind it, and receiving takes it from the socket.
      if (!FINAL.has(count)) count = this.#host.fill(batch)
      if (count < 0) errors.push(count)
    }
    const { more } = access.memory(batch)
    if (count === 0 && errors === NONE && !this.#more) this.#host.emptyWake()
    this.#more = count > 0 && more
    try {
      if (count > 0) this.#deliver(batch)
    } finally {
      if (errors === NONE) this.#failures = 0
      else this.#report(errors, count)
    }
    if (count === 0) this.#nothing()
    const again = count > 0 && more
    if (!again && this.#host.coalesce > 0 && !this.#closed) this.#leaveAlone()
    return again && (this.#listening || this.#iterator !== null) && !this.#paused && !this.#closed
  }

  #leaveAlone(): void {
    const over = () => {
      this.#rest = null
      this.#update()
    }
    // What the loop is kept alive by is the reader.
    this.#rest = setTimeout(over, this.#host.coalesce).unref()
    this.#update()
  }

  #deliver(batch: AnyBatch): void {
    this.#fruitless = 0
    if (this.#host.strict) {
      if (this.#delivered !== null) access.memory(this.#delivered).retire()
      this.#delivered = batch
      this.#batch = null
    }
    if (this.#iterator !== null) this.#iterator.give(batch)
    else this.#host.emitBatch(batch)
  }

  /** `count` is what the wake's last receive gave: it was no failure if it found the queue empty, or data. */
  #report(errors: number[], count: number): void {
    this.#failures = count < 0 ? this.#failures + 1 : 0
    for (const [index, errno] of errors.entries()) {
      if (this.#closed) return
      const last = index === errors.length - 1
      if (FINAL.has(errno) || (last && this.#failures >= MOST_FAILURES)) this.#host.final(errno)
      else this.#host.passing('recvmmsg', errno)
    }
  }

  /** Readable, and nothing there. Once may be chance; for ever it is a socket shut down for reading. */
  #nothing(): void {
    if (++this.#fruitless >= 2 && !this.#closed && socketIsShutDown(this.#host.handle)) {
      this.#host.final(-ESHUTDOWN)
    }
  }
}
