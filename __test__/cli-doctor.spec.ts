// `recvmmsg doctor`: what it says of files as a kernel has them, and on this machine.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { endianness, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Build } from '../cli/doctor/build'
import { examine } from '../cli/doctor/examine'
import type { Finding } from '../cli/doctor/finding'
import { System } from '../cli/doctor/system'
import { asText } from '../cli/doctor/text'
import { type Capabilities, capabilities, UdpSocket } from '../index'
import { endAll, Running, root, run, until } from './support/command'
import { closeAll, track } from './support/matrix'
import { runSender } from './support/testkit'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recvmmsg-doctor-'))
})

afterEach(async () => {
  closeAll()
  await endAll()
  rmSync(folder, { recursive: true })
})

/** Everything that this package can do. */
const able = Object.fromEntries(
  Object.keys(capabilities()).map((name) => [name, true]),
) as unknown as Capabilities

const UDP = {
  InDatagrams: 1000,
  NoPorts: 0,
  InErrors: 0,
  OutDatagrams: 2000,
  RcvbufErrors: 0,
  SndbufErrors: 0,
}

function snmp(more: Record<string, number> = {}): string {
  const counts = { ...UDP, InCsumErrors: 0, IgnoredMulti: 0, MemErrors: 0, ...more }
  const line = (words: unknown[]) => `Udp: ${words.join(' ')}\n`
  return `Tcp: a b\nTcp: 1 2\n${line(Object.keys(counts))}${line(Object.values(counts))}UdpLite: InDatagrams\nUdpLite: 7\n`
}

function snmp6(more: Record<string, number> = {}): string {
  const lines = Object.entries({ ...UDP, ...more }).map(([name, count]) => `Udp6${name}    \t${count}\n`)
  return `Ip6InReceives 5\n${lines.join('')}UdpLite6InDatagrams 9\n`
}

/** Rows as the kernel writes them; addresses are bytes in hexadecimal. */
function udp(
  ...rows: { address: string; port: number; inode: number; drops: number; waiting?: number }[]
): string {
  const lines = rows.map(({ address, port, inode, drops, waiting = 0 }) => {
    const words = Buffer.from(address, 'hex')
    if (endianness() === 'LE') words.swap32()
    const name = `${words.toString('hex').toUpperCase()}:${port.toString(16).toUpperCase().padStart(4, '0')}`
    const queues = `00000000:${waiting.toString(16).toUpperCase().padStart(8, '0')}`
    return ` 512: ${name} 00000000:0000 07 ${queues} 00:00000000 00000000  1000        0 ${inode} 2 00000000 ${drops}    \n`
  })
  return `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops \n${lines.join('')}`
}

/** A machine on which all is well. */
const healthy: Record<string, string> = {
  'proc/self/status': 'Name:\tnode\nSeccomp:\t0\nSeccomp_filters:\t0\n',
  'proc/sys/net/core/rmem_max': '8388608\n',
  'proc/sys/net/core/rmem_default': '212992\n',
  'proc/sys/net/core/wmem_max': '212992\n',
  'proc/sys/net/core/wmem_default': '212992\n',
  'proc/sys/net/core/netdev_max_backlog': '1000\n',
  'proc/sys/net/unix/max_dgram_qlen': '512\n',
  'proc/net/softnet_stat': '000000ff 00000000 00000001 00000000\n00000001 00000000 00000000 00000000\n',
  'proc/net/snmp': snmp(),
  'proc/net/snmp6': snmp6(),
  'proc/net/udp': udp({ address: '7f000001', port: 53, inode: 5, drops: 0 }),
  'proc/net/udp6': udp(),
  'sys/class/net/lo/flags': '0x9\n',
  'sys/class/net/eth0/flags': '0x1003\n',
  'sys/class/net/dummy0/flags': '0x82\n',
}

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const ethtool = (_: string, [, device]: string[]) => `Features for ${device}:\ngeneric-receive-offload: on\n`

