import { brief, grouped, plural } from '../report'
import type { Result, Results } from './results'

/** Columns that text is wrapped to. */
const WIDTH = 110

/** A benchmark as text: what was measured, the table, and what to know about it. */
export function asText(results: Results): string {
  const rows = results.receivers.filter(({ missing }) => missing === null)
  const missing = results.receivers.filter(({ missing }) => missing !== null)
  const lines = [
    heading(results),
    '',
    ...table([HEADER, ...rows.map(row)]),
    ...missing.map(({ name, missing }) => `${name}: not measured, ${missing}`),
    '',
    ...results.notes.flatMap(wrapped),
  ]
  return `${lines.join('\n')}\n`
}

function heading({ system, cpu, cpus, load, gso, gro, windowSeconds, receivers }: Results): string {
  const rounds = Math.max(0, ...receivers.map((each) => each.rounds.length))
  const { size, segments, flows } = load
  const train = segments === 1 ? 'each a message of its own' : `${segments} to a message`
  const messages = gso ? train : 'each a message of its own (no UDP_SEGMENT here)'
  return [
    `${system}, ${plural(cpus, 'CPU')}, ${cpu}`,
    `datagrams of ${plural(size, 'byte')}, ${messages}, ${plural(flows, 'flow')}, over loopback`,
    `medians of ${plural(rounds, 'round')} of ${grouped(windowSeconds, 1)} s each${gro ? '' : '; no UDP_GRO here'}`,
  ].join('\n')
}

const HEADER = ['receiver', 'CPU ns each', 'beside dgram', 'datagrams/s', 'received', 'lost']

function row(result: Result): string[] {
  const { name, version, nsPerDatagram, dgramTimes, receivedPerSecond, received, sent, lost } = result
  const share = sent === 0 ? '' : ` (${grouped((100 * lost) / sent)} %)`
  return [
    name.startsWith('recvmmsg') ? name : `${name} ${version}`,
    nsPerDatagram === null ? '-' : brief(nsPerDatagram),
    dgramTimes === null ? '-' : times(dgramTimes),
    receivedPerSecond === null ? '-' : grouped(receivedPerSecond),
    grouped(received),
    `${grouped(lost)}${share}`,
  ]
}

/** "1/67" of what node:dgram costs, or "1.2" times as much. */
function times(dgramTimes: number): string {
  const digits = (value: number) => grouped(value, value < 9.95 ? 1 : 0)
  if (Math.abs(dgramTimes - 1) < 0.05) return '1'
  return dgramTimes > 1 ? `1/${digits(dgramTimes)}` : digits(1 / dgramTimes)
}

/** The first column to the left, figures to the right. */
function table(rows: string[][]): string[] {
  const widths = HEADER.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  )
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > WIDTH) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}
