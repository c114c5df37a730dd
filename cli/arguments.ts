/** Command lines in general: which options there are, what is wrong with those given, what `--help` says of them. */

import { parseArgs } from 'node:util'
import { nearest } from '../lib/nearest'
import { UsageError } from './problem'

/** One option of a command. */
export interface Option {
  name: string
  short?: string
  /** What stands for its value in `--help`. Absent for a flag. */
  value?: string
  /** It may be given more than once, and each counts. */
  repeatable?: true
  /** What `--help` says, a line each. */
  help: string[]
}

/** The options given: flags are `true`, those that are repeatable a list. */
export type Given = Partial<Record<string, string | true | string[]>>

/** Reads a command's arguments: options only. */
export function parseOptions(command: string, args: string[], options: readonly Option[]): Given {
  const config = Object.fromEntries(
    options.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
    ]),
  )
  // Strict parsing would word its errors for programmers, and has no near misses.
  const { tokens } = parseArgs({ args, options: config, strict: false, allowPositionals: true, tokens: true })
  const given: Given = {}
  for (const token of tokens) {
    if (token.kind === 'positional') throw new UsageError(`unexpected argument '${token.value}'`, command)
    if (token.kind !== 'option') continue
    const { rawName, value } = token
    const option = options.find(({ name }) => name === token.name)
    if (option === undefined) {
      const known = options.map(({ name }) => `--${name}`)
      throw new UsageError(unknown('option', rawName, known), command)
    }
    const isFlag = option.value === undefined
    if (isFlag && value !== undefined) throw new UsageError(`${rawName} takes no value`, command)
    if (!isFlag && value === undefined) throw new UsageError(`${rawName} needs a value`, command)
    if (option.repeatable) given[option.name] = [...((given[option.name] as string[]) ?? []), String(value)]
    else given[option.name] = value ?? true
  }
  return given
}

/** "unknown option '--prot', did you mean '--port'?" */
export function unknown(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return `unknown ${what} '${name}'${near === null ? '' : `, did you mean '${near}'?`}`
}

/** The options as `--help` lists them. */
export function describeOptions(options: readonly Option[]): string {
  const left = options.map(({ name, short, value }) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`
    return short === undefined ? `  ${long}` : `  -${short}, ${long}`
  })
  return columns(left.map((text, index) => [text, options[index]!.help]))
}

/** Two columns, the second of several lines perhaps. */
export function columns(rows: [string, string[]][]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2
  const lines = rows.flatMap(([left, right]) =>
    right.map((line, index) => (index === 0 ? left : '').padEnd(width) + line),
  )
  return lines.join('\n')
}
