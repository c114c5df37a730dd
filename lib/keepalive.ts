/**
 * What keeps the event loop alive: one timer for all sockets that want it. A socket that is paused has nothing that the
 * loop waits for, yet it is open; and the helper thread's sockets are unknown to the loop at all.
 */

import timers from 'node:timers'

// As they are now: a program's tests may put others in their place for a while.
const { clearInterval, setInterval } = timers

const LONGEST = 2 ** 31 - 1
const holders = new Set<object>()
let timer: NodeJS.Timeout | undefined

export function hold(holder: object): void {
  holders.add(holder)
  timer ??= setInterval(() => {}, LONGEST)
}

export function release(holder: object): void {
  if (holders.delete(holder) && holders.size === 0) {
    clearInterval(timer)
    timer = undefined
  }
}
