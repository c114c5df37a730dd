/** What the running Node's own dgram does in ways that changed within Node 26, and a program of this Node relies on. */

import dgram from 'node:dgram'
import { errorMonitor } from 'node:events'

const prototype = dgram.Socket.prototype as object as Record<string, unknown>

/**
 * The event by which `bind` learns that its callback will not be called. It was 'error', so that a program which binds
 * with a callback and listens for no error goes on without a word.
 */
export const bindFailure = String(prototype.bind).includes('errorMonitor') ? errorMonitor : 'error'

/** Whether dns.lookup() is asked for IP literals, too, which shows where somebody has put another function in its place. */
export const looksUpLiterals = !('bindSync' in prototype)
