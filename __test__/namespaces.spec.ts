// Real networks: where answers come from, what is too big for the path, a send buffer that fills, what cannot be sent.

import { capabilities } from '../index'
import { ipv4Modes } from './support/loop'
import { hasIpv6, matrix, type Row } from './support/matrix'
import {
  addresses,
  DEVICE,
  describeIf,
  lacking,
  linkLocal,
  makeNetwork,
  type Namespace,
  type Network,
  type Program,
  removeAll,
  slow,
  testIf,
  tools,
} from './support/namespace'

jest.setTimeout(90_000)

let network: Network
let client: Namespace
let server: Namespace

if (lacking === null) {
  beforeAll(() => {
    network = makeNetwork()
    ;({ client, server } = network)
  })
  afterEach(async () => {
    await client.stop()
    await server.stop()
  })
  afterAll(removeAll)
}

const rows = matrix.filter(({ family }) => family === 'udp4')
const families = hasIpv6 ? (['udp4', 'udp6'] as const) : (['udp4'] as const)

/** A program of one of the backends. */
function start(
  namespace: Namespace,
  { backend }: Pick<Row, 'backend'>,
  name: string,
  settings: object,
  env = {},
): Program {
  return namespace.start(name, [JSON.stringify(settings)], { CHILD_BACKEND: backend, ...env })
}

