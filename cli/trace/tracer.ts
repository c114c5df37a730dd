/** From lines of the kernel's to calls, lines of ours and figures. */

import type { Clock } from './clock'
import { type Formatter, jsonFormatter, TABLE_HEAD, table } from './format'
import { type Half, type Lost, parseLine } from './line'
import type { TraceOptions } from './options'
import { Pairing } from './pairing'
import type { Summary } from './summary'
import { Tally } from './tally'
import { hasMachineNumbers, Threads } from './threads'

/** A name and the line feeds in it, padded. */
const LONGEST_BEGINNING = 32

export class Tracer {
  readonly #options: Pick<TraceOptions, 'pids' | 'failed' | 'json'>
  readonly #clock: Clock
  readonly #format: Formatter
  readonly #threads: Threads
  readonly #pairing: Pairing
  readonly #tally = new Tally()
  readonly #lost = { events: 0, unknown: false }
  #beginning = ''
  #shown = 0
  #taken = 0

  constructor(
    options: Pick<TraceOptions, 'pids' | 'failed' | 'json'>,
    clock: Clock,
    threads = new Threads(hasMachineNumbers()),
  ) {
    this.#options = options
    this.#clock = clock
    this.#format = options.json ? jsonFormatter() : table
    this.#threads = threads
    this.#pairing = new Pairing((threadId) => threads.lives(threadId))
  }

  /** What the output begins with. */
  get head(): string {
    return this.#options.json ? '' : TABLE_HEAD
  }

  /** Calls that were to be shown so far. */
  get shown(): number {
    return this.#shown
  }

  /** Calls that were to be shown, and have not been taken. */
  get unwritten(): number {
    return this.#shown - this.#taken
  }

  /** Whether events have been lost. */
  get lossy(): boolean {
    return this.#pairing.lossy
  }

  /** The first `shown` of them have been taken. */
  taken(shown: number): void {
    this.#taken = shown
  }

  /** To be called now and then: clocks are set. */
  refresh(): void {
    this.#clock.refresh()
  }

  /** What is to be shown for a line of the trace: the line of a call that it ends, or nothing. */
  add(line: string): string {
    const event = this.#parse(line)
    if (event === null) return ''
    if ('lost' in event) {
      this.#lose(event)
      return ''
    }
    const identity = this.#threads.identify(event)
    if (!this.#wants(identity.processId)) return ''
    const call = this.#pairing.add(event, identity)
    if (call === null) return ''
    this.#tally.add(call)
    if (this.#options.failed && call.returnValue >= 0) return ''
    this.#shown++
    return this.#format(call, this.#clock.epochMicros(call.micros))
  }

  summary(seconds: number): Summary {
    const { begunBefore, halves } = this.#pairing
    return {
      seconds,
      total: this.#tally.total,
      rows: this.#tally.rows(),
      lost: this.#lost,
      begunBefore,
      halves,
      open: this.#pairing
        .stillOpen()
        .map((each) => ({ ...each, since: this.#clock.epochMicros(each.micros) })),
      unwritten: this.unwritten,
    }
  }

  /** A thread's name may have line feeds: what is no event may be the beginning of the next one. */
  #parse(line: string): Half | Lost | null {
    const event = (this.#beginning && parseLine(this.#beginning + line)) || parseLine(line)
    this.#beginning = event === null ? `${this.#beginning}${line}\n`.slice(-LONGEST_BEGINNING) : ''
    return event
  }

  #wants(processId: number): boolean {
    const { pids } = this.#options
    return pids.length > 0 ? pids.includes(processId) : processId !== process.pid
  }

  #lose({ lost }: Lost): void {
    this.#pairing.lossy = true
    if (lost === null) this.#lost.unknown = true
    else this.#lost.events += lost
  }
}
