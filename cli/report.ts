/** Figures as text: the line of every second and the summary. */

import type { Rates, Summary } from './meter'

/** What a summary begins with, of whichever command. */
type Totals = Pick<Summary, 'datagrams' | 'bytes' | 'seconds' | 'datagramsPerSecond' | 'megabitsPerSecond'>
type Cpu = Pick<Summary, 'cpuNanosecondsPerDatagram' | 'cpuPercent'>

/** Columns of the longest bar. */
const BAR = 40

/** By digits behind the point: to make one takes a millisecond. */
const formats = new Map<number, Intl.NumberFormat>()

/** 1234567.89 as "1,234,567.9" with one digit. */
export function grouped(value: number, digits = 0): string {
  let format = formats.get(digits)
  if (format === undefined) {
    format = new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    formats.set(digits, format)
  }
  return format.format(value)
}

/** "127.0.0.1:8125", "[::1]:8125". */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Under 80 columns, mostly; where it is cut, the last item explains itself. */
export function statusLine(rates: Rates): string {
  const { datagramsPerSecond, megabitsPerSecond, datagramsPerBatch, kernelDrops, cpuPercent } = rates
  return [
    `${grouped(datagramsPerSecond)} datagrams/s`,
    `${brief(megabitsPerSecond)} Mbit/s`,
    `batch ${datagramsPerBatch === null ? '-' : brief(datagramsPerBatch)}`,
    `CPU ${grouped(cpuPercent)} %`,
    `drops ${kernelDrops === null ? 'unknown' : `${grouped(kernelDrops)} messages`}`,
  ].join('  ')
}

export function summaryText(summary: Summary): string {
  const lines = [totals(summary), drops(summary), cpu(summary), ...losses(summary), ...histogram(summary)]
  return `${lines.join('\n')}\n`
}

/** The first line of a summary. */
export function totals(summary: Totals): string {
  const { datagrams, bytes, seconds, datagramsPerSecond, megabitsPerSecond } = summary
  return (
    `${plural(datagrams, 'datagram')}, ${plural(bytes, 'byte')} in ${grouped(seconds, 2)} seconds: ` +
    `${grouped(datagramsPerSecond)} datagrams/s, ${grouped(megabitsPerSecond, 1)} Mbit/s`
  )
}

function drops({ kernelDrops }: Summary): string {
  if (kernelDrops === null) return 'kernel drops: unknown, this system does not tell'
  return `kernel drops: ${plural(kernelDrops, 'message')} (with GRO one message is up to 128 datagrams)`
}

export function cpu({ cpuNanosecondsPerDatagram: each, cpuPercent }: Cpu): string {
  const share = `${grouped(cpuPercent, 1)} % of one core`
  return each === null ? `CPU: ${share}` : `CPU: ${grouped(each)} ns per datagram, ${share}`
}

/** What is mentioned only when it happened. */
function losses({ errors, truncated, overflow, controlTruncated, unwritten }: Summary): string[] {
  const codes = codesOf(errors)
  return [
    ...(codes === '' ? [] : [`errors: ${codes}`]),
    ...(truncated > 0 ? [`truncated: ${plural(truncated, 'datagram')}, longer than their slot`] : []),
    ...(overflow > 0
      ? [`overflow: ${plural(overflow, 'datagram')} lost, more than the batch had room for`]
      : []),
    ...(controlTruncated > 0 ? [`control data cut: ${plural(controlTruncated, 'message')}`] : []),
    ...(unwritten > 0 ? [`not written: ${plural(unwritten, 'datagram')}, the output took no more`] : []),
  ]
}

/** "ENOBUFS 3, EPERM 1" */
export function codesOf(errors: Record<string, number>): string {
  return Object.entries(errors)
    .map(([code, count]) => `${code} ${grouped(count)}`)
    .join(', ')
}

function histogram({ batches, datagramsPerBatch, batchSizes }: Summary): string[] {
  if (datagramsPerBatch === null) return []
  const most = Math.max(...batchSizes)
  const classes = batchSizes.length - [...batchSizes].reverse().findIndex((count) => count > 0)
  const rows = batchSizes.slice(0, classes).map((count, power) => {
    const from = 2 ** power
    const range = power === 0 ? '1' : `${grouped(from)}-${grouped(2 * from - 1)}`
    // A class that is not empty shows, however small it is.
    const bar = '#'.repeat(Math.ceil((BAR * count) / most))
    return [range, grouped(count), bar] as const
  })
  const wide = Math.max(...rows.map(([range]) => range.length))
  const counts = Math.max(...rows.map(([, count]) => count.length))
  return [
    `datagrams per batch, of ${plural(batches, 'batch', 'batches')} with ${grouped(datagramsPerBatch, 1)} on average:`,
    ...rows.map(([range, count, bar]) =>
      `  ${range.padStart(wide)}  ${count.padStart(counts)}  ${bar}`.trimEnd(),
    ),
  ]
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** A digit behind the point where it tells something. */
export function brief(value: number): string {
  return grouped(value, value < 9.95 ? 1 : 0)
}