interface Machine {
  files?: Record<string, string>
  /** What changes while it watches. */
  meanwhile?: Record<string, string>
  build?: Build
  run?: ConstructorParameters<typeof System>[1]
  platform?: string
}

async function examined({ files = healthy, meanwhile = {}, ...more }: Machine = {}): Promise<Finding[]> {
  write(files)
  const { build = able, run = ethtool, platform = 'linux' } = more
  return examine(new System(folder, run), build, 3, async () => write(meanwhile), platform)
}

/** Those that are not ok. */
async function complaints(machine: Machine): Promise<Finding[]> {
  return (await examined(machine)).filter(({ level }) => level !== 'ok')
}

test('a machine on which all is well', async () => {
  const findings = await examined()
  expect(findings.map(({ name, level }) => `${level} ${name}`)).toEqual([
    'ok system',
    'ok capabilities',
    'ok seccomp',
    'ok net.core.rmem_max',
    'ok net.core.wmem_max',
    'ok net.unix.max_dgram_qlen',
    'ok net.core.netdev_max_backlog',
    'ok GRO of eth0',
    'ok UDP over IPv4',
    'ok UDP over IPv6',
    'ok UDP sockets',
  ])
  for (const { advice, command } of findings)
    expect({ advice, command }).toEqual({ advice: null, command: null })
  const text = Object.fromEntries(findings.map((each) => [each.name, each.text]))
  expect(text).toMatchObject({
    'net.core.rmem_max': '8,388,608 bytes, for who asks without CAP_NET_ADMIN; 212,992 for who does not ask',
    'net.core.netdev_max_backlog': '1,000 packets; 0 were dropped there so far, 0 in the last 3 s',
    'UDP over IPv4': '1,000 datagrams delivered and 2,000 sent so far',
    'UDP sockets': '1 socket, none has dropped anything',
  })
})

test.each<[string, string, string, string | null]>([
  ['proc/sys/net/core/rmem_max', '212992', 'net.core.rmem_max', 'sysctl -w net.core.rmem_max=8388608'],
  ['proc/sys/net/core/wmem_max', '100000', 'net.core.wmem_max', 'sysctl -w net.core.wmem_max=8388608'],
  [
    'proc/sys/net/unix/max_dgram_qlen',
    '10',
    'net.unix.max_dgram_qlen',
    'sysctl -w net.unix.max_dgram_qlen=512',
  ],
])('a small %s of %s is advice, with the command', async (path, value, name, command) => {
  const found = await complaints({ files: { ...healthy, [path]: `${value}\n` } })
  expect(found).toMatchObject([
    { level: 'advice', name, command, advice: expect.stringMatching(/^Raise it/) },
  ])
})

const grown: [string, Partial<Finding>, string][] = [
  ['RcvbufErrors', { level: 'problem' }, 'advice'],
  ['MemErrors', { level: 'problem', command: 'sysctl -w net.ipv4.udp_mem="20 40 60"' }, 'advice'],
  ['InCsumErrors', { level: 'problem' }, 'advice'],
  ['SndbufErrors', { level: 'advice' }, 'ok'],
  ['NoPorts', { level: 'advice' }, 'ok'],
]

describe.each(grown)('%s', (counter, expected, once) => {
  const files = { ...healthy, 'proc/sys/net/ipv4/udp_mem': '10\t20\t30\n' }

  test.each([
    ['IPv4', 'proc/net/snmp', snmp],
    ['IPv6', 'proc/net/snmp6', snmp6],
  ] as const)(`that grows over %s`, async (family, path, text) => {
    const before = { ...files, [path]: text({ [counter]: 5 }) }
    const found = await complaints({ files: before, meanwhile: { [path]: text({ [counter]: 1234 }) } })
    expect(found).toMatchObject([{ name: `UDP over ${family}, ${counter}`, ...expected }])
    expect(found[0]!.text).toMatch(/^1,234 .*, 1,229 of them in the last 3 s$/)
    expect(found[0]!.values).toEqual({ total: 1234, more: 1229, seconds: 3 })
  })

  test('that has grown once', async () => {
    const findings = await examined({ files: { ...files, 'proc/net/snmp': snmp({ [counter]: 5 }) } })
    const found = findings.find(({ name }) => name === `UDP over IPv4, ${counter}`)
    expect(found).toMatchObject({ level: once, text: expect.stringMatching(/^5 .*, none in the last 3 s$/) })
    expect(found!.advice === null).toBe(once === 'ok')
  })
})

