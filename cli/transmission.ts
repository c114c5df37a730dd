/** The sender's loop. */

import type { Target, UdpSocket } from '../index'
import type { Pace } from './pace'
import type { SendMeter } from './send-meter'
import type { Run, Source } from './source'

/** A longer wait for the source, in milliseconds, is its own: what would have been due meanwhile is not late. */
const IDLE_MS = 100

export class Transmission {
  readonly #sockets: readonly UdpSocket[]
  readonly #to: Target
  readonly #meter: SendMeter
  readonly #signal: AbortSignal

  /** From these sockets in turn, which are closed with `signal`. */
  constructor(sockets: readonly UdpSocket[], to: Target, meter: SendMeter, signal: AbortSignal) {
    this.#sockets = sockets
    this.#to = to
    this.#meter = meter
    this.#signal = signal
  }

  /** Sends what `source` gives, `most` datagrams with a call and `count` in all. */
  async send(source: Source, pace: Pace, most: number, count: number): Promise<void> {
    let turn = 0
    for (let left = count; left > 0 && !this.#signal.aborted; ) {
      const ready = source.ready()
      if (ready !== true && !(await this.#waitFor(ready, pace))) break
      const due = Math.min(pace.due(), most, left)
      if (due <= 0) {
        await pace.wait()
        continue
      }
      const run = source.take(due)
      left -= run.length
      pace.sent(run.length)
      await this.#run(this.#sockets[turn++ % this.#sockets.length]!, run)
    }
    // The last one's part of the time: 10 datagrams at 10 a second take a second.
    if (!this.#signal.aborted) await pace.wait()
  }

  async #waitFor(ready: boolean | Promise<boolean>, pace: Pace): Promise<boolean> {
    const since = performance.now()
    const more = await ready
    if (performance.now() - since > IDLE_MS) pace.restart()
    return more && !this.#signal.aborted
  }

  /** Sends all of it, however often there is no room. */
  async #run(socket: UdpSocket, run: Run): Promise<void> {
    const { packets, segmentSize } = run
    for (let start = 0; !this.#signal.aborted; ) {
      const result = socket.sendBatch(packets, { to: this.#to, segmentSize, start })
      this.#meter.count(run, start, result)
      start = result.next
      if (start >= run.length) return
      await socket.writable()
    }
  }
}
