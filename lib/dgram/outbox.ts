/**
 * Sending for `send()`: datagrams that are sent in one tick leave together, in order, with as few system calls as they
 * take. Each one's callback is called where and when node:dgram would call it.
 *
 * The queue is one for all sockets of the thread, so that two sockets' datagrams do not overtake each other. What finds no
 * room in a send buffer waits with its socket, in order, until there is some.
 */

import { AsyncResource } from 'node:async_hooks'
import { isIP } from 'node:net'
import { constants as os } from 'node:os'
import { socketSendMany } from '../../binding'
import { sendError } from '../errors'
import { type From, type Letters, withLetters } from '../letters'
import { Outcome } from '../outcome'
import { Room, type RoomHost } from '../room'
import { literal } from './literal'

export type Callback = (error: Error | null, bytes?: number) => void

/** What a datagram is made of. */
export type Parts = ArrayBufferView | ArrayBufferView[]

/** One datagram that is to be sent. */
export interface Outgoing {
  readonly outbox: Outbox
  readonly parts: Parts
  /** An IP address, `null` for the connected peer. */
  readonly ip: unknown
  readonly port: unknown
  /** What the caller said instead of `ip`, for the error. */
  readonly address: unknown
  readonly callback: Callback | undefined
  /** node:dgram would have sent it by now; otherwise it does so in the next tick. */
  readonly due: boolean
  /** Bytes that were sent, a negative errno or an error, once that is known. */
  result: number | Error | null
  /** Where the callback belongs, when there was no result by the end of the datagram's own tick. */
  resource: AsyncResource | null
}

/** The socket. */
export interface OutboxHost extends From, RoomHost {
  readonly open: boolean
  readonly family: 4 | 6
}

const { ECANCELED, EDESTADDRREQ, EINVAL, EISCONN } = os.errno

/** Datagrams of this tick. */
let queue: Outgoing[] = []
let scheduled = false
let hooked = false
const outcome = new Outcome()

/** Sends all that is queued. */
function flush(): void {
  scheduled = false
  const all = queue
  queue = []
  for (let first = 0; first < all.length; ) {
    const { outbox } = all[first]!
    let end = first + 1
    while (end < all.length && all[end]!.outbox === outbox) end++
    outbox.transmit(end - first === all.length ? all : all.slice(first, end))
    first = end
  }
}

/** Takes those out of the queue. */
function take(which: (outgoing: Outgoing) => boolean): Outgoing[] {
  const [taken, left]: [Outgoing[], Outgoing[]] = [[], []]
  for (const outgoing of queue) (which(outgoing) ? taken : left).push(outgoing)
  queue = left
  return taken
}

/** The process ends, and there is no next tick. */
function flushDue(): void {
  queue = take(({ due }) => due)
  flush()
}

/** The datagram's own tick: what becomes of its callback. */
function settle(outgoing: Outgoing): void {
  // Callbacks of this tick may have sent again: that is the next tick's, and leaves together.
  if (outgoing.result === null) flush()
  const { outbox, result, due } = outgoing
  if (due && result !== null) complete(outgoing)
  // node:dgram would not have sent it.
  else if (!due && !outbox.open) return
  else if (result !== null) process.nextTick(complete, outgoing)
  else outgoing.resource = new AsyncResource('UDPSENDWRAP')
}

function complete({ callback, result, address, port }: Outgoing): void {
  if (typeof result !== 'number') callback!(result)
  else if (result < 0) callback!(sendError(result, address, port))
  else callback!(null, result)
}

export class Outbox {
  readonly #host: OutboxHost
  readonly #room: Room
  /** There was no room for these. */
  #waiting: Outgoing[] = []
  /** Those of this tick that are due. */
  #due = 0
  #dueBytes = 0

