/** `recvmmsg trace`: no addon is needed for it. */

import { print, printVersion } from './stdio'
import { TRACE_HELP, traceOptions } from './trace/options'
import { run } from './trace/run'

export async function trace(args: string[]): Promise<void> {
  const options = traceOptions(args)
  if (options === 'help') return print(TRACE_HELP)
  if (options === 'version') return printVersion()
  return run(options)
}
