/** Values of options: what they may be, and what is said of others. */

import type { Given } from './arguments'
import { UsageError } from './problem'

/** A timer's delay is a signed 32-bit number of milliseconds. */
const LONGEST_DURATION = 2_147_483

/** What was given to a command; `undefined` is what was not. */
export class Values {
  readonly #command: string
  readonly #given: Given

  constructor(command: string, given: Given) {
    this.#command = command
    this.#given = given
  }

  flag(name: string): boolean {
    return this.#given[name] !== undefined
  }

  text(name: string): string | undefined {
    const { [name]: value } = this.#given
    return value === undefined ? undefined : String(value)
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.text(name)
    return value === undefined ? undefined : this.#integer(name, value, min, max)
  }

  /** Of an option that is repeatable: its values, none where it was not given. */
  texts(name: string): string[] {
    const { [name]: values } = this.#given
    return Array.isArray(values) ? values : []
  }

  integers(name: string, min: number, max: number): number[] {
    return this.texts(name).map((value) => this.#integer(name, value, min, max))
  }

  seconds(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const number = /^(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : Number.NaN
    if (!(number > 0 && number <= LONGEST_DURATION)) {
      throw this.bad(name, `seconds, more than 0 and at most ${LONGEST_DURATION}`)
    }
    return number
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name)
    const choice = choices.find((each) => each === value)
    if (value !== undefined && choice === undefined) throw this.bad(name, `one of ${choices.join(', ')}`)
    return choice
  }

  /** The error for two options of which only one may be given. */
  exclude(one: string, other: string): void {
    if (this.flag(one) && this.flag(other)) {
      throw new UsageError(`--${one} and --${other} exclude each other`, this.#command)
    }
  }

  /** `value`: which one, of an option that is repeatable. */
  bad(name: string, must: string, value = this.text(name)): UsageError {
    return new UsageError(`invalid value '${value}' for --${name}: it must be ${must}`, this.#command)
  }

  #integer(name: string, value: string, min: number, max: number): number {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`
    if (!(number >= min && number <= max)) throw this.bad(name, `a whole number, ${range}`, value)
    return number
  }
}