  constructor(host: OutboxHost) {
    this.#host = host
    this.#room = new Room({
      handle: host.handle,
      failed: (syscall, errno) => host.failed(syscall, errno),
      report: (error) => host.report(error),
      drained: () => this.#again(),
    })
  }

  get open(): boolean {
    return this.#host.open
  }

  /** Datagrams that are due and have not left. */
  get count(): number {
    return this.#due + this.#waiting.length
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#waiting.reduce((sum, { parts }) => sum + bytesOf(parts), this.#dueBytes)
  }

  /** Sends a datagram before the next tick is over. */
  post(
    parts: Parts,
    ip: unknown,
    port: unknown,
    address: unknown,
    callback: Callback | undefined,
    due: boolean,
  ): void {
    const outgoing = { outbox: this, parts, ip, port, address, callback, due, result: null, resource: null }
    queue.push(outgoing)
    if (due) {
      this.#due++
      this.#dueBytes += bytesOf(parts)
      if (!hooked) process.on('exit', flushDue)
      hooked = true
    }
    if (callback !== undefined) process.nextTick(settle, outgoing)
    else if (!scheduled) {
      scheduled = true
      process.nextTick(flush)
    }
  }

  /** Sends what is due now: something is about to change that it is not to know of. */
  settle(): void {
    if (this.#due > 0) this.transmit(take((outgoing) => outgoing.outbox === this && outgoing.due))
  }

  /** Datagrams that follow one another in the queue. */
  transmit(outgoing: Outgoing[]): void {
    this.#due = 0
    this.#dueBytes = 0
    if (!this.#host.open) return
    if (this.#waiting.length > 0) this.#waiting.push(...outgoing)
    else this.#send(outgoing)
  }

  /** Sends what is due. What waits will not be sent any more. */
  close(): void {
    this.settle()
    this.#room.close()
    const waiting = this.#waiting
    this.#waiting = []
    for (const outgoing of waiting) this.#done(outgoing, -ECANCELED)
  }

  #again(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#send(waiting)
  }

  #send(outgoing: Outgoing[]): void {
    for (let next = 0; next < outgoing.length; ) {
      const end = withLetters((letters) => this.#chunk(letters, outgoing, next))
      if (end === null) return
      next = end
    }
  }

  /** Sends as many as fit from `first` on: the index behind them, `null` where there was no room for all. */
  #chunk(letters: Letters, outgoing: Outgoing[], first: number): number | null {
    const { connected, handle } = this.#host
    const rows: Outgoing[] = []
    let end = first
    for (; end < outgoing.length && !letters.full; end++) {
      const one = outgoing[end]!
      const refusal = this.#address(letters, one)
      if (refusal === 0) {
        letters.add(one.parts)
        rows.push(one)
      } else this.#done(one, refusal)
    }
    if (rows.length === 0) return end
    const { bytes, table, capacity, length } = letters
    const errno = socketSendMany(
      handle,
      bytes,
      table,
      capacity,
      0,
      length,
      0,
      null,
      connected,
      true,
      true,
      outcome.words,
    )
    const next = errno < 0 ? length : outcome.next
    for (let row = 0; row < next; row++) {
      const failed = errno < 0 ? -errno : letters.errnoOf(row)
      this.#done(rows[row]!, failed > 0 ? -failed : letters.sizeOf(row))
    }
    if (next === length) return end
    this.#waiting = rows.slice(next).concat(outgoing.slice(end))
    this.#room.full()
    return null
  }

  /** Addresses the next datagram: 0 or a negative errno. */
  #address(letters: Letters, { ip, port }: Outgoing): number {
    const { connected, family } = this.#host
    if (ip === null) return connected ? 0 : -EDESTADDRREQ
    if (connected) return -EISCONN
    if (typeof ip !== 'string' || isIP(ip) !== family) return -EINVAL
    letters.to(port, literal(ip), this.#host)
    return 0
  }

  #done(outgoing: Outgoing, result: number): void {
    outgoing.result = result
    outgoing.resource?.runInAsyncScope(() => process.nextTick(complete, outgoing))
  }
}

function bytesOf(parts: Parts): number {
  if (!Array.isArray(parts)) return parts.byteLength
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
}
