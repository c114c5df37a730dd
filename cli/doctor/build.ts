/** The system, and what this build can do on it. */

import os from 'node:os'
import type { Capabilities } from '../../index'
import { type Finding, finding } from './finding'
import type { System } from './system'

/** What `capabilities()` told, or why the addon cannot be loaded. */
export type Build = Capabilities | { missing: string }

/** What is looked at on every system. */
export function examineBuild(system: System, build: Build, platform: string = process.platform): Finding[] {
  if ('missing' in build) {
    const advice = 'Install recvmmsg anew for this system, or build it: `npm run build`.'
    const missing: Partial<Finding> = { level: 'problem', advice, values: build }
    return [running(), finding('addon', `it cannot be loaded: ${build.missing}`, missing)]
  }
  return [running(), capable(build, platform), ...(platform === 'linux' ? calls(system, build) : [])]
}

function running(): Finding {
  const { deno, bun, node } = process.versions
  const runtime = deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`
  const values = { type: os.type(), release: os.release(), arch: process.arch, runtime }
  return finding('system', `${values.type} ${values.release}, ${values.arch}, ${runtime}`, { values })
}

function capable(build: Capabilities, platform: string): Finding {
  const all = Object.entries(build)
  const lacking = all.filter(([, able]) => !able).map(([name]) => name)
  const values = { ...build }
  if (lacking.length === 0)
    return finding('capabilities', `all: ${list(all.map(([name]) => name))}`, { values })
  const text = `all but ${list(lacking)}`
  // Of other systems nothing else is to be had.
  if (platform !== 'linux' || (build.gro && build.gso)) return finding('capabilities', text, { values })
  const advice =
    'Without UDP_GRO (Linux 5.0) and UDP_SEGMENT (Linux 4.18) a datagram costs many times as much CPU.'
  return finding('capabilities', text, { level: 'advice', advice, values })
}

const MODES = ['none', 'strict', 'a filter']

/** Whether the system calls may be made that this package is named after. */
function calls(system: System, build: Capabilities): Finding[] {
  const status = system.text('proc/self/status')
  const number = /^Seccomp:\s*(\d)/m.exec(status ?? '')?.[1]
  const mode = number === undefined ? 'unknown' : (MODES[Number(number)] ?? number)
  const refused = (['recvmmsg', 'sendmmsg'] as const).filter((name) => !build[name])
  const values = { seccomp: mode, refused }
  if (refused.length === 0) {
    return [finding('seccomp', `${mode}; recvmmsg(2) and sendmmsg(2) may be called`, { values })]
  }
  const advice =
    mode === 'none'
      ? 'This kernel, or what stands for it, does not have them.'
      : 'Have the filter of the container or service allow them: in a seccomp profile, SystemCallFilter= of systemd.'
  const text = `${mode}; refused: ${refused.map((name) => `${name}(2)`).join(', ')}; it is one datagram a call`
  return [finding('seccomp', text, { level: 'problem', advice, values })]
}

function list(names: string[]): string {
  return names.join(', ')
}
