/** What SIGINT and SIGTERM do: they end the command, which still has its summary to write. */

/**
 * Calls `listener` for each of the two signals, to the last moment of the process: npm sends on what the terminal has
 * sent to everybody, so a second one may come at any time.
 */
export function onInterruption(listener: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener)
  // A process that ends of itself takes its handlers down first, and a signal that comes then kills it, with that as
  // its status; `exit()` leaves them in place. Nothing is waited for any more at this point.
  process.once('beforeExit', () => process.exit())
}
