/** What ends a command early, told to the user in one line. */

import { getSystemErrorMap } from 'node:util'

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  /** `command`: whose `--help` tells more. */
  constructor(
    message: string,
    readonly command = 'recvmmsg',
  ) {
    super(message)
  }
}

/** Something cannot be done: exit code 1. */
export class Failure extends Error {}

/** What went wrong, in words where the system has them: "address already in use (EADDRINUSE)". */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { errno, code } = error as NodeJS.ErrnoException
  const words = errno === undefined ? undefined : systemWords(errno, code)
  return words === undefined ? error.message.split('\n', 1)[0]! : `${words} (${code})`
}

/** By the number, or else by the name: the numbers of Bun's errors are others. */
function systemWords(errno: number, code: string | undefined): string | undefined {
  const map = getSystemErrorMap()
  const [, words] = map.get(errno) ?? [...map.values()].find(([name]) => name === code) ?? []
  return words
}
