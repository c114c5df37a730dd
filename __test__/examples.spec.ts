// The programs in examples/, as their readers run them.

import { type ChildProcess, spawn } from 'node:child_process'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { hasIpv6 } from './support/matrix'
import {
  addresses,
  describeIf,
  lacking,
  makeNetwork,
  type Network,
  removeAll,
  works,
} from './support/namespace'

jest.setTimeout(90_000)

const file = join(__dirname, '../examples/dns-responder.js')

/** A query for example.test's addresses, RFC 1035, 4.1. */
function query({ id = 7, flags = 0, name = 'example.test', type = 1, kind = 1, edns = -1 } = {}): Buffer {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)])
  const opt = edns < 0 ? [] : [0, 0, 41, 16, 0, 0, edns, 0, 0, 0, 0]
  const head = [0, id, flags >> 8, flags & 255, 0, 1, 0, 0, 0, 0, 0, edns < 0 ? 0 : 1]
  return Buffer.from([...head, ...labels, 0, 0, type, 0, kind, ...opt])
}

describe('dns-responder', () => {
  let program: ChildProcess
  let port: number
  let socket: dgram.Socket

  beforeAll(async () => {
    program = spawn(process.execPath, [file, '0', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { value } = await createInterface(program.stdout!)[Symbol.asyncIterator]().next()
    expect(value).toMatch(/^listening on 127\.0\.0\.1 port \d+$/)
    port = Number(value.split(' ').at(-1))
    socket = dgram.createSocket('udp4')
  })

  afterAll(async () => {
    socket.close()
    program.kill()
    await once(program, 'close')
  })

  /** Sends these, and gives the first answer. */
  async function answerTo(...queries: Uint8Array[]): Promise<Buffer> {
    const answer = once(socket, 'message')
    for (const each of queries) socket.send(each, port, '127.0.0.1')
    return (await answer)[0]
  }

  test.each([
    ['what it knows', {}, 0x8400, [1, 2, 0, 0]],
    ['a name in capitals', { name: 'EXAMPLE.Test' }, 0x8400, [1, 2, 0, 0]],
    ['a query that desires recursion', { flags: 0x0100 }, 0x8500, [1, 2, 0, 0]],
    ['a type that the name does not have', { name: 'v4.example.test', type: 28 }, 0x8400, [1, 0, 0, 0]],
    ['another name', { name: 'nobody.example.test' }, 0x8403, [1, 0, 0, 0]],
    ['another class', { kind: 3 }, 0x8405, [1, 0, 0, 0]],
    ['another opcode', { flags: 0x2000 }, 0xa404, [1, 0, 0, 0]],
    ['EDNS', { edns: 0 }, 0x8400, [1, 2, 0, 1]],
    ['a version of EDNS that there is not', { edns: 1 }, 0x8400, [1, 0, 0, 1]],
  ])('answers %s', async (_, how, flags, counts) => {
    const asked = query(how)
    const answer = await answerTo(asked)
    expect(answer.readUInt16BE(0)).toBe(7)
    expect(answer.readUInt16BE(2).toString(16)).toBe(flags.toString(16))
    expect([4, 6, 8, 10].map((at) => answer.readUInt16BE(at))).toEqual(counts)
    const question = query({ ...how, edns: -1 }).subarray(12)
    expect(answer.subarray(12, 12 + question.length)).toEqual(question)
  })

  test('drops what is malformed', async () => {
    const good = query({ id: 9 })
    const bad = [
      Buffer.alloc(0),
      good.subarray(0, 11),
      good.subarray(0, 12),
      good.subarray(0, 20),
      good.subarray(0, -1),
      Buffer.concat([good.subarray(0, 12), Buffer.alloc(300, 1)]),
      Buffer.concat([good.subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
      query({ flags: 0x8000 }),
      Buffer.alloc(65_000, 0xff),
    ]
    expect((await answerTo(...bad, good)).readUInt16BE(0)).toBe(9)
  })
})

const noDig = works('dig', ['-v']) ? null : 'needs dig(1)'

describeIf(lacking ?? noDig, 'dns-responder, asked by dig(1) in a network', () => {
  let network: Network
  beforeAll(() => {
    network = makeNetwork()
  })
  afterEach(() => network.server.stop())
  afterAll(removeAll)

  const ANSWERS = {
    A: '192.0.2.1\n192.0.2.2\n',
    AAAA: '2001:db8::1\n',
    TXT: '"answers come from where they were asked"\n',
  }
  const table = [
    ['0.0.0.0', addresses.udp4.server],
    ...(hasIpv6 ? [['::', addresses.udp4.server] as const, ['::', addresses.udp6.server] as const] : []),
  ] as const

  test.each(table)('answers from each address, bound to %s, asked at %p', async (bound, asked) => {
    const responder = network.server.start(file, ['5353', bound])
    await responder.line()
    // dig(1) says so of an answer that comes from elsewhere, and waits on.
    const dig = async (...argv: string[]) => {
      const { stdout } = await run(network.client.name, ['-p', '5353', '+time=20', '+tries=1', ...argv])
      return stdout
    }
    const answers = asked.flatMap((address) =>
      Object.entries(ANSWERS).map(async ([type, expected]) => {
        expect(await dig('+short', `@${address}`, 'example.test', type)).toBe(expected)
      }),
    )
    await Promise.all(answers)
    const told = await dig(`@${asked[1]}`, 'nobody.test', 'A')
    expect(told).toContain('status: NXDOMAIN')
    expect(told).toContain('EDNS: version: 0')
    expect(told).not.toContain(';; Warning')
    expect(told).not.toContain('unexpected source')
  })
})

async function run(namespace: string, argv: string[]): Promise<{ stdout: string }> {
  const child = spawn('ip', ['netns', 'exec', namespace, 'dig', ...argv])
  let stdout = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(stdout)
  return { stdout }
}
