/**
 * Receiving for `'message'`: datagrams are copied out of the slots they arrived in, each into a Buffer that its listener
 * owns for good, and given one by one.
 */

import { setImmediate } from 'node:timers'
import * as workers from 'node:worker_threads'
import {
  batchGather,
  reportException,
  socketIsShutDown,
  socketReceive,
  socketWatchStart,
} from '../../binding'
import { addressText, type Family, familyText } from '../address'
import { ESHUTDOWN } from '../errno'
import { hold, release } from '../keepalive'
import * as layout from '../layout'
import { Memory } from '../memory'
import { watch } from '../readiness'
import { runQueued } from './queued'
import type { RemoteInfo } from './types'

/** As constants of this module: V8 folds these, and not another module's. */
const {
  ADDRESS,
  COALESCED_SLOT,
  DATAGRAM,
  FAMILY,
  FLAGS,
  MESSAGE,
  MESSAGE_INDEX,
  PORT_SHIFT,
  SCOPE_ID,
  SIZE,
} = layout

/**
 * Bytes of a slab that Buffers are cut from: what a fill brought, between these. A Buffer that is kept keeps its slab, so
 * the larger is the most that one small datagram can hold on to; no datagram is longer.
 */
const SMALLEST_SLAB = 8 * 1024
const LARGEST_SLAB = 64 * 1024

/** Milliseconds after which timers and other sockets have their turn, and messages between two looks at the clock. */
const TURN_MS = 1
const LOOK_AT_CLOCK = 16

/** Receives in a row that found nothing where something was to be, after which the socket may have been shut down. */
const MOST_FRUITLESS = 2

/** Not in every runtime. */
const markAsUntransferable = workers.markAsUntransferable as ((object: object) => void) | undefined

/** Who is told. */
export interface InboxHost {
  /** The native socket. */
  readonly handle: object
  /** It is open. */
  readonly open: boolean
  message(data: Buffer, rinfo: RemoteInfo): void
  /** A call failed; `errno` is negative. */
  error(syscall: string, errno: number): void
  /** Runs a callback from the event loop where the socket was made, for `AsyncLocalStorage` and its kin. */
  scope<T>(callback: () => T): T
}

/** A fill that is being given. */
interface Fill {
  memory: Memory
  /** The next to be given. */
  next: number
  /** Those before this one are in `slab`, the next one from byte `at` on. */
  gathered: number
  slab: Buffer
  at: number
}

/** Slots of this thread's sockets, by capacity: what a wake finds is in slabs when it is over. */
const memories = new Map<number, Memory>()

/**
 * Bytes of a slot: a cache line more than the longest message needs. In slots that begin a power of two apart the first
 * lines of all are in the same few places of the cache, and these are all that most datagrams use.
 */
const SLOT = COALESCED_SLOT + 64

/** The slab in use, and where it is free. */
let slab: Buffer = Buffer.alloc(0)
let free = 0

export class Inbox {
  readonly #host: InboxHost
  readonly #capacity: number
  /** What was received and has not been given. */
  #left: Fill | null = null
  #resuming = false
  #reading = false
  #ref = true
  #fruitless = 0
  /** The message that is being given. */
  readonly #from = new Sender()
  #data: Buffer = slab
  #port = 0

  constructor(host: InboxHost, capacity: number) {
    this.#host = host
    this.#capacity = capacity
  }

  get reading(): boolean {
    return this.#reading
  }

  ref(referenced: boolean): void {
    this.#ref = referenced
    this.#keepAlive()
  }