describeIf(lacking, 'an answer', () => {
  const [first4, second4] = addresses.udp4.server
  const [first6, second6] = addresses.udp6.server

  /** What is asked, from where the answer comes, and what the packet says of where it was sent to. */
  interface Question {
    bound: '0.0.0.0' | '::'
    type: 'udp4' | 'udp6'
    address: string
    from: string
    destination: string
    more?: { broadcast?: boolean; bind?: string }
  }

  const questions: Record<string, Question> = {
    'over IPv4': { bound: '0.0.0.0', type: 'udp4', address: second4, from: second4, destination: second4 },
    'over IPv6': { bound: '::', type: 'udp6', address: second6, from: second6, destination: second6 },
    mapped: { bound: '::', type: 'udp4', address: second4, from: second4, destination: `::ffff:${second4}` },
    'link-local': { bound: '::', type: 'udp6', address: linkLocal, from: linkLocal, destination: linkLocal },
  }
  // The asker cannot be connected to these: the answer comes from another address.
  const group = '224.0.0.1'
  const broadcast = '10.83.0.255'
  const bind = addresses.udp4.client
  const toMany: Record<string, Question> = {
    'multicast over IPv4': {
      bound: '0.0.0.0',
      type: 'udp4',
      address: group,
      from: first4,
      destination: group,
    },
    'multicast over IPv6': {
      bound: '::',
      type: 'udp6',
      address: `ff02::1%${DEVICE}`,
      from: linkLocal,
      destination: 'ff02::1',
    },
    'multicast, mapped': {
      bound: '::',
      type: 'udp4',
      address: group,
      from: first4,
      destination: `::ffff:${group}`,
    },
    broadcast: { bound: '0.0.0.0', type: 'udp4', address: broadcast, from: first4, destination: broadcast },
    'broadcast, mapped': {
      bound: '::',
      type: 'udp4',
      address: broadcast,
      from: first4,
      destination: `::ffff:${broadcast}`,
    },
    'broadcast to 255.255.255.255': {
      bound: '0.0.0.0',
      type: 'udp4',
      address: '255.255.255.255',
      from: first4,
      destination: '255.255.255.255',
    },
  }
  for (const name of Object.keys(toMany))
    toMany[name]!.more = { broadcast: true, bind: toMany[name]!.type === 'udp4' ? bind : '::' }

  const possible = (question: Question) => hasIpv6 || question.bound !== '::'

  /** Starts responders, and gives what they say to questions. */
  async function answers(
    row: Row,
    settings: object[],
    ask: (ports: number[]) => object[],
  ): Promise<unknown[]> {
    const ports = await start(server, row, 'responder', settings).next<number[]>()
    const asked = ask(ports)
    const asker = client.start('asker', [JSON.stringify(asked)])
    const told: unknown[] = []
    while (told.length < asked.length) told.push(await asker.next())
    await asker.end()
    return told
  }

  async function check(
    row: Row,
    way: string,
    asked: Record<string, Question>,
    connected: boolean,
  ): Promise<void> {
    const list = Object.entries(asked).filter(([, question]) => possible(question))
    const told = await answers(
      row,
      list.map(([name, { bound }]) => ({ way, address: bound, multicastAll: name === 'multicast, mapped' })),
      (ports) =>
        list.map(([, { type, address, more }], index) => ({
          type,
          address,
          port: ports[index],
          connected,
          ...more,
        })),
    )
    const interfaceIndex = server.index(DEVICE)
    const expected = list.map(([name, { from, destination }]) => {
      const text = way === 'batch' ? 'question 0' : JSON.stringify({ destination, interfaceIndex })
      return { name, text, from }
    })
    expect(told.map((each, index) => ({ name: list[index]![0], ...(each as object) }))).toEqual(expected)
  }

  describe.each(rows)('$backend', (row) => {
    const ways = ['send', 'copy', 'items', 'copies', 'batch', 'to', 'toCopy', 'many']
    test.each(ways)('by way of %s comes from the address that was asked', async (way) => {
      await check(row, way, questions, true)
    })

    test('comes from there, and what goes without a source beside it does not', async () => {
      const { 'link-local': _, ...more } = questions
      await check(row, 'mixed', more, true)
    })

    test.each(ways)('by way of %s to a question to many comes from an address of one', async (way) => {
      await check(row, way, toMany, false)
    })

    test('comes from the first address where destinations are not known', async () => {
      const list = [
        ...(hasIpv6 ? (['::'] as const) : []).flatMap((bound) => [
          { bound, type: 'udp6', address: second6, from: first6 },
          { bound, type: 'udp4', address: second4, from: first4 },
        ]),
        { bound: '0.0.0.0', type: 'udp4', address: second4, from: first4 },
      ]
      const text = JSON.stringify({ destination: null, interfaceIndex: null })
      for (const way of ['send', 'items', 'copy']) {
        const told = await answers(
          row,
          list.map(({ bound }) => ({ way, address: bound, destinations: false })),
          (ports) =>
            list.map(({ type, address }, index) => {
              return { type, address, port: ports[index], connected: true, barrier: true }
            }),
        )
        expect(told).toEqual(list.map(({ from }) => ({ answer: { text, from }, heard: false })))
      }
    })
  })
})

/** What a batch that `bursts` sent has become, and the errors that were told beside it. */
interface Burst {
  result: unknown
  events: string[]
  errors: Record<string, number>
}

async function tell<T>(program: Program, command: object | number | string): Promise<T> {
  program.tell(typeof command === 'object' ? JSON.stringify(command) : String(command))
  return program.next<T>()
}

/** All of them sent, and no more. */
function whole(count: number): object {
  return { sent: count, failed: 0, error: null, next: count }
}