test('a kernel without IPv6 is not complained of', async () => {
  const { 'proc/net/snmp6': _, ...files } = healthy
  const findings = await examined({ files })
  expect(findings.filter(({ name }) => name.startsWith('UDP over')).map(({ name }) => name)).toEqual([
    'UDP over IPv4',
  ])
})

describe('the backlog', () => {
  const path = 'proc/net/softnet_stat'
  const stat = (dropped: number, squeezed: number) =>
    [
      '00000010 00000000 00000000\n',
      `00000010 ${dropped.toString(16).padStart(8, '0')} ${squeezed.toString(16).padStart(8, '0')}\n`,
    ].join('')

  test.each([
    [stat(0, 0), stat(20, 0), 'problem', 'sysctl -w net.core.netdev_max_backlog=4096'],
    [stat(20, 0), stat(20, 9), 'advice', 'sysctl -w net.core.netdev_max_backlog=4096'],
    [stat(0, 5), stat(0, 6), 'advice', 'sysctl -w net.core.netdev_budget=600'],
  ])('%j, then %j', async (before, after, level, command) => {
    const found = await complaints({ files: { ...healthy, [path]: before }, meanwhile: { [path]: after } })
    expect(found).toMatchObject([{ name: 'net.core.netdev_max_backlog', level, command }])
  })

  test('that has been long enough for all so far', async () => {
    expect(await complaints({ files: { ...healthy, [path]: stat(0, 5) } })).toEqual([])
  })
})

describe('GRO of an interface', () => {
  const machine = (line: string | null): Machine => ({ run: () => line && `Features for eth0:\n${line}\n` })

  test.each([
    ['generic-receive-offload: off', 'advice', 'ethtool -K eth0 gro on'],
    ['generic-receive-offload: off [requested on]', 'advice', 'ethtool -K eth0 gro on'],
  ])('%j', async (line, level, command) => {
    expect(await complaints(machine(line))).toMatchObject([{ name: 'GRO of eth0', level, command }])
  })

  test.each(['rx-gro-list: off', null])('%j is unknown, told once', async (line) => {
    const files = { ...healthy, 'sys/class/net/eth1/flags': '0x1003\n' }
    const text = 'unknown: only ethtool(8) could tell, of eth0, eth1'
    expect(await complaints({ files, ...machine(line) })).toMatchObject([
      { name: 'GRO', level: 'unknown', text },
    ])
  })

  test.each([
    'generic-receive-offload: on',
    'generic-receive-offload: on [requested off]',
    'generic-receive-offload: off [fixed]',
  ])('%j', async (line) => {
    expect(await complaints(machine(line))).toEqual([])
  })

  test('is asked of sixteen', async () => {
    const many = Array.from({ length: 19 }, (_, index) => [`sys/class/net/veth${index}/flags`, '0x1003\n'])
    const asked: string[] = []
    const run = (program: string, [, device]: string[]) => {
      asked.push(device!)
      return ethtool(program, ['-k', device!])
    }
    const found = await complaints({ files: { ...healthy, ...Object.fromEntries(many) }, run })
    expect(asked).toHaveLength(16)
    expect(found).toMatchObject([{ name: 'GRO', text: '4 more interfaces were not asked' }])
  })
})

const links = process.platform === 'win32' ? ' [skipped: no symbolic links]' : ''

