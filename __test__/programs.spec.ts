// Programs in wide use, unchanged: what they answer over recvmmsg/dgram is what they answer over node:dgram.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasIpv6 } from './support/matrix'

const { npmCommand, scrubbed } = require('../scripts/lib/packages')

/** More than a program gives itself. */
const PATIENCE = 90_000

jest.setTimeout(2 * PATIENCE)

const folder = join(__dirname, 'programs')
const swap = join(folder, 'swap.js')

/** The packages that do not fix the family to udp4. */
const families = ['udp4', 'udp6'] as const
const programs = [
  ['bittorrent-dht.mjs', ['udp4']],
  ['bonjour-service.js', ['udp4']],
  ['coap.js', families],
  ['dns2.js', families],
  ['hot-shots.js', families],
  ['multicast-dns.js', ['udp4']],
  ['net-snmp.js', families],
  ['node-osc.mjs', ['udp4']],
  ['node-ssdp.js', ['udp4']],
  ['syslog-client.js', families],
] as const

/** What the sockets get besides the program's own options. */
const ways = [
  ['as it is', {}],
  ["with backend: 'portable'", { backend: 'portable' }],
  ['with gro: false', { gro: false }],
] as const

/** Installs the programs' packages where they are missing or others: what that failed of, if it did. */
function install(): string | null {
  const modified = (...path: string[]) =>
    statSync(join(folder, ...path), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (modified('node_modules', '.package-lock.json') >= modified('package-lock.json')) return null
  const [command, first] = npmCommand()
  // Without a network, npm's own pauses between its attempts would add up to more than a minute.
  const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000', '--prefer-offline']
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', ...patience]
  const options = { cwd: folder, env: scrubbed(process.env), encoding: 'utf8' } as const
  const { status, stderr } = spawnSync(command, args, options)
  if (status === 0) return null
  const [, code = `exit code ${status}`] = /^npm error code (\S+)/m.exec(stderr) ?? []
  return `npm cannot install the packages, ${code}`
}

interface Outcome {
  code: number | null
  signal: string | null
  /** What was answered. */
  answer: string | undefined
  /** With the swap: how many sockets were made. */
  sockets: string | undefined
  stderr: string
}

async function run(argv: string[], options?: object): Promise<Outcome> {
  const env = { ...process.env, RECVMMSG_SWAP_OPTIONS: JSON.stringify(options) }
  const child = spawn(process.execPath, argv, { cwd: folder, env, timeout: PATIENCE, killSignal: 'SIGKILL' })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
    })
  }
  const [code, signal] = await once(child, 'close')
  const [answer, sockets] = output.stdout.split('\n')
  // Warnings begin with the process id.
  return { code, signal, answer, sockets, stderr: output.stderr.replaceAll(`(node:${child.pid})`, '') }
}

function described(file: string, family: string): void {
  let stock: Promise<Outcome> | undefined
  /** Once for all. */
  function overNode(): Promise<Outcome> {
    stock ??= run([file, family])
    return stock
  }

  test('is answered over node:dgram', async () => {
    // What it has said is shown where it fails.
    const { answer, stderr, ...end } = await overNode()
    expect({ ...end, stderr }).toEqual({ code: 0, signal: null, sockets: '', stderr })
    expect(JSON.parse(answer!)).not.toEqual({})
  })

  test.each(ways)('is answered the same over recvmmsg/dgram, %s', async (_, options) => {
    const [ours, theirs] = await Promise.all([run(['-r', swap, file, family], options), overNode()])
    const { answer, sockets, ...end } = ours
    expect(end).toEqual({ code: 0, signal: null, stderr: theirs.stderr })
    expect(JSON.parse(answer!)).toEqual(JSON.parse(theirs.answer!))
    const made = JSON.parse(sockets!)
    expect(made).toEqual({ sockets: { recvmmsg: expect.any(Number), node: 0 } })
    expect(made.sockets.recvmmsg).toBeGreaterThan(1)
  })
}

const lack = install()

for (const [file, itsFamilies] of programs) {
  for (const family of itsFamilies) {
    const reason = lack ?? (family === 'udp6' && !hasIpv6 ? 'no IPv6' : null)
    if (reason === null) describe(`${file} ${family}`, () => described(file, family))
    else test.skip(`${file} ${family} [skipped: ${reason}]`, () => {})
  }
}

test('every program has its row', () => {
  const files = readdirSync(folder).filter((file) => /\.m?js$/.test(file))
  const shared = ['program.js', 'swap.js']
  expect(files.sort()).toEqual([...shared, ...programs.map(([file]) => file)].sort())
})
