/** All that the doctor looks at. */

import { grouped } from '../report'
import { type Build, examineBuild } from './build'
import { examineCounters, udpCounts } from './counters'
import { examineBacklog, examineInterfaces, softnet } from './devices'
import { type Finding, finding } from './finding'
import { examineLimits } from './limits'
import { examineSockets, udpSockets } from './sockets'
import type { System } from './system'

/** Looks at everything, and at what counts a second time after `wait`, which takes so many `seconds`. */
export async function examine(
  system: System,
  build: Build,
  seconds: number,
  wait: () => Promise<unknown>,
  platform: string = process.platform,
): Promise<Finding[]> {
  const first = examineBuild(system, build, platform)
  if (platform !== 'linux') return [...first, ...elsewhere(system)]
  const counted = () => ({ softnet: softnet(system), udp: udpCounts(system), sockets: udpSockets(system) })
  const before = counted()
  await wait()
  const after = counted()
  return [
    ...first,
    ...examineLimits(system),
    ...examineBacklog(system, before.softnet, after.softnet, seconds),
    ...examineInterfaces(system),
    ...examineCounters(system, before.udp, after.udp, seconds),
    ...examineSockets(system, before.sockets, after.sockets, seconds),
  ]
}

/** What other systems tell: macOS and the BSDs one limit, by sysctl(8). */
function elsewhere(system: System): Finding[] {
  const name = 'kern.ipc.maxsockbuf'
  const told = system.run('sysctl', ['-n', name])?.trim()
  const known = told !== undefined && /^\d+$/.test(told)
  return [
    ...(known ? [finding(name, `${grouped(Number(told))} bytes`, { values: { bytes: Number(told) } })] : []),
    finding('the rest', 'this system has no /proc: queues, counts and drops are not looked at', {
      level: 'unknown',
    }),
  ]
}
