/** The last words of a trace. */

import { plain } from '../escape'
import { brief, codesOf, grouped, plural } from '../report'
import { callOf, timeOfDay } from './format'
import { int32 } from './line'
import type { Open } from './pairing'
import type { Counts, Row } from './tally'

/** Rows of a list that a reader still takes in. */
const LISTED = 20

export interface Summary {
  seconds: number
  total: Counts
  rows: Row[]
  /** Events that the kernel overwrote; `unknown` beyond these, of which it did not tell how many. */
  lost: { events: number; unknown: boolean }
  begunBefore: number
  halves: number
  /** With the time of day of each, in microseconds since the epoch. */
  open: (Open & { since: number })[]
  /** Lines that standard output did not take before the end. */
  unwritten: number
}

export function summaryText(summary: Summary): string {
  const lines = [head(summary), ...table(summary.rows), ...remarks(summary), ...open(summary)]
  return `${lines.join('\n')}\n`
}

function head({ seconds, total }: Summary): string {
  const failed = Object.values(total.errors).reduce((sum, each) => sum + each, 0)
  return (
    `${plural(total.calls, 'call')} in ${grouped(seconds, 2)} seconds: ${plural(total.datagrams, 'datagram')}, ` +
    `mean batch ${mean(total)}, ${grouped(total.empty)} empty, ${grouped(failed)} failed`
  )
}

function table(rows: Row[]): string[] {
  if (rows.length === 0) return []
  const cells = rows
    .slice(0, LISTED)
    .map((row) => [
      row.processId === null ? '(others)' : plain(row.processName),
      row.processId === null ? '' : String(row.processId),
      row.name,
      grouped(row.calls),
      grouped(row.datagrams),
      mean(row),
      grouped(row.empty),
      codesOf(row.errors) || '-',
    ])
  const all = [['COMMAND', 'PID', 'CALL', 'CALLS', 'DATAGRAMS', 'MEAN BATCH', 'EMPTY', 'ERRORS'], ...cells]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((each) => each[column]!.length)))
  const lines = all.map((each) => each.map((cell, column) => align(cell, column, widths[column]!)).join('  '))
  return [...lines.map((line) => line.trimEnd()), ...more(rows.length)]
}

/** Figures to the right, words to the left. */
function align(cell: string, column: number, width: number): string {
  return column >= 3 && column <= 6 ? cell.padStart(width) : cell.padEnd(width)
}

/** What is mentioned only when it happened. */
function remarks({ lost, begunBefore, halves, unwritten }: Summary): string[] {
  const events = lost.unknown ? `more than ${grouped(lost.events)} events` : plural(lost.events, 'event')
  return [
    ...(lost.events > 0 || lost.unknown ? [`lost: ${events}, overwritten before they were read`] : []),
    ...(halves > 0 ? [`not counted: ${plural(halves, 'call')} of which one event of two was lost`] : []),
    ...(begunBefore > 0 ? [`not counted: ${plural(begunBefore, 'call')} that began before the trace`] : []),
    ...(unwritten > 0 ? [`not written: ${plural(unwritten, 'line')}, standard output took no more`] : []),
  ]
}

function open({ open }: Summary): string[] {
  const lines = open.slice(0, LISTED).map(({ processName, processId, threadId, name, args, since }) => {
    const [first] = callOf(name).parameters
    const who = `${plain(processName)} (${processId}, thread ${threadId})`
    return `still in the call: ${who} ${name}, ${first!.name} ${int32(args[0])}, since ${timeOfDay(since)}`
  })
  return [...lines, ...more(open.length)]
}

function more(count: number): string[] {
  return count > LISTED ? [`and ${grouped(count - LISTED)} more`] : []
}

function mean({ batches, datagrams }: Counts): string {
  return batches === 0 ? '-' : brief(datagrams / batches)
}
