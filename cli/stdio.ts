/** Standard output and error, as all commands use them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, reason } from './problem'

/** Writes to standard output; resolves when the system has taken it. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) endIfUnread(error)
      if (error) reject(new Failure(`cannot write to standard output: ${reason(error)}`))
      else resolve()
    })
  })
}

/** Resolves `true` when the system has taken all that was written to `stream`, `false` after `graceMs`. */
export function flushed(stream: NodeJS.WriteStream, graceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, graceMs, false)
    stream.write('', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

/** Writes this package's version to standard output. */
export function printVersion(): Promise<void> {
  const manifest = readFileSync(join(__dirname, '..', 'package.json'), 'utf8')
  return print(`${JSON.parse(manifest).version}\n`)
}

/** Makes whatever writes to a pipe that nobody reads any more end quietly. */
export function endQuietlyWhenUnread(): void {
  // Other errors of standard output reach who wrote; those of standard error could be told to nobody.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endIfUnread)
}

/** Whoever reads the output has seen enough, `head -1` for one: that ends other commands without a word, too. */
function endIfUnread(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit()
}
