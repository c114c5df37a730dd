/** What sysctl(8) shows of buffers and queues. */

import { grouped } from '../report'
import { type Finding, finding } from './finding'
import type { System } from './system'

/** What a busy receiver should be able to ask for, in bytes: 33 ms of a Gbit/s, less where datagrams are small. */
const ENOUGH = 4 << 20
const RAISED = 8 << 20
/** The kernel's own default, in bytes. */
const DEFAULT = 212_992

/** Messages: below that, senders wait for a receiver that has only been away for a moment. */
const ENOUGH_MESSAGES = 64
const RAISED_MESSAGES = 512

export function examineLimits(system: System): Finding[] {
  return [
    buffer(system, 'rmem', ENOUGH, 'Raise it, and ask for that much: `recvBufferSize`.'),
    buffer(system, 'wmem', DEFAULT, 'Raise it: a small send buffer is full after a few messages.'),
    queue(system),
  ]
}

/** A limit of buffers and what sockets have that do not ask. */
function buffer(system: System, which: 'rmem' | 'wmem', enough: number, advice: string): Finding {
  const name = `net.core.${which}_max`
  const max = system.integer(`proc/sys/net/core/${which}_max`)
  const initial = system.integer(`proc/sys/net/core/${which}_default`)
  const values = { max, default: initial }
  if (max === null) return finding(name, 'it cannot be read', { level: 'unknown', values })
  const most = `${grouped(max)} bytes, for who asks without CAP_NET_ADMIN`
  const text = initial === null ? most : `${most}; ${grouped(initial)} for who does not ask`
  if (max >= enough) return finding(name, text, { values })
  return finding(name, text, { level: 'advice', advice, command: `sysctl -w ${name}=${RAISED}`, values })
}

function queue(system: System): Finding {
  const name = 'net.unix.max_dgram_qlen'
  const messages = system.integer('proc/sys/net/unix/max_dgram_qlen')
  const values = { messages }
  if (messages === null) return finding(name, 'it cannot be read', { level: 'unknown', values })
  const text = `${grouped(messages)} messages wait at a Unix datagram socket before its senders do`
  if (messages >= ENOUGH_MESSAGES) return finding(name, text, { values })
  const advice = 'Raise it where Unix datagram sockets are used, before they are bound.'
  return finding(name, text, {
    level: 'advice',
    advice,
    command: `sysctl -w ${name}=${RAISED_MESSAGES}`,
    values,
  })
}