describe('sockets that have dropped', () => {
  const v6 = '20010db8000000000000000000000001'

  ;(links ? test.skip : test)(`are told of, with who has them, the worst first${links}`, async () => {
    const files = {
      ...healthy,
      'proc/net/udp': udp(
        { address: '00000000', port: 514, inode: 77, drops: 3, waiting: 2304 },
        { address: '7f000001', port: 8125, inode: 78, drops: 0 },
      ),
      'proc/net/udp6': udp({ address: v6, port: 53, inode: 79, drops: 4000 }),
      'proc/12/comm': 'sys\x1blogd\n',
      'proc/345/comm': 'dns\n',
    }
    for (const [pid, inode] of [
      ['12', 77],
      ['12', 78],
      ['345', 79],
      ['12', 79],
    ]) {
      mkdirSync(join(folder, `proc/${pid}/fd`), { recursive: true })
      symlinkSync(`socket:[${inode}]`, join(folder, `proc/${pid}/fd/${inode}`))
    }
    const meanwhile = { 'proc/net/udp6': udp({ address: v6, port: 53, inode: 79, drops: 4010 }) }
    const findings = await examined({ files, meanwhile })
    expect(findings.slice(-3)).toMatchObject([
      { name: 'UDP sockets', level: 'ok', text: '3 sockets, 2 of which have dropped messages' },
      {
        name: 'socket [2001:db8::1]:53',
        level: 'problem',
        text: 'of sys\\x1blogd (12), dns (345): 4,010 messages dropped, 10 of them in the last 3 s; 0 bytes wait to be read',
      },
      {
        name: 'socket 0.0.0.0:514',
        level: 'advice',
        text: 'of sys\\x1blogd (12): 3 messages dropped, none in the last 3 s; 2,304 bytes wait to be read',
      },
    ])
  })

  test('of somebody else are told with the user', async () => {
    const files = { ...healthy, 'proc/net/udp': udp({ address: '7f000001', port: 9, inode: 1, drops: 1 }) }
    const [found] = await complaints({ files })
    expect(found!.text).toMatch(/^of a process that cannot be seen, of user 1000: 1 message dropped,/)
  })

  test('are ten at most', async () => {
    const rows = Array.from({ length: 12 }, (_, index) => ({
      address: '7f000001',
      port: 100 + index,
      inode: index,
      drops: 1 + index,
    }))
    const found = await complaints({ files: { ...healthy, 'proc/net/udp': udp(...rows) } })
    expect(found.map(({ name }) => name)).toEqual(
      Array.from({ length: 10 }, (_, index) => `socket 127.0.0.1:${111 - index}`),
    )
  })
})

describe('this build', () => {
  test('that cannot be loaded is a problem', async () => {
    const found = await complaints({ build: { missing: 'no such file' } })
    expect(found).toMatchObject([
      { name: 'addon', level: 'problem', text: 'it cannot be loaded: no such file' },
    ])
  })

  test('whose system call a filter refuses', async () => {
    const files = { ...healthy, 'proc/self/status': 'Seccomp:\t2\n' }
    expect(await complaints({ files })).toEqual([])
    const found = await complaints({ files, build: { ...able, recvmmsg: false } })
    expect(found).toMatchObject([
      {
        name: 'seccomp',
        level: 'problem',
        advice: expect.stringMatching(/^Have the filter of the container/),
      },
    ])
    expect(found[0]!.text).toBe('a filter; refused: recvmmsg(2); it is one datagram a call')
  })

  test('on a kernel without GRO', async () => {
    const found = await complaints({ build: { ...able, gro: false } })
    expect(found).toMatchObject([{ name: 'capabilities', level: 'advice', text: 'all but gro' }])
  })

  test.each(['darwin', 'freebsd', 'win32'])('on %s, of which little can be told', async (platform) => {
    const build = { ...able, recvmmsg: false, sendmmsg: false, gro: false, gso: false }
    const run = (program: string) => (program === 'sysctl' && platform !== 'win32' ? '8388608\n' : null)
    const findings = await examined({ platform, build, run })
    const names = findings.map(({ level, name }) => `${level} ${name}`)
    const sysctl = platform === 'win32' ? [] : ['ok kern.ipc.maxsockbuf']
    expect(names).toEqual(['ok system', 'ok capabilities', ...sysctl, 'unknown the rest'])
  })
})

