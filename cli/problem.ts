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
  const words = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]
  return words === undefined ? error.message.split('\n', 1)[0]! : `${words} (${code})`
}