describeIf(lacking, 'a path of 1,500 bytes', () => {
  const COUNT = 40
  const table = rows.flatMap(({ backend }) => families.map((family) => ({ backend, family })))
  const { gso, gro } = capabilities()
  const noSegments = gso && gro ? false : 'needs UDP_SEGMENT and UDP_GRO'

  describe.each(table)('$backend $family', ({ backend, family }) => {
    const [target] = addresses[family].server
    const own = addresses[family].client
    const fits = family === 'udp4' ? 1472 : 1452

    async function sizes(list: number[], options: object): Promise<number[]> {
      const receiver = start(server, { backend }, 'receiver', { address: target, gro: true })
      const port = await receiver.next<number>()
      const sender = start(client, { backend }, 'bursts', { address: own, port, target, ...options })
      const messages: number[] = []
      for (const size of list) {
        const { result } = await tell<Burst>(sender, { size, count: COUNT })
        expect({ size, result }).toEqual({ size, result: whole(COUNT) })
        const received = await tell<{ sizes: object; messages: number }>(receiver, COUNT)
        expect(received.sizes).toEqual({ [size]: COUNT })
        messages.push(received.messages)
      }
      return messages
    }

    testIf(noSegments, 'takes what is too big for it singly, and what fits in messages of many', async () => {
      const messages = await sizes([1000, fits, fits + 1, 1000, 4000, fits, fits + 1], {})
      const single = messages.map((each) => each === COUNT)
      expect(single).toEqual([false, false, true, false, true, false, true])
    })

    testIf(noSegments, 'takes all singly with gso: false', async () => {
      expect(await sizes([1000, fits + 1], { gso: false })).toEqual([COUNT, COUNT])
    })

    testIf(
      noSegments || (family === 'udp6' && 'IPv6 has checksums'),
      'takes all singly where UDP_SEGMENT is refused',
      async () => {
        expect(await sizes([1000, fits + 1, 100], { noCheck: true })).toEqual([COUNT, COUNT, COUNT])
      },
    )

    testIf(
      noSegments || (!tools.ethtool && 'needs ethtool(8)'),
      'takes all where the device makes no checksums',
      async () => {
        client.exec('ethtool', '-K', DEVICE, 'tx', 'off')
        try {
          await sizes([1000, fits, fits + 1, 1000], {})
        } finally {
          client.exec('ethtool', '-K', DEVICE, 'tx', 'on')
        }
      },
    )
  })

  describe.each(rows)('$backend', ({ backend }) => {
    const [, second] = addresses.udp4.server
    const questions = { type: 'udp4', address: second, connected: true, times: 50 }

    test.each([false, true])(
      'answers that are one message come from the address that was asked: refused %s',
      async (noCheck) => {
        const responder = start(server, { backend }, 'responder', [
          { way: 'together', address: '0.0.0.0', noCheck },
        ])
        const [port] = await responder.next<number[]>()
        const answers = await client
          .start('asker', [JSON.stringify([{ ...questions, port }])])
          .next<{ from: string }[]>()
        expect(answers.map(({ from }) => from)).toEqual(Array(50).fill(second))
      },
    )
  })
})

