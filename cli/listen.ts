/** `recvmmsg listen`, as far as it goes without the addon. */

import { LISTEN_HELP, listenOptions } from './listen-options'
import { Failure, reason } from './problem'
import { print, printVersion } from './stdio'

export async function listen(args: string[]): Promise<void> {
  const options = listenOptions(args)
  if (options === 'help') return print(LISTEN_HELP)
  if (options === 'version') return printVersion()
  return load().receive(options)
}

function load(): typeof import('./receive') {
  try {
    return require('./receive')
  } catch (error) {
    throw new Failure(`the addon cannot be loaded: ${reason(error)}`)
  }
}
