/** `recvmmsg send`, as far as it goes without the addon. */

import { withAddon } from './addon'
import { SEND_HELP, sendOptions } from './send-options'
import { print, printVersion } from './stdio'

export async function send(args: string[]): Promise<void> {
  const options = sendOptions(args)
  if (options === 'help') return print(SEND_HELP)
  if (options === 'version') return printVersion()
  const { transmit } = withAddon((): typeof import('./transmit') => require('./transmit'))
  return transmit(options)
}