  /** Begins to read, until `stop`: 0 or a negative errno. */
  start(): number {
    let errno = watch(this.#host.handle, false, () => this.wake())
    if (errno === 0) errno = socketWatchStart(this.#host.handle, false)
    this.#reading = errno === 0
    this.#keepAlive()
    return errno
  }

  /** What is not given yet is lost, as what the kernel holds. */
  stop(): void {
    this.#reading = false
    this.#left = null
    this.#keepAlive()
  }

  #keepAlive(): void {
    if (this.#reading && this.#ref) hold(this)
    else release(this)
  }

  /** One fill, or what is left of the last one. Whether to call again at once. */
  wake(): boolean {
    if (!this.#reading) return false
    const left = this.#left
    this.#left = null
    if (left !== null) return this.#give(left)
    const memory = this.#memory()
    const { bytes, table, packetSize, capacity } = memory
    const count = socketReceive(this.#host.handle, bytes, table, packetSize, capacity, 0, 0)
    memory.settle(count)
    if (count > 0) {
      this.#fruitless = 0
      return this.#give({ memory, next: 0, gathered: 0, slab, at: 0 })
    }
    if (count === 0) this.#nothing()
    else this.#host.scope(() => this.#host.error('recvmsg', count))
    // A pending error comes before the data behind it.
    return count < 0 && this.#reading
  }

  #memory(): Memory {
    let memory = memories.get(this.#capacity)
    if (memory === undefined) {
      memory = new Memory(this.#capacity, SLOT)
      memories.set(this.#capacity, memory)
    }
    return memory
  }

  /** Readable, and nothing there: once may be chance, for ever it is a socket shut down for reading. */
  #nothing(): void {
    if (++this.#fruitless < MOST_FRUITLESS || !socketIsShutDown(this.#host.handle)) return
    this.stop()
    this.#host.scope(() => this.#host.error('recvmsg', -ESHUTDOWN))
  }

  /** Gives the datagrams of a fill. Whether there is probably more. */
  #give(fill: Fill): boolean {
    const { memory } = fill
    const { length, datagrams, messages } = memory
    let seen = -1
    let end = fill.next + LOOK_AT_CLOCK
    const deadline = performance.now() + TURN_MS
    while (fill.next < length) {
      // A listener may have transferred the slab away, with its own message in it.
      if (fill.next === fill.gathered || fill.slab.length === 0) gather(fill)
      const row = fill.next * DATAGRAM
      const size = datagrams[row + SIZE]!
      const message = datagrams[row + MESSAGE_INDEX]!
      if (message !== seen && !this.#from.is(messages, message * MESSAGE)) {
        this.#from.read(messages, message * MESSAGE)
      }
      seen = message
      const { at } = fill
      fill.next++
      fill.at = at + ((size + 7) & ~7)
      this.#data = fill.slab.subarray(at, at + size)
      this.#port = datagrams[row + FLAGS]! >>> PORT_SHIFT
      try {
        this.#host.scope(this.#emit)
      } catch (error) {
        reportException(error)
      }
      if (!this.#reading) return false
      // What the last one has queued runs when this callback ends.
      if (fill.next === length) break
      if (runQueued === undefined) return this.#keep(fill)
      try {
        runQueued()
      } catch (error) {
        // Here, and not by letting it through: it is a tick's, whose end Node would miss, and would end the process.
        reportException(error)
      }
      if (!this.#reading) return false
      if (fill.next < end) continue
      if (performance.now() >= deadline) return this.#keep(fill)
      end = fill.next + LOOK_AT_CLOCK
    }
    return memory.more
  }

  /** The next message, in the async context of the socket. */
  readonly #emit = () => {
    const { address, family } = this.#from
    const data = this.#data
    this.#host.message(data, { address, family, port: this.#port, size: data.length })
  }

  /** Has the rest of a fill given when timers and other sockets have had their turn; it is not to be called at once. */
  #keep(fill: Fill): false {
    this.#left = fill
    // They are in its slots: nobody else's may come there.
    if (memories.get(this.#capacity) === fill.memory) memories.delete(this.#capacity)
    if (!this.#resuming) {
      this.#resuming = true
      setImmediate(() => {
        this.#resuming = false
        if (this.#left !== null) this.wake()
      })
    }
    return false
  }
}

/** The sender of the last message, who is mostly the next one's as well. */
class Sender {
  address = ''
  family: Family = 'IPv4'
  /** The words of the address, and of what else its text depends on. */
  #a = 0
  #b = 0
  #c = 0
  #d = 0
  #scopeId = 0
  #version = -1

  is(words: Uint32Array, at: number): boolean {
    return (
      words[at + ADDRESS] === this.#a &&
      words[at + FAMILY] === this.#version &&
      (this.#version === 4 ||
        (words[at + ADDRESS + 1] === this.#b &&
          words[at + ADDRESS + 2] === this.#c &&
          words[at + ADDRESS + 3] === this.#d &&
          words[at + SCOPE_ID] === this.#scopeId))
    )
  }

  read(words: Uint32Array, at: number): void {
    this.#a = words[at + ADDRESS]!
    this.#b = words[at + ADDRESS + 1]!
    this.#c = words[at + ADDRESS + 2]!
    this.#d = words[at + ADDRESS + 3]!
    this.#scopeId = words[at + SCOPE_ID]!
    this.#version = words[at + FAMILY]!
    this.address = addressText(words, at)
    this.family = familyText(words, at)
  }
}

/** Copies what fits into one slab. */
function gather(fill: Fill): void {
  const { memory, next } = fill
  const { bytes, table, datagrams, capacity, length } = memory
  let end = next
  let needed = 0
  for (; end < length; end++) {
    const size = (datagrams[end * DATAGRAM + SIZE]! + 7) & ~7
    if (needed + size > LARGEST_SLAB) break
    needed += size
  }
  if (slab.length - free < needed) {
    slab = Buffer.allocUnsafeSlow(Math.max(needed, SMALLEST_SLAB))
    // Whoever transferred one message away would take its neighbours along.
    markAsUntransferable?.(slab.buffer)
    free = 0
  }
  fill.gathered = batchGather(bytes, table, capacity, next, end, slab, free)
  fill.slab = slab
  fill.at = free
  free += needed
}