describeIf(lacking, 'what cannot be sent', () => {
  const [target] = addresses.udp4.server
  const address = addresses.udp4.client
  const BLOCKED = 9

  beforeAll(() => {
    client.ip('route', 'add', 'prohibit', '198.51.100.0/25')
    client.ip('route', 'add', 'unreachable', '198.51.100.128/25')
    client.ip('route', 'add', 'blackhole', '203.0.113.0/24')
    if (tools.iptables)
      client.exec('iptables', '-A', 'OUTPUT', '-p', 'udp', '--dport', String(BLOCKED), '-j', 'DROP')
  })

  const cases = {
    'broadcast without permission': [{ address: '10.83.0.255', port: 7 }, 'EACCES'],
    'a network without a route': [{ address: '192.0.2.1', port: 7 }, 'ENETUNREACH'],
    'a prohibited network': [{ address: '198.51.100.1', port: 7 }, 'EACCES'],
    'a host that is unreachable': [{ address: '198.51.100.200', port: 7 }, 'EHOSTUNREACH'],
    'a black hole': [{ address: '203.0.113.1', port: 7 }, 'EINVAL'],
    'an IPv6 address': [{ address: 'fd83::1', port: 7 }, 'EINVAL'],
    'what is too long': [{ address: target, port: 7, bytes: 65_508 }, 'EMSGSIZE'],
    'what a packet filter drops': [{ address: target, port: BLOCKED }, 'EPERM'],
  } as const

  describe.each(rows)('$backend', ({ backend }) => {
    let receiver: Program
    let port: number

    beforeEach(async () => {
      receiver = start(server, { backend }, 'receiver', { address: target })
      port = await receiver.next<number>()
    })

    const sender = (options: object = {}) =>
      start(client, { backend }, 'bursts', { address, port, target, ...options })

    for (const [name, [bad, code]] of Object.entries(cases)) {
      testIf(
        code === 'EPERM' && !tools.iptables && 'needs iptables(8)',
        `${name} is ${code}, and stops nothing else`,
        async () => {
          const bursts = sender()
          const good = { address: target, port }
          const error = (index: number) => ({ code, index, syscall: 'sendmmsg' })
          for (const index of [0, 1, 2]) {
            const items: object[] = [good, good, good]
            items[index] = bad
            const { result, events } = await tell<Burst>(bursts, { items })
            expect({ result, events }).toEqual({
              result: { sent: 2, failed: 1, error: error(index), next: 3 },
              events: [],
            })
          }
          const all = await tell<Burst>(bursts, { items: [good, ...Array(5).fill(bad), good, good, bad] })
          expect(all.result).toEqual({ sent: 3, failed: 6, error: error(1), next: 9 })
          expect(await tell(receiver, 9)).toMatchObject({ sizes: { 100: 9 } })
          const none = await tell<Burst>(bursts, { items: Array(70).fill(bad) })
          expect(none).toEqual({
            result: { sent: 0, failed: 70, error: error(0), next: 70 },
            events: [],
            errors: { [code]: 79 },
          })
        },
      )
    }

    test('what there is no memory for is lost, and stops nothing else', async () => {
      // Its fragments need more than twice the send buffer.
      const bursts = sender({ sendBufferSize: 1 })
      const item = (bytes: number) => ({ address: target, port, bytes })
      const { result } = await tell<Burst>(bursts, { items: [item(100), item(60_000), item(200)] })
      expect(result).toEqual({
        sent: 2,
        failed: 1,
        error: { code: 'ENOBUFS', index: 1, syscall: 'sendmmsg' },
        next: 3,
      })
      expect(await tell(receiver, 2)).toMatchObject({ sizes: { 100: 1, 200: 1 } })
    })

    test.each([{ single: 100 }, { size: 100, count: 1 }, { size: 100, count: 20 }])(
      'an ICMP error to an earlier datagram is told, and %p is sent',
      async (command) => {
        const count = command.count ?? 1
        const bursts = sender({ connected: true })
        expect((await tell<Burst>(bursts, { single: 50 })).result).toBe(true)
        expect(await tell(receiver, 1)).toMatchObject({ sizes: { 50: 1 } })
        expect(await tell(receiver, 'close')).toBe('close')
        expect((await tell<Burst>(bursts, { single: 60 })).result).toBe(true)
        expect((await tell<Burst>(bursts, { wait: true })).result).toBe(true)
        expect(await tell(receiver, 'open')).toBe('open')
        expect(await tell<Burst>(bursts, command)).toEqual({
          result: command.single ? true : whole(count),
          events: ['ECONNREFUSED'],
          errors: { ECONNREFUSED: 1 },
        })
        expect(await tell(receiver, count)).toMatchObject({ sizes: { 100: count } })
      },
    )

    test.each([{ single: 1400 }, { size: 1400, count: 1 }, { size: 400, count: 20 }])(
      'a path that turns out to be narrower is told, and %p is sent',
      async (command) => {
        // Beyond the server there is a network of a smaller MTU.
        server.ip('link', 'add', 'narrow', 'mtu', '1000', 'type', 'veth', 'peer', 'name', 'beyond')
        try {
          server.ip('address', 'add', '10.84.0.1/24', 'dev', 'narrow')
          server.ip('link', 'set', 'beyond', 'up')
          server.ip('link', 'set', 'narrow', 'up')
          server.set('net/ipv4/ip_forward', 1)
          client.ip('route', 'add', '10.84.0.0/24', 'via', target)
          const bursts = sender({ port: 7, target: '10.84.0.9', connected: true })
          expect((await tell<Burst>(bursts, { single: 1400 })).result).toBe(true)
          expect((await tell<Burst>(bursts, { wait: true })).result).toBe(true)
          expect(await tell<Burst>(bursts, command)).toEqual({
            result: command.single ? true : whole(command.count!),
            events: ['EMSGSIZE'],
            errors: { EMSGSIZE: 1 },
          })
        } finally {
          server.ip('link', 'delete', 'narrow')
          client.ip('route', 'flush', 'cache')
          client.ip('route', 'delete', '10.84.0.0/24')
        }
      },
    )
  })
})

