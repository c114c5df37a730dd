/** What a listener has queued, between two messages of one callback. */

import { isBun } from '../runtime'

interface Runtime {
  /** With which Node ends each callback. */
  _tickCallback?(): void
  getBuiltinModule?(name: string): { drainMicrotasks?(): void } | undefined
}

const runtime = process as unknown as Runtime

/**
 * Runs what listeners have queued with `process.nextTick` and promises, as node:dgram does between two messages. Where
 * the runtime has no such function each message is given by a callback of its own.
 *
 * Bun has Node's function only in name. Its own runs promises before ticks.
 */
export const runQueued: (() => void) | undefined = isBun
  ? runtime.getBuiltinModule?.('bun:jsc')?.drainMicrotasks
  : runtime._tickCallback
