/** The kernel's counts of UDP since it booted, or since this network namespace was made: /proc/net/snmp, snmp6. */

import { grouped } from '../report'
import { type Finding, finding } from './finding'
import type { System } from './system'

/** By name; those of IPv6 without `Udp6`. */
export type Counts = Record<string, number>

export interface UdpCounts {
  IPv4: Counts | null
  IPv6: Counts | null
}

interface Rule {
  counter: string
  /** What it counts. */
  what: string
  advice: string
  /** While it grows, and when it has grown once. */
  growing: Finding['level']
  once: Finding['level']
}

const RULES: Rule[] = [
  {
    counter: 'RcvbufErrors',
    what: 'messages dropped, as the receive buffer of their socket was full',
    advice: 'Read faster, or have more room: `recvBufferSize`, and net.core.rmem_max. Which sockets: below.',
    growing: 'problem',
    once: 'advice',
  },
  {
    counter: 'MemErrors',
    what: 'messages dropped, as UDP had used up its memory',
    advice: 'Raise net.ipv4.udp_mem, in pages, or find the sockets that are not read.',
    growing: 'problem',
    once: 'advice',
  },
  {
    counter: 'InCsumErrors',
    what: 'messages dropped, as their checksum was wrong',
    advice: 'A cable, a device, or what sends computes it wrongly.',
    growing: 'problem',
    once: 'advice',
  },
  {
    counter: 'SndbufErrors',
    what: 'datagrams not sent, as a send buffer or the queue of a device was full',
    advice: "Wait for 'drain', or send at a rate that the device takes.",
    growing: 'advice',
    once: 'ok',
  },
  {
    counter: 'NoPorts',
    what: 'datagrams came to ports that nobody has bound',
    advice: 'Somebody sends to a service that does not run here.',
    growing: 'advice',
    once: 'ok',
  },
]

export function udpCounts(system: System): UdpCounts {
  return { IPv4: snmp(system.text('proc/net/snmp')), IPv6: snmp6(system.text('proc/net/snmp6')) }
}

/** Two lines that begin with "Udp:", of names and of numbers. */
function snmp(text: string | null): Counts | null {
  const [names, numbers] = [...(text ?? '').matchAll(/^Udp: (.*)$/gm)].map(([, rest]) =>
    rest!.trim().split(/\s+/),
  )
  if (names === undefined || numbers === undefined) return null
  return Object.fromEntries(names.map((name, index) => [name, Number(numbers[index])]))
}

/** A line each. */
function snmp6(text: string | null): Counts | null {
  const lines = [...(text ?? '').matchAll(/^Udp6(\w+)\s+(\d+)$/gm)]
  return lines.length === 0 ? null : Object.fromEntries(lines.map(([, name, count]) => [name, Number(count)]))
}

/** What became of the counts between the two readings, `seconds` apart. */
export function examineCounters(
  system: System,
  before: UdpCounts,
  after: UdpCounts,
  seconds: number,
): Finding[] {
  return (['IPv4', 'IPv6'] as const).flatMap((family) => {
    const name = `UDP over ${family}`
    const [first, last] = [before[family], after[family]]
    if (first === null || last === null) {
      // Without IPv6 in the kernel there is no such file.
      return family === 'IPv6' ? [] : [finding(name, 'its counts cannot be read', { level: 'unknown' })]
    }
    const told = RULES.flatMap((rule) => judge(system, name, rule, first, last, seconds))
    const { InDatagrams = 0, OutDatagrams = 0 } = last
    const text = `${grouped(InDatagrams)} datagrams delivered and ${grouped(OutDatagrams)} sent so far`
    return [finding(name, text, { values: last }), ...told]
  })
}

function judge(
  system: System,
  name: string,
  rule: Rule,
  first: Counts,
  last: Counts,
  seconds: number,
): Finding[] {
  const { counter, what, advice } = rule
  const total = last[counter] ?? 0
  if (total === 0) return []
  const more = total - (first[counter] ?? 0)
  const level = more > 0 ? rule.growing : rule.once
  const now = more > 0 ? `${grouped(more)} of them in the last ${seconds} s` : `none in the last ${seconds} s`
  const text = `${grouped(total)} ${what}, ${now}`
  const command = counter === 'MemErrors' ? moreMemory(system) : null
  const values = { total, more, seconds }
  const what2do = level === 'ok' ? {} : { advice, command }
  return [finding(`${name}, ${counter}`, text, { level, ...what2do, values })]
}

/** Twice as much as there is. */
function moreMemory(system: System): string | null {
  const pages = system.text('proc/sys/net/ipv4/udp_mem')?.trim().split(/\s+/).map(Number)
  if (pages?.length !== 3) return null
  return `sysctl -w net.ipv4.udp_mem="${pages.map((count) => count * 2).join(' ')}"`
}
