/** Which of the two ways of `src/readiness` a socket is watched by. */

import { AsyncResource } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import { hubCreate, hubTurned, socketWatch } from '../binding'
import { uvPollWorks } from './capabilities'
import { isDeno, isNode } from './runtime'
import { validateOneOf } from './validators'

/** The environment's helper thread, made when it is first needed. */
let hub: object | undefined
let turning = false

/**
 * Has `wake` called when the socket behind `handle` is readable, or `writable`; 0 or a negative errno.
 *
 * By libuv where the runtime has it. `RECVMMSG_READINESS` can ask for `thread`, the helper thread, or `uv`.
 */
export function watch(handle: object, writable: boolean, wake: () => boolean): number {
  const wanted = process.env.RECVMMSG_READINESS || 'auto'
  validateOneOf(wanted, 'process.env.RECVMMSG_READINESS', ['auto', 'uv', 'thread'])
  if (wanted !== 'thread' && uvPollWorks()) return socketWatch(handle, null, writable, wake)
  if (hub === undefined) {
    const made = hubCreate()
    if (typeof made === 'number') return made
    hub = made
  }
  // Only Node keeps the async context of `AsyncLocalStorage` for a callback of native code.
  const inContext = isNode ? wake : AsyncResource.bind(wake)
  const call = () => {
    if (!turning) setImmediate(turned)
    turning = true
    return inContext()
  }
  return socketWatch(handle, hub, writable, isDeno ? oncePerTurn(call) : call)
}

/** The event loop has had its turn: the thread may tell again of what was read in the last one. */
function turned(): void {
  turning = false
  hubTurned(hub!)
}

/**
 * Has each call made by a turn of the event loop of its own: Deno runs ticks and promises between these, and not between
 * callbacks of native code. The thread is not to tell again before that, so `turned` comes after it.
 */
function oncePerTurn(call: () => boolean): () => boolean {
  let waiting = false
  const wait = (): false => {
    if (!waiting) setImmediate(turn)
    waiting = true
    return false
  }
  const turn = () => {
    waiting = false
    if (call()) wait()
  }
  return wait
}
