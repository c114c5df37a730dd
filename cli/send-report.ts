/** The sender's figures as text: the line of every second and the summary. */

import { brief, codesOf, cpu, endpoint, grouped, plural, totals } from './report'
import type { SendRates, SendSummary } from './send-meter'
import type { SendOptions } from './send-options'

/** Where to and how. */
export function sendingText(address: string, { host, port, ...how }: SendOptions): string {
  const name = host === address ? '' : ` (${host})`
  const parts = [
    how.file === null
      ? plural(how.size, 'byte')
      : `lines of ${how.file === '-' ? 'standard input' : how.file}`,
    Number.isFinite(how.rate) ? `${grouped(how.rate)} datagrams/s` : 'as fast as it goes',
    plural(how.flows, 'flow'),
    how.gso > 1 ? `GSO of ${how.gso}` : 'no GSO',
  ]
  return `sending to ${endpoint(address, port)}${name}: ${parts.join(', ')}\n`
}

/** Under 80 columns, mostly; where it is cut, the last item explains itself. */
export function sendLine({ datagramsPerSecond, megabitsPerSecond, cpuPercent, ...rates }: SendRates): string {
  return [
    `${grouped(datagramsPerSecond)} datagrams/s`,
    `${brief(megabitsPerSecond)} Mbit/s`,
    `CPU ${grouped(cpuPercent)} %`,
    `failed ${grouped(rates.failed)}`,
    `buffer full ${times(rates.bufferFull)}`,
  ].join('  ')
}

export function sendSummaryText(summary: SendSummary): string {
  const { failed, bufferFull, errors } = summary
  const why = codesOf(errors)
  const lines = [
    totals(summary),
    `failed: ${plural(failed, 'datagram')}${why === '' ? '' : ` (${why})`}`,
    `send buffer full: ${times(bufferFull)}`,
    cpu(summary),
  ]
  return `${lines.join('\n')}\n`
}

function times(count: number): string {
  return plural(count, 'time')
}
