import { socketStats } from '../binding'

/** What a socket has counted since it was made. */
export interface SocketStats {
  /** Datagrams received. */
  datagrams: number
  /** Bytes of their payloads. */
  bytes: number
  /** Messages that they came in: with UDP_GRO one holds up to 128 datagrams. */
  messages: number
  /** Receives that gave at least one datagram. */
  batches: number
  /** Datagrams that were longer than their slot and lost their end. */
  truncated: number
  /** Datagrams that arrived and had no room in the batch's table: lost. It takes a kernel that coalesces more than 128. */
  overflow: number
  /** Messages whose control data was cut (`MSG_CTRUNC`). */
  controlTruncated: number
  /**
   * **Messages** that the kernel dropped at this socket: its receive buffer was full, a filter refused them, or their
   * checksum was wrong. With UDP_GRO one message is up to 128 datagrams. Counted from when the socket was made, modulo
   * 2³²; `null` where the system does not tell (SO_MEMINFO, Linux 4.12).
   */
  kernelDrops: number | null
  /**
   * Messages that the kernel dropped between those that were received, as the option `drops` tells: the sum of the
   * `'drop'` events. 0 without the option.
   */
  dropped: number
  /** Descriptors that peers passed with their messages to a Unix socket (SCM_RIGHTS): each was closed at once. */
  descriptors: number
  /** Failed calls by error code. */
  errors: Record<string, number>
  /** How many batches held 2ⁿ to 2ⁿ⁺¹ - 1 datagrams, at index n. */
  batchSizes: number[]
}

/** The order in which `socketStats` fills its array; the classes of batch sizes follow. */
const FIELDS = [
  'datagrams',
  'bytes',
  'messages',
  'batches',
  'truncated',
  'overflow',
  'controlTruncated',
  'dropped',
  'descriptors',
] as const
const KERNEL_DROPS = FIELDS.length
const BATCH_SIZES = KERNEL_DROPS + 1
const LENGTH = BATCH_SIZES + 22

/** The native counts of the open socket behind `handle`. */
export function readStats(handle: object): Omit<SocketStats, 'errors'> {
  const numbers = new Float64Array(LENGTH)
  socketStats(handle, numbers)
  const counts = Object.fromEntries(FIELDS.map((field, index) => [field, numbers[index]!]))
  const drops = numbers[KERNEL_DROPS]!
  return {
    ...(counts as Record<(typeof FIELDS)[number], number>),
    kernelDrops: drops < 0 ? null : drops,
    batchSizes: Array.from(numbers.subarray(BATCH_SIZES)),
  }
}