test('what cannot be read is unknown', async () => {
  const findings = await examined({ files: {}, run: () => null })
  expect(findings.map(({ name, level }) => `${level} ${name}`)).toEqual([
    'ok system',
    'ok capabilities',
    'ok seccomp',
    'unknown net.core.rmem_max',
    'unknown net.core.wmem_max',
    'unknown net.unix.max_dgram_qlen',
    'unknown net.core.netdev_max_backlog',
    'unknown UDP over IPv4',
    'unknown UDP sockets',
  ])
})

test('as text: what to do is below', async () => {
  const files = { ...healthy, 'proc/sys/net/unix/max_dgram_qlen': '10\n' }
  const lines = asText(await examined({ files })).split('\n')
  const at = lines.findIndex((line) => line.startsWith('advice   net.unix.max_dgram_qlen: 10 messages wait '))
  expect(lines.slice(at + 1, at + 3)).toEqual([
    '           Raise it where Unix datagram sockets are used, before they are bound.',
    '           sysctl -w net.unix.max_dgram_qlen=512',
  ])
  expect(lines.slice(-2)).toEqual(['no problem, 1 with advice, 0 unknown, 10 ok', ''])
})

describe('the command', () => {
  test.each([
    [['--jsno'], /unknown option '--jsno', did you mean '--json'\? \(see 'recvmmsg doctor --help'\)/],
    [['--seconds', '0'], /invalid value '0' for --seconds/],
    [['now'], /unexpected argument 'now'/],
  ])('%j is a usage error', (args, sentence) => {
    const { code, stdout, stderr } = run('doctor', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(sentence)
  })

  test('--help lists its options in 120 columns', () => {
    const { code, stdout } = run('doctor', '--help')
    expect(code).toBe(0)
    expect([...stdout.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name)).toEqual([
      'seconds',
      'json',
      'help',
      'version',
    ])
    expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
  })

  test('tells of this machine, in JSON, and its exit code is whether there is a problem', () => {
    const { code, stdout, stderr } = run('doctor', '--json', '--seconds', '0.1')
    expect(stderr).toBe('')
    const { findings } = JSON.parse(stdout) as { findings: Finding[] }
    expect(findings.map(({ name }) => name).slice(0, 2)).toEqual(['system', 'capabilities'])
    // What runs the command may be another runtime than what runs this.
    expect(findings[1]!.values).toEqual({ ...capabilities(), uvPoll: expect.any(Boolean) })
    expect(code).toBe(findings.some(({ level }) => level === 'problem') ? 1 : 0)
  })

  const linux = process.platform === 'linux' ? '' : ' [skipped: no /proc]'

  ;(linux ? test.skip : test)(`finds a socket that drops, and whose it is${linux}`, async () => {
    const socket = track(UdpSocket.bind({ address: '127.0.0.1' }))
    const { port } = socket.address()
    const running = new Running(['doctor', '--seconds', '2'])
    // Nobody reads it.
    const sending = runSender({ to: `127.0.0.1:${port}`, size: 1000, duration: 4000 })
    expect(await running.end()).toBe(1)
    const lines = running.stdout.split('\n')
    const found = await until('it is told', () =>
      lines.find((line) => line.includes(`socket 127.0.0.1:${port}:`)),
    )
    expect(found).toMatch(
      new RegExp(
        `^problem  .* \\(${process.pid}\\).*: [\\d,]+ messages dropped, [\\d,]+ of them in the last 2 s`,
      ),
    )
    expect(lines.some((line) => line.startsWith('problem  UDP over IPv4, RcvbufErrors: '))).toBe(true)
    await sending
  })

  test('does without the addon, which is the problem then', () => {
    const parts = ['cli', 'lib', 'index.js', 'binding.js', 'package.json']
    for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true })
    const args = [join(folder, 'cli', 'main.js'), 'doctor', '--seconds', '0.1']
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stdout).toMatch(/^problem {2}addon: it cannot be loaded: .+\n {11}Install recvmmsg anew /m)
  })
})
