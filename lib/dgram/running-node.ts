/** What the running Node's own dgram does in ways that changed within Node 26, and a program of this Node relies on. */

import { errorMonitor } from 'node:events'

interface Process {
  /** Node 20.16 and later. Whoever has put this package in dgram's place does not get it back here. */
  getBuiltinModule?(name: string): { Socket?: { prototype: object } } | undefined
}

const builtin = (process as unknown as Process).getBuiltinModule?.('node:dgram')?.Socket?.prototype
const recent = builtin !== undefined && 'bindSync' in builtin

/**
 * The event by which `bind` learns that its callback will not be called. It was 'error', so that a program which binds
 * with a callback and listens for no error goes on without a word.
 */
export const bindFailure = recent ? errorMonitor : 'error'

/** Whether dns.lookup() is asked for IP literals, too, which shows where somebody has put another function in its place. */
export const looksUpLiterals = !recent
