/**
 * Sending for `send()`: datagrams that are sent in one tick leave together, in order, with as few system calls as they
 * take. Each one's callback is called where and when node:dgram would call it.
 *
 * The queues are those of all sockets of the thread, so that two sockets' datagrams do not overtake each other. In one are
 * those that are due: node:dgram has sent them when `send` returns. The first of a tick leaves at once here as well, what
 * follows waits for the tick's end, and goes before anything is done that it is not to know of. In the other queue are
 * those that node:dgram sends a tick later. What finds no room in a send buffer waits with its socket.
 */

import { AsyncResource } from 'node:async_hooks'
import { isIP } from 'node:net'
import { socketSend, socketSendMany } from '../../binding'
import { ECANCELED, EDESTADDRREQ, EINVAL, EISCONN } from '../errno'
import { sendError } from '../errors'
import { type From, type Letters, withLetters } from '../letters'
import { Outcome } from '../outcome'
import { Room, type RoomHost } from '../room'
import { bytesOf, joined, own } from './arguments'
import { literal } from './literal'

export type Callback = (error: Error | null, bytes?: number) => void

/** What a datagram is made of. */
export type Parts = Uint8Array | Uint8Array[]

/** One datagram that is to be sent. */
export interface Outgoing {
  readonly outbox: Outbox
  parts: Parts
  /** An IP address, `null` for the connected peer. */
  readonly ip: unknown
  readonly port: unknown
  /** What the caller said instead of `ip`, for the error. */
  readonly address: unknown
  readonly callback: Callback | undefined
  /** node:dgram would have sent it by now; otherwise it does so in the next tick. */
  readonly due: boolean
  /** Bytes that were sent or a negative errno, once that is known. */
  result: number | null
  /** Where the callback belongs, when there was no result by the end of the datagram's own tick. */
  resource: AsyncResource | null
}

/** The socket. */
export interface OutboxHost extends From, RoomHost {
  readonly open: boolean
  readonly family: 4 | 6
}

/** Datagrams and bytes that may be due: memory of the caller's is copied for them. */
const MOST_DUE = 1024
const MOST_DUE_BYTES = 256 * 1024
/** Payload bytes from which copying costs more than a call of its own. */
const LARGE = 4096

let due: Outgoing[] = []
let dueBytes = 0
let later: Outgoing[] = []
let laterScheduled = false
/** One that was due has left in this tick: others are to wait for each other. */
let begun = false
/** Ticks in which some were due. */
let ticks = 0
/** There is no next tick. */
let ending = false
const outcome = new Outcome()

process.on('exit', () => {
  ending = true
  settleAll()
})

/** Sends what is due: something is about to change, of whatever socket, that it is not to know of. */
export function settleAll(): void {
  if (due.length === 0) return
  const all = due
  due = []
  dueBytes = 0
  transmit(all)
}

function endTick(): void {
  begun = false
  ticks++
  settleAll()
}

/** Sends all that is queued. */
function flush(): void {
  laterScheduled = false
  settleAll()
  const all = later
  later = []
  transmit(all)
}

function transmit(all: Outgoing[]): void {
  for (let first = 0; first < all.length; ) {
    const { outbox } = all[first]!
    let end = first + 1
    while (end < all.length && all[end]!.outbox === outbox) end++
    outbox.transmit(end - first === all.length ? all : all.slice(first, end))
    first = end
  }
}

/** The datagram's own tick: what becomes of its callback. */
function settle(outgoing: Outgoing): void {
  // Callbacks of this tick may have sent again: that is the next tick's, and leaves together.
  if (outgoing.result === null) {
    if (outgoing.due) settleAll()
    else flush()
  }
  if (outgoing.due && outgoing.result !== null) complete(outgoing)
  // node:dgram would not have sent it.
  else if (!outgoing.due && !outgoing.outbox.open) return
  else if (outgoing.result !== null) process.nextTick(complete, outgoing)
  else outgoing.resource = new AsyncResource('UDPSENDWRAP')
}

function complete({ callback, result, address, port }: Outgoing): void {
  if (result! < 0) callback!(sendError(result!, address, port))
  else callback!(null, result!)
}

export class Outbox {
  readonly #host: OutboxHost
  readonly #room: Room
  /** There was no room for these. */
  #waiting: Outgoing[] = []
  /** Those that were due in this tick, until it is over. */
  #tick = -1
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

  /** Datagrams for which there was no room, and those that were due in this tick. */
  get count(): number {
    return this.#waiting.length + (this.#tick === ticks ? this.#due : 0)
  }

  /** Their bytes. */
  get bytes(): number {
    const now = this.#tick === ticks ? this.#dueBytes : 0
    return this.#waiting.reduce((sum, { parts }) => sum + bytesOf(parts), now)
  }

  /** Sends a datagram in the next tick, together with others. */
  post(parts: Parts, ip: unknown, port: unknown, address: unknown, callback: Callback | undefined): void {
    const outgoing = this.#outgoing(parts, ip, port, address, callback, false)
    later.push(outgoing)
    if (callback !== undefined) process.nextTick(settle, outgoing)
    else if (!laterScheduled) {
      laterScheduled = true
      process.nextTick(flush)
    }
  }

