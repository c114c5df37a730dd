/** What a socket of `recvmmsg/dgram` is made of. */

import type { EventEmitter } from 'node:events'
import { notRunning } from '../errors'
import type { Handle } from './handle'
import type { Settings } from './options'

export type Progress = 'no' | 'underway' | 'yes'

export interface State {
  readonly settings: Settings
  /** `null` once it is closed. */
  handle: Handle | null
  bound: Progress
  connected: Progress
  /** What was asked for while it was being bound. */
  queue: (() => void)[] | null
}

export const STATE = Symbol('state')

/** A socket as its methods know it. */
export interface Stateful extends EventEmitter {
  type: string
  [STATE]: State
}

/** The handle of an open socket. */
export function running(socket: Stateful): Handle {
  const { handle } = socket[STATE]
  if (handle === null) throw notRunning()
  return handle
}
