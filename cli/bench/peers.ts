/** The receivers that are measured, and how each is started. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { isNode } from '../../lib/runtime'
import type { Style } from './receiver'

export interface Peer {
  name: string
  /** Of what runs it; `null` where it cannot be run. */
  version: string | null
  command: string
  args: string[]
  /** It is a failure where it cannot be measured. */
  required: boolean
}

const SCRIPT = join(__dirname, 'receiver.js')
const PATIENCE_MS = 10_000

/** `main`: the command's own script. */
export const MAIN: string = join(__dirname, '..', 'main.js')

/** Node: what runs this, mostly. */
export const NODE: string = isNode ? process.execPath : 'node'

/** All of them; node:dgram, to which the others are compared, is the first. */
export function peers(): Peer[] {
  const node = versionOf(NODE)
  const own = (name: string, style: Style) => ({ ...peer(name, node, NODE, [SCRIPT, style]), required: true })
  return [
    own('node:dgram', 'dgram'),
    own('recvmmsg, gro: false', 'recvmmsg-no-gro'),
    own('recvmmsg', 'recvmmsg'),
    own('recvmmsg/dgram', 'recvmmsg-dgram'),
    peer('Bun udpSocket', versionOf('bun'), 'bun', [SCRIPT, 'bun' satisfies Style]),
    // Its datagrams are not stable yet.
    peer('Deno listenDatagram', versionOf('deno'), 'deno', [
      ...['run', '--allow-all', '--unstable-net', SCRIPT],
      'deno' satisfies Style,
    ]),
  ]
}

function peer(name: string, version: string | null, command: string, args: string[]): Peer {
  return { name, version, command, args, required: false }
}

/** "22.1.0"; `null` where there is no such program. */
function versionOf(command: string): string | null {
  try {
    const options = { encoding: 'utf8', timeout: PATIENCE_MS } as const
    const text = execFileSync(command, ['--version'], { ...options, stdio: ['ignore', 'pipe', 'ignore'] })
    return /\d+\.\d+\.\d+\S*/.exec(text)?.[0] ?? null
  } catch {
    return null
  }
}
