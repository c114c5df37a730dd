import { socketStats } from '../binding'

/** What a socket has counted since it was made, or since the counts were last reset. Each is exact up to 2⁵³. */
export interface SocketStats {
  /** Datagrams received. */
  datagrams: number
  /** Bytes of their payloads. */
  bytes: number
  /** Messages that they came in: with UDP_GRO one holds up to 128 datagrams. */
  messages: number
  /** Receives that gave at least one datagram. */
  batches: number
  /** Those of them that filled the batch: as many messages as were asked for (`capacity`, `vlen`). There was probably more. */
  fullBatches: number
  /**
   * How often the event loop said that there was something to read, and there was nothing: another holder of the
   * descriptor was quicker, or what had come was dropped for its checksum.
   */
  emptyWakes: number
  /** Messages of more than one datagram, which the kernel had coalesced (UDP_GRO). */
  groMessages: number
  /** Datagrams that came in these. */
  groDatagrams: number
  /** Datagrams that were longer than their slot and lost their end. */
  truncated: number
  /** Datagrams that arrived and had no room in the batch's table: lost. It takes a kernel that coalesces more than 128. */
  overflow: number
  /** Messages whose control data was cut (`MSG_CTRUNC`). */
  controlTruncated: number
  /**
   * **Messages** that the kernel dropped at this socket: its receive buffer was full, a filter refused them, or their
   * checksum was wrong. With UDP_GRO one message is up to 128 datagrams. It is the kernel's own counter, from when its socket
   * was made or the counts were last reset, modulo 2³²; `null` where the system does not tell (SO_MEMINFO, Linux 4.12).
   */
  kernelDrops: number | null
  /**
   * Messages that the kernel dropped between those that were received, as the option `drops` tells: the sum of the
   * `'drop'` events. 0 without the option.
   */
  dropped: number
  /** Descriptors that peers passed with their messages to a Unix socket (SCM_RIGHTS): each was closed at once. */
  descriptors: number
  /** System calls that received or found nothing: one a batch with recvmmsg(2), one a message with the loop. */
  recvCalls: number
  /** Datagrams that the kernel took for sending. */
  sent: number
  /** Bytes of their payloads. */
  sentBytes: number
  /** Messages that they went in: with UDP_SEGMENT one holds up to 128 datagrams. */
  sentMessages: number
  /** System calls that sent, or tried to. */
  sendCalls: number
  /** Nanoseconds spent in the system calls that receive; waiting is not in it. `null` without the option `timing`. */
  recvTime: number | null
  /** Nanoseconds spent in the system calls that send. `null` without the option `timing`. */
  sendTime: number | null
  /** Errors told, by code. More calls may have failed: a send of many tries a refused datagram again. */
  errors: Record<string, number>
  /** How many batches held 2ⁿ to 2ⁿ⁺¹ - 1 datagrams, at index n. */
  batchSizes: number[]
}

/** The order in which `socketStats` fills its array; the classes of batch sizes follow. */
const COUNTS = [
  'datagrams',
  'bytes',
  'messages',
  'batches',
  'fullBatches',
  'groMessages',
  'groDatagrams',
  'truncated',
  'overflow',
  'controlTruncated',
  'dropped',
  'descriptors',
  'recvCalls',
  'sent',
  'sentBytes',
  'sentMessages',
  'sendCalls',
] as const
/** Below 0 where nobody tells. */
const TOLD = ['recvTime', 'sendTime', 'kernelDrops'] as const
const HEAD = COUNTS.length + TOLD.length
const LENGTH = HEAD + 22

type NativeStats = Omit<SocketStats, 'errors' | 'emptyWakes'>

/** The native counts of the open socket behind `handle`. */
export function readStats(handle: object, reset: boolean): NativeStats {
  const numbers = new Float64Array(LENGTH)
  socketStats(handle, numbers, reset)
  const counts = Object.fromEntries(COUNTS.map((field, index) => [field, numbers[index]!]))
  const told = Object.fromEntries(
    TOLD.map((field, index) => {
      const number = numbers[COUNTS.length + index]!
      return [field, number < 0 ? null : number]
    }),
  )
  return {
    ...(counts as Record<(typeof COUNTS)[number], number>),
    ...(told as Record<(typeof TOLD)[number], number | null>),
    batchSizes: Array.from(numbers.subarray(HEAD)),
  }
}

/** What a socket counts: native code what comes and goes, this what fails. */
export class Counts {
  readonly #handle: object
  readonly #failures = new Map<string, number>()
  #emptyWakes = 0
  /** Something was received before the last reset. */
  #received = false
  /** The native counts of a socket that is closed. */
  #last: NativeStats | null = null

  constructor(handle: object) {
    this.#handle = handle
  }

  /** Whether something has ever been received. */
  get received(): boolean {
    return this.#received || (this.#last ?? readStats(this.#handle, false)).messages > 0
  }

  /** The counts, in objects of the caller's own; with `reset` they begin anew. */
  read(reset: boolean): SocketStats {
    const stats = this.#last ?? readStats(this.#handle, reset)
    const errors = Object.fromEntries(this.#failures)
    const all = { ...stats, emptyWakes: this.#emptyWakes, errors, batchSizes: [...stats.batchSizes] }
    if (reset) this.#reset(all.messages > 0)
    return all
  }

  fail(code: string, times: number): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + times)
  }

  emptyWake(): void {
    this.#emptyWakes += 1
  }

  /** The socket is about to be closed: these are the last. */
  close(): void {
    this.#last = readStats(this.#handle, false)
  }

  #reset(received: boolean): void {
    this.#received ||= received
    this.#failures.clear()
    this.#emptyWakes = 0
    const last = this.#last
    if (last === null) return
    for (const field of COUNTS) last[field] = 0
    for (const field of TOLD) if (last[field] !== null) last[field] = 0
    last.batchSizes.fill(0)
  }
}
