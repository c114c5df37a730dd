/** Figures as text: the line of every second and the summary. */

import type { Rates, Summary } from './meter'

/** Columns of the longest bar. */
const BAR = 40

/** 1234567.89 as "1,234,567.9" with one digit. */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
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
  const { datagrams, bytes, seconds, datagramsPerSecond, megabitsPerSecond } = summary
  const lines = [
    `${plural(datagrams, 'datagram')}, ${plural(bytes, 'byte')} in ${grouped(seconds, 2)} seconds: ` +
      `${grouped(datagramsPerSecond)} datagrams/s, ${grouped(megabitsPerSecond, 1)} Mbit/s`,
    drops(summary),
    cpu(summary),
    ...losses(summary),
    ...histogram(summary),
  ]
  return `${lines.join('\n')}\n`
}

function drops({ kernelDrops }: Summary): string {
  if (kernelDrops === null) return 'kernel drops: unknown, this system does not tell'
  return `kernel drops: ${plural(kernelDrops, 'message')} (with GRO one message is up to 128 datagrams)`
}

function cpu({ cpuNanosecondsPerDatagram: each, cpuPercent }: Summary): string {
  const share = `${grouped(cpuPercent, 1)} % of one core`
  return each === null ? `CPU: ${share}` : `CPU: ${grouped(each)} ns per datagram, ${share}`
}

/** What is mentioned only when it happened. */
function losses({ errors, truncated, overflow, controlTruncated, unwritten }: Summary): string[] {
  const codes = Object.entries(errors).map(([code, count]) => `${code} ${grouped(count)}`)
  return [
    ...(codes.length > 0 ? [`errors: ${codes.join(', ')}`] : []),
    ...(truncated > 0 ? [`truncated: ${plural(truncated, 'datagram')}, longer than their slot`] : []),
    ...(overflow > 0
      ? [`overflow: ${plural(overflow, 'datagram')} lost, more than the batch had room for`]
      : []),
    ...(controlTruncated > 0 ? [`control data cut: ${plural(controlTruncated, 'message')}`] : []),
    ...(unwritten > 0 ? [`not written: ${plural(unwritten, 'datagram')}, standard output took no more`] : []),
  ]
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

function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** A digit behind the point where it tells something. */
function brief(value: number): string {
  return grouped(value, value < 9.95 ? 1 : 0)
}
