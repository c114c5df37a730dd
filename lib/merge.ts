import { performance } from 'node:perf_hooks'
import { socketIsShutDown } from '../binding'
import { type AnyBatch, access, type PacketBatch } from './batch'
import { DatagramSocket, engineOf } from './datagram-socket'
import type { Engine } from './engine'
import { ESHUTDOWN } from './errno'
import * as errors from './errors'
import { Group } from './group'
import { BatchIterator } from './iterator'
import { type RecvOptions, recvSettings } from './recv-options'
import type { UdpSocket } from './socket'
import { Turns } from './turns'
import type { UnixDatagramSocket } from './unix-datagram-socket'
import { validateAbortSignal, validateOptions } from './validators'

/** Options of `merge`. */
export interface MergeOptions {
  /** Ends a loop over it when aborted, with an AbortError. The sockets stay open. */
  signal?: AbortSignal
}

const SOCKET = 'an instance of UdpSocket or UnixDatagramSocket'

/** Who has it may make one. */
const KEY = Symbol('merged')

let make: (engines: Engine[], signal: AbortSignal | undefined) => Merged<unknown>

/** Many sockets that are read as one; by `merge`. */
export class Merged<Socket = UdpSocket> implements AsyncIterable<PacketBatch<Socket>> {
  readonly #turns: Turns
  readonly #signal: AbortSignal | undefined

  static {
    make = (engines, signal) => new Merged(KEY, engines, signal)
  }

  /** Use `merge`. */
  private constructor(key: symbol, engines: Engine[], signal: AbortSignal | undefined) {
    if (key !== KEY) throw errors.illegalConstructor()
    this.#turns = new Turns(engines)
    this.#signal = signal
  }

  /**
   * Receives into `batch` from one of the sockets: the next in turn that has something. `batch.socket` is that one, also
   * where it throws. Always legal, also beside readers.
   *
   * **Blocks this thread** for up to `timeout` when one is given, until any of them has something; otherwise as
   * `UdpSocket.recv`. Sockets that are closed are passed over.
   *
   * @param batch Filled again: what it showed is gone, also where 0 is returned.
   * @param options.flags `constants.MSG_PEEK` and its kin. @defaultValue 0
   * @param options.timeout Milliseconds to wait for the first datagram, 0 to Infinity. @defaultValue 0
   * @returns Datagrams, 0 where nothing came.
   * @throws as `UdpSocket.recv`; ERR_BATCH_SLOT_TOO_SMALL when any of the sockets coalesces and the batch's slots are
   * below 65,536 bytes; ERR_SOCKET_DGRAM_NOT_RUNNING when all of them are closed.
   * @see https://man7.org/linux/man-pages/man2/poll.2.html
   */
  recv(batch: AnyBatch, options: RecvOptions = {}): number {
    if (!access.is(batch)) throw errors.invalidArgType('batch', 'an instance of PacketBatch', batch)
    const { flags, timeout } = recvSettings(options)
    for (const engine of this.#open) engine.assertFits(batch)
    const deadline = timeout > 0 ? performance.now() + timeout : 0
    for (let last = false; ; ) {
      const count = this.#takeTurns(batch, flags, timeout > 0)
      if (count > 0 || last) return count
      const left = timeout > 0 ? Math.max(deadline - performance.now(), 0) : 0
      last = left === 0
      const open = this.#open // a listener may have closed some
      const ready = this.#turns.ask(open, left)
      if (ready < 0) throw errors.systemError('poll', ready)
      // It empties the batch, as a receive does that finds nothing.
      if (ready === 0) return open[0]!.receive(batch, batch.capacity, flags, 0)
    }
  }

  /**
   * Iterates over the batches of all of them: `for await (const batch of merge(sockets))`. It ends when all are closed.
   * Each socket's batch is its own, and all are valid until the loop's next turn.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<PacketBatch<Socket>> {
    return new BatchIterator<Socket>(new Group(this.#turns, this.#signal))
  }

  get #open(): Engine[] {
    const { open } = this.#turns
    if (open.length === 0) throw errors.notRunning()
    return open
  }

  /** Receives from those of this round until one gives something: datagrams, or 0. */
  #takeTurns(batch: AnyBatch, flags: number, waits: boolean): number {
    for (;;) {
      const engine = this.#turns.next(({ closed }) => !closed)
      if (engine === null) return 0
      const count = engine.receive(batch, batch.capacity, flags, 0)
      if (count > 0) return count
      // Readable for ever, and a wait for it would not be one.
      if (waits && socketIsShutDown(engine.handle)) throw engine.failed('recvmmsg', -ESHUTDOWN)
    }
  }
}

/**
 * Many sockets as one: `for await` gives batches of whichever has something, and `recv` does so in a worker thread, with
 * a timeout. Each that has something gives one batch in turn, so a busy one does not keep the others waiting.
 * `batch.socket` tells whose it is.
 *
 * The iterator is the reader of each of them from its first `next()` to its end.
 *
 * @param sockets At least one, each of them once; they may differ in family, backend and options.
 * @param options.signal Ends a loop when aborted, with an AbortError. The sockets stay open.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; ERR_SOCKET_DGRAM_NOT_RUNNING when one is closed; AbortError when
 * `signal` is aborted already.
 * @example
 * for await (const batch of merge([dns, dns6])) {
 *   batch.socket.sendBatch(Array.from(batch, (query) => ({ data: answer(query.data), to: query })))
 * }
 */
export function merge<Socket extends UdpSocket | UnixDatagramSocket>(
  sockets: Iterable<Socket>,
  options: MergeOptions = {},
): Merged<Socket> {
  const { signal } = validateOptions(options, ['signal'])
  if (signal !== undefined) validateAbortSignal(signal, 'options.signal')
  const engines = new Set<Engine>()
  for (const [index, socket] of items(sockets).entries()) {
    const name = `sockets[${index}]`
    if (!(socket instanceof DatagramSocket)) throw errors.invalidArgType(name, SOCKET, socket)
    const engine = engineOf(socket)
    if (engines.has(engine)) throw errors.invalidArgValue(name, socket, 'is in the list already')
    engine.assertOpen()
    engines.add(engine)
  }
  if (engines.size === 0) throw errors.invalidArgValue('sockets', sockets, 'must hold at least one socket')
  if (signal?.aborted) throw errors.abortError(signal)
  return make([...engines], signal) as Merged<Socket>
}

function items(sockets: unknown): unknown[] {
  const iterable = typeof (sockets as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function'
  if (!iterable || typeof sockets === 'string') {
    throw errors.invalidArgType('sockets', 'an iterable of UdpSocket and UnixDatagramSocket', sockets)
  }
  return [...(sockets as Iterable<unknown>)]
}
