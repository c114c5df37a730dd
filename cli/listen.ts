/** `recvmmsg listen`, as far as it goes without the addon. */

import { withAddon } from './addon'
import { LISTEN_HELP, listenOptions } from './listen-options'
import { print, printVersion } from './stdio'

export async function listen(args: string[]): Promise<void> {
  const options = listenOptions(args)
  if (options === 'help') return print(LISTEN_HELP)
  if (options === 'version') return printVersion()
  const { receive } = withAddon((): typeof import('./receive') => require('./receive'))
  return receive(options)
}
