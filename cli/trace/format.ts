/** Calls as text: what goes to standard output. */

import { hostname } from 'node:os'
import { plain, quote } from '../escape'
import { type Parameter, type SystemCall, systemCall } from './calls'
import { errorName, flagNames } from './decode'
import { decimal, int32, uint32 } from './line'
import type { Call } from './pairing'

/** The line for a call that was made at `micros`, microseconds since the epoch. */
export type Formatter = (call: Call, micros: number) => string

const calls = new Map<string, SystemCall>()

/** The system call of that name, on this machine. */
export function callOf(name: string): SystemCall {
  const known = calls.get(name)
  if (known !== undefined) return known
  const call = systemCall(name)
  calls.set(name, call)
  return call
}

/**
 * A line as Tracee's printer has it, where it leaves arguments as numbers; of its fields those that a trace knows.
 * `flags` and `errno` are not Tracee's.
 */
export function jsonFormatter(host = hostname(), find = callOf): Formatter {
  const hostName = quote(host)
  return ({ name, args, processId, processName, threadId, returnValue }, micros) => {
    const { parameters, number } = find(name)
    const values = parameters.map(
      (parameter, index) =>
        `{"name":"${parameter.name}","type":"${parameter.type}","value":${numberOf(parameter, args[index])}}`,
    )
    // A `number` would round the nanoseconds.
    return (
      `{"timestamp":${micros}000,"processId":${processId},"threadId":${threadId},` +
      `"processName":${quote(processName)},"hostName":${hostName},` +
      `"eventId":${number === null ? null : `"${number}"`},"eventName":"${name}",` +
      `"argsNum":${parameters.length},"returnValue":${returnValue},"args":[${values.join()}],` +
      `"flags":"${flagsOf(args)}","errno":${quoteOrNull(errorName(returnValue))}}\n`
    )
  }
}

/** Widths of the table's columns; the last is as wide as it gets. */
const WIDTHS = [15, 15, 7, 7, 8, 8]

export const TABLE_HEAD = row(['TIME', 'COMMAND', 'PID', 'TID', 'RESULT', 'CALL', 'ARGUMENTS'])

export const table: Formatter = ({ name, args, processId, processName, threadId, returnValue }, micros) => {
  const { parameters } = callOf(name)
  const values = parameters.map((parameter, index) => `${parameter.name} ${textOf(parameter, args[index])}`)
  return row([
    timeOfDay(micros),
    plain(processName),
    String(processId),
    String(threadId),
    errorName(returnValue) ?? String(returnValue),
    name,
    values.join(', '),
  ])
}

/** "13:05:59.000001", in the time zone of who looks. */
export function timeOfDay(micros: number): string {
  const date = new Date(micros / 1000)
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  )
  return `${parts.join(':')}.${String(micros % 1e6).padStart(6, '0')}`
}

function row(cells: string[]): string {
  return `${cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join('  ')}\n`
}

function numberOf({ type }: Parameter, register: string | undefined): number | string {
  if (type === 'int') return int32(register)
  return type === 'unsigned int' ? uint32(register) : decimal(register)
}

function textOf(parameter: Parameter, register: string | undefined): string {
  if (parameter.name === 'flags') return flagNames(int32(register))
  if (parameter.type.endsWith('*')) return /^0*$/.test(register ?? '') ? 'NULL' : `0x${register}`
  return String(numberOf(parameter, register))
}

/** The fourth of all of them. */
function flagsOf(args: string[]): string {
  return flagNames(int32(args[3]))
}

function quoteOrNull(text: string | null): string | null {
  return text === null ? null : quote(text)
}
