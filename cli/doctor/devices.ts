/** Between the network card and the sockets: the backlog of each CPU, and GRO of each interface. */

import { plain } from '../escape'
import { grouped } from '../report'
import { type Finding, finding } from './finding'
import type { System } from './system'

/** Interfaces that are asked at most: a host of containers has hundreds. */
const MOST = 16

/** What /proc/net/softnet_stat counts, over all CPUs. */
export interface Softnet {
  processed: number
  dropped: number
  squeezed: number
}

/** `null` where it cannot be read. */
export function softnet(system: System): Softnet | null {
  const text = system.text('proc/net/softnet_stat')
  if (text === null) return null
  const sum = { processed: 0, dropped: 0, squeezed: 0 }
  for (const line of text.split('\n').filter(Boolean)) {
    const [processed = 0, dropped = 0, squeezed = 0] = line
      .split(' ')
      .map((word) => Number.parseInt(word, 16))
    sum.processed += processed
    sum.dropped += dropped
    sum.squeezed += squeezed
  }
  return sum
}

export function examineBacklog(
  system: System,
  before: Softnet | null,
  after: Softnet | null,
  seconds: number,
): Finding[] {
  const name = 'net.core.netdev_max_backlog'
  const most = system.integer('proc/sys/net/core/netdev_max_backlog')
  if (before === null || after === null) {
    return [finding(name, 'what it dropped cannot be read', { level: 'unknown', values: { most } })]
  }
  const dropped = after.dropped - before.dropped
  const squeezed = after.squeezed - before.squeezed
  const values = { most, ...after, droppedMore: dropped, squeezedMore: squeezed, seconds }
  const limit = most === null ? 'an unknown number of packets' : `${grouped(most)} packets`
  const now = `${grouped(dropped)} in the last ${seconds} s`
  const text = `${limit}; ${grouped(after.dropped)} were dropped there so far, ${now}`
  if (after.dropped > 0) {
    const advice = 'Packets come in bursts that this queue cannot hold: raise it.'
    const command = most === null ? null : `sysctl -w ${name}=${Math.max(4096, most * 2)}`
    return [finding(name, text, { level: dropped > 0 ? 'problem' : 'advice', advice, command, values })]
  }
  if (squeezed === 0) return [finding(name, text, { values })]
  const advice = `The kernel had no time for all packets ${grouped(squeezed)} times in the last ${seconds} s.`
  const budget = (system.integer('proc/sys/net/core/netdev_budget') ?? 300) * 2
  const command = `sysctl -w net.core.netdev_budget=${budget}`
  return [finding(name, text, { level: 'advice', advice, command, values })]
}

export function examineInterfaces(system: System): Finding[] {
  const up = system.list('sys/class/net').filter((name) => name !== 'lo' && isUp(system, name))
  const asked = up.slice(0, MOST).map((name) => ({ name, found: offload(system, name) }))
  const told = asked.flatMap(({ found }) => found ?? [])
  const untold = asked.filter(({ found }) => found === null).map(({ name }) => name)
  const left = up.length - asked.length
  return [
    ...told,
    ...(untold.length > 0
      ? [unknown(`unknown: only ethtool(8) could tell, of ${plain(untold.join(', '))}`, untold)]
      : []),
    ...(left > 0 ? [unknown(`${left} more interfaces were not asked`, up.slice(MOST))] : []),
  ]
}

function unknown(text: string, interfaces: string[]): Finding {
  return finding('GRO', text, { level: 'unknown', values: { interfaces } })
}

/** IFF_UP is the lowest bit. */
function isUp(system: System, name: string): boolean {
  return (Number(system.text(`sys/class/net/${name}/flags`)) & 1) === 1
}

/** Whether the kernel coalesces what comes in there; `null` where nobody tells. No file does, but ethtool(8). */
function offload(system: System, device: string): Finding | null {
  const name = `GRO of ${plain(device)}`
  const told = system.run('ethtool', ['-k', device])
  const [, state, how] =
    /^generic-receive-offload: (on|off)( \[fixed\]| \[requested \w+\])?$/m.exec(told ?? '') ?? []
  if (state === undefined) return null
  const values = { interface: device, gro: state }
  if (state === 'on') return finding(name, 'on', { values })
  if (how === ' [fixed]') return finding(name, 'off, and it cannot be switched on', { values })
  const advice = 'Switch it on: datagrams of one flow then come coalesced, at a fraction of the CPU.'
  const command = /^[\w.@:-]+$/.test(device) ? `ethtool -K ${device} gro on` : null
  return finding(name, 'off', { level: 'advice', advice, command, values })
}
