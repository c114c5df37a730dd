/** One measurement: a receiver at rest, a sender from its start to its end, and the receiver at rest again. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../problem'
import { Child } from './child'
import { MAIN, NODE } from './peers'
import type { Bound, Stock } from './receiver'

/** What is sent. */
export interface Load {
  /** Payload bytes. */
  size: number
  /** Datagrams of one message (UDP_SEGMENT), where the system has that. */
  segments: number
  flows: number
}

export interface Round {
  sent: number
  received: number
  /** Sent and not received: the kernel dropped them, as the receiver was not fast enough. */
  lost: number
  /** How long the sender sent. */
  seconds: number
  cpuNanoseconds: number
  /** `null` where nothing was received. */
  nsPerDatagram: number | null
}

/** A receiver is at rest when it has counted no more for so long, in milliseconds. */
const QUIET_MS = 30
const PATIENCE_MS = 10_000

export class Receiver {
  readonly #child: Child
  readonly bound: Bound

  private constructor(child: Child, bound: Bound) {
    this.#child = child
    this.bound = bound
  }

  static async start(command: string, args: string[]): Promise<Receiver> {
    const child = new Child(command, args)
    return new Receiver(child, await child.answer<Bound>())
  }

  /** Sends to it for so long. */
  async measure(load: Load, ms: number): Promise<Round> {
    const before = await this.#rest()
    const { datagrams: sent, seconds } = await send(this.bound.port, load, ms)
    const after = await this.#rest()
    const received = after.datagrams - before.datagrams
    if (after.bytes - before.bytes !== received * load.size) {
      throw new Failure(`it received ${received} datagrams, and not ${load.size} bytes of each`)
    }
    const cpuNanoseconds = (after.cpuMicroseconds - before.cpuMicroseconds) * 1000
    const nsPerDatagram = received === 0 ? null : cpuNanoseconds / received
    return { sent, received, lost: sent - received, seconds, cpuNanoseconds, nsPerDatagram }
  }

  end(): Promise<void> {
    return this.#child.end()
  }

  /** Its figures once they change no more; CPU as it was first told with them, as asking costs some. */
  async #rest(): Promise<Stock> {
    const deadline = performance.now() + PATIENCE_MS
    let last = await this.#child.ask<Stock>()
    for (;;) {
      await sleep(QUIET_MS)
      const next = await this.#child.ask<Stock>()
      if (next.datagrams === last.datagrams) return last
      if (performance.now() > deadline) throw new Failure('it did not come to the end of its queue')
      last = next
    }
  }
}

/** What `recvmmsg send` tells at its end. */
interface Sent {
  datagrams: number
  seconds: number
}

/** By this package, as fast as it goes. */
async function send(port: number, { size, segments, flows }: Load, ms: number): Promise<Sent> {
  const how = { to: `127.0.0.1:${port}`, size, gso: segments, flows, duration: ms / 1000 }
  const args = Object.entries(how).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new Child(NODE, [MAIN, 'send', ...args, '--json']).last<Sent>(ms)
}