describeIf(lacking, 'a send buffer that is full', () => {
  const table = ipv4Modes.flatMap(({ backend, readiness }) =>
    families.map((family) => ({ backend, readiness, family })),
  )

  const noTc = !tools.tc && 'needs tc(8) and its tbf'

  /** Each wait has one 'drain', and the process sleeps meanwhile. */
  interface Wait {
    name: string
    short: boolean
    result: string | boolean
    drains: number
    milliseconds: number
    busy: number
  }

  describe.each(table)('$readiness $backend $family', ({ backend, readiness, family }) => {
    const own = addresses[family].client
    const [target] = addresses[family].server
    const { nobody } = addresses[family]
    const env = { RECVMMSG_READINESS: readiness }

    /** Sends on a slow device, to a receiver or to nobody; which errors were told. */
    async function slowly(receiver: Program | null, settings: { names: string[]; connected?: boolean }) {
      const port = receiver === null ? 7 : await receiver.next<number>()
      client.exec('tc', 'qdisc', 'add', 'dev', DEVICE, 'root', ...slow(8))
      try {
        const sender = start(
          client,
          { backend },
          'backpressure',
          { own, target, port, bytes: 500, all: true, ...settings },
          env,
        )
        for (const name of settings.names) {
          for (const result of ['drain', true]) {
            expect(await sender.next<Wait>()).toMatchObject({ name, short: true, result, drains: 1 })
          }
        }
        expect(await sender.next()).toEqual({ name: 'all', sent: 1000, failed: 0, next: 1000 })
        const { sent, drains, errors } = await sender.next<{
          sent: number
          drains: number
          errors: string[]
        }>()
        expect(drains).toBeGreaterThan(2 * settings.names.length)
        await sender.end()
        // Before the queue goes, with what is in it.
        if (receiver !== null) expect(await tell(receiver, sent)).toMatchObject({ sizes: { 500: sent } })
        return errors
      } finally {
        client.exec('tc', 'qdisc', 'delete', 'dev', DEVICE, 'root')
      }
    }

    testIf(noTc, 'drains at the speed of a slow device', async () => {
      const receiver = start(server, { backend }, 'receiver', { address: target })
      expect(await slowly(receiver, { names: ['send', 'sourced', 'batch', 'many'] })).toEqual([])
    })

    testIf(noTc, 'drains beside ICMP errors, which are told', async () => {
      const errors = await slowly(null, { names: ['send', 'batch'], connected: true })
      expect(errors).toEqual(['ECONNREFUSED'])
    })

    test('drains when a neighbour does not answer, and costs nothing meanwhile', async () => {
      client.set(`net/${family === 'udp4' ? 'ipv4' : 'ipv6'}/neigh/${DEVICE}/retrans_time_ms`, 500)
      const settings = { own, target: nobody, port: 7, bytes: 500, names: ['batch'] }
      const sender = start(client, { backend }, 'backpressure', settings, env)
      for (const result of ['drain', true]) {
        const wait = await sender.next<Wait>()
        expect(wait).toMatchObject({ name: 'batch', short: true, result, drains: 1 })
        expect(wait.milliseconds).toBeGreaterThan(500)
        expect(wait.busy).toBeLessThan(wait.milliseconds / 3)
      }
      expect(await sender.next()).toMatchObject({ drains: 2, errors: [] })
      await sender.end()
    })
  })
})
