/** Signals without a pause. */

import type { ChildProcess } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'

/** Sends a signal again and again until the child has ended; npm, for one, sends on what the terminal has sent to both. */
export async function bombard(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    child.kill(signal)
    await setImmediate()
  }
}