  /** Sends a datagram now, or before anybody can tell the difference. */
  postDue(parts: Parts, ip: unknown, port: unknown, address: unknown, callback: Callback | undefined): void {
    const bytes = bytesOf(parts)
    if (this.#tick !== ticks) {
      this.#tick = ticks
      this.#due = 0
      this.#dueBytes = 0
    }
    this.#due++
    this.#dueBytes += bytes
    const alone = ending || bytes >= LARGE || !begun
    // What leaves now needs no memory of its own.
    const outgoing = this.#outgoing(alone ? parts : own(parts), ip, port, address, callback, true)
    if (alone) {
      settleAll()
      this.transmit([outgoing])
    } else {
      due.push(outgoing)
      dueBytes += bytes
      if (due.length >= MOST_DUE || dueBytes >= MOST_DUE_BYTES) settleAll()
    }
    if (callback !== undefined) process.nextTick(settle, outgoing)
    if (begun) return
    begun = true
    // A promise's job: a loop that awaits what is there already leaves no tick.
    void Promise.resolve().then(endTick)
  }

  #outgoing(
    parts: Parts,
    ip: unknown,
    port: unknown,
    address: unknown,
    callback: Callback | undefined,
    isDue: boolean,
  ): Outgoing {
    return { outbox: this, parts, ip, port, address, callback, due: isDue, result: null, resource: null }
  }

  /** Datagrams that follow one another in the queue. */
  transmit(outgoing: Outgoing[]): void {
    if (!this.#host.open) return
    if (this.#waiting.length === 0) {
      this.#send(outgoing)
      return
    }
    for (const one of outgoing) this.#waiting.push(kept(one))
    // There was no descriptor to wait with.
    if (!this.#room.short) this.#again()
  }

  /** What waits will not be sent any more. */
  close(): void {
    this.#room.close()
    const waiting = this.#waiting
    this.#waiting = []
    // Their callbacks come after 'close'.
    process.nextTick(() => {
      for (const outgoing of waiting) this.#done(outgoing, -ECANCELED)
    })
  }

  #again(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#send(waiting)
  }

  #send(outgoing: Outgoing[]): void {
    for (let next = 0; next < outgoing.length; ) {
      const first = outgoing[next]!
      const single = outgoing.length === 1 || bytesOf(first.parts) >= LARGE
      const end = single
        ? this.#single(first, next)
        : withLetters((letters) => this.#chunk(letters, outgoing, next))
      if (end < 0) {
        this.#waiting = outgoing.slice(-end - 1).filter(({ result }) => result === null)
        this.#waiting.forEach(kept)
        this.#room.full()
        return
      }
      next = end
    }
  }

  /** Sends one at `index`: the index behind it, or -1 - `index` where there was no room. */
  #single(one: Outgoing, index: number): number {
    const refusal = this.#refusal(one)
    if (refusal !== 0) this.#done(one, refusal)
    else {
      const bytes = joined(one.parts)
      const { ip, port } = one
      const address = ip === null ? '' : literal(ip)
      const result = socketSend(this.#host.handle, bytes, address, ip === null ? 0 : (port as number))
      if (result === 0) return -1 - index
      this.#done(one, result < 0 ? result : bytes.length)
    }
    return index + 1
  }

  /** Sends as many as fit from `first` on: the index behind them, or -1 - the first for which there was no room. */
  #chunk(letters: Letters, outgoing: Outgoing[], first: number): number {
    const { connected, handle } = this.#host
    const rows: number[] = []
    let end = first
    for (; end < outgoing.length && !letters.full; end++) {
      const one = outgoing[end]!
      if (end > first && bytesOf(one.parts) >= LARGE) break
      const refusal = this.#refusal(one) || this.#address(letters, one)
      if (refusal === 0) {
        letters.add(one.parts)
        rows.push(end)
      } else this.#done(one, refusal)
    }
    if (rows.length === 0) return end
    const { bytes, table, capacity, length } = letters
    const { words } = outcome
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
      words,
    )
    const next = errno < 0 ? length : outcome.next
    for (let row = 0; row < next; row++) {
      const failed = errno < 0 ? errno : -letters.errnoOf(row)
      this.#done(outgoing[rows[row]!]!, failed < 0 ? failed : letters.sizeOf(row))
    }
    return next === length ? end : -1 - rows[next]!
  }

  /** Why a datagram cannot be sent: 0, or a negative errno. */
  #refusal({ ip }: Outgoing): number {
    const { connected, family } = this.#host
    if (ip === null) return connected ? 0 : -EDESTADDRREQ
    if (typeof ip !== 'string' || isIP(ip) !== family) return -EINVAL
    return connected ? -EISCONN : 0
  }

  /** Addresses the next datagram: 0 or a negative errno. */
  #address(letters: Letters, { ip, port }: Outgoing): number {
    if (ip === null) return 0
    try {
      letters.to(port, literal(ip), this.#host)
      return 0
    } catch {
      return -EINVAL
    }
  }

  #done(outgoing: Outgoing, result: number): void {
    outgoing.result = result
    outgoing.resource?.runInAsyncScope(() => process.nextTick(complete, outgoing))
  }
}

/** One that waits. What was due is the caller's again, so it gets memory of its own. */
function kept(outgoing: Outgoing): Outgoing {
  if (outgoing.due) outgoing.parts = own(outgoing.parts)
  return outgoing
}
