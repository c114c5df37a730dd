/** Checks of arguments, in the order and the words in which Node's own functions check theirs. */

import { isIP } from 'node:net'
import * as errors from './errors'
import { nearest } from './nearest'

export function validateObject(value: unknown, name: string): asserts value is Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw errors.invalidArgType(name, 'of type object', value)
  }
}

export function validateBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw errors.invalidArgType(name, 'of type boolean', value)
}

export function validateInteger(
  value: unknown,
  name: string,
  min: number,
  max: number,
): asserts value is number {
  if (typeof value !== 'number') throw errors.invalidArgType(name, 'of type number', value)
  if (!Number.isInteger(value)) throw errors.outOfRange(name, 'an integer', value)
  if (value < min || value > max) throw errors.outOfRange(name, `>= ${min} && <= ${max}`, value)
}

/** Milliseconds, fractions and Infinity included. */
export function validateTimeout(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw errors.invalidArgType(name, 'of type number', value)
  if (!(value >= 0)) throw errors.outOfRange(name, '>= 0', value)
}

export function validatePort(value: unknown, name: string, allowZero: boolean): number {
  const numeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
  const port = numeric ? Number(value) : Number.NaN
  if (!Number.isInteger(port) || port < (allowZero ? 0 : 1) || port > 65_535) {
    throw errors.badPort(name, value, allowZero)
  }
  return port
}

/** An IP literal; anything else is not resolved here. */
export function validateAddress(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw errors.invalidArgType(name, 'of type string', value)
  if (isIP(value) === 0) throw errors.invalidIpAddress(value)
}

/** An interface's name, which the kernel would cut at IFNAMSIZ - 1 bytes; '' is none. */
export function validateDevice(value: unknown, name: string): asserts value is string {
  validateString(value, name)
  if (Buffer.byteLength(value) > 15 || value.includes('\0')) {
    throw errors.invalidArgValue(name, value, "must be an interface's name, of at most 15 bytes")
  }
}

export function validateOneOf<T>(value: unknown, name: string, choices: readonly T[]): asserts value is T {
  if (!choices.includes(value as T)) {
    throw errors.invalidArgValue(
      name,
      value,
      `must be one of: ${choices.map((choice) => `'${choice}'`).join(', ')}`,
    )
  }
}

export function validateAbortSignal(value: unknown, name: string): asserts value is AbortSignal {
  // More than Node asks for: what cannot be listened to would fail when the socket is open already.
  const { addEventListener, removeEventListener } = (value ?? {}) as AbortSignal
  const listens = typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  if (value === null || typeof value !== 'object' || !('aborted' in value) || !listens) {
    throw errors.invalidArgType(name, 'an instance of AbortSignal', value)
  }
}

/** An options bag: an object or undefined, with no name that is not known. */
export function validateOptions(value: unknown, known: readonly string[]): Record<string, unknown> {
  if (value === undefined) return {}
  validateObject(value, 'options')
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    const reason = near === null ? 'is not an option' : `is not an option (did you mean '${near}'?)`
    throw errors.invalidArgValue(`options.${name}`, value[name], reason)
  }
  return value
}

export function validateFunction(
  value: unknown,
  name: string,
): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw errors.invalidArgType(name, 'of type function', value)
}

export function validateNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw errors.invalidArgType(name, 'of type number', value)
}

export function validateString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw errors.invalidArgType(name, 'of type string', value)
}

export function validateUint32(value: unknown, name: string): asserts value is number {
  validateInteger(value, name, 0, 2 ** 32 - 1)
}
