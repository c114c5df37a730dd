// What the kernel tells of ICMP errors between real hosts, with a router between them.

import type { IcmpError } from '../index'
import { Host, type To } from './support/host'
import type { Mode } from './support/loop'
import { hasIpv6 } from './support/matrix'
import { describeIf, lacking, removeAll, slow, testIf, tools } from './support/namespace'
import { type Path, paths, told } from './support/paths'
import {
  at,
  freshSource,
  HOST,
  makeRouted,
  NARROW_MTU,
  NEAR,
  NOBODY,
  ROUTER,
  type Routed,
  WIDE,
} from './support/routed'

jest.setTimeout(90_000)

let network: Routed
let server: Host
let clients: Record<Mode['readiness'], Host>

if (lacking === null) {
  beforeAll(async () => {
    network = makeRouted()
    const start = (readiness: string) => Host.start(network.client, { RECVMMSG_READINESS: readiness })
    server = await Host.start(network.server)
    clients = { uv: await start('uv'), thread: await start('thread') }
  })
  afterEach(async () => {
    for (const host of [server, clients.uv, clients.thread]) await host.closeAll()
  })
  afterAll(removeAll)
}

/** Nobody has sent to that address of the far side's yet: what the kernel learns of a path it keeps. */
let behind = 10

/** A port of the server's that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = await server.bind({ address: hasIpv6 ? '::' : '0.0.0.0' })
  await socket.call('close')
  return socket.port
}

const noTc = !tools.tc && 'needs tc(8) and its tbf'

/** Nobody listens there. */
const DEAD = 9

describeIf(lacking, 'an ICMP error', () => {
  beforeEach(() => freshSource(network))

  /** Type, code and errno's name of what ICMP and ICMPv6 say, RFC 792, RFC 1812, RFC 4443. */
  type Words = [type: number, code: number, name: IcmpError['name'], errno: number]
  interface Cause {
    cause: string
    net: Parameters<typeof at>[1]
    host: number
    offender: 'itself' | 'router' | 'own'
    udp4: Words
    udp6: Words
    lacks?: string | false
  }

  const causes: Cause[] = [
    {
      cause: 'a port that nobody listens on',
      net: WIDE,
      host: HOST,
      offender: 'itself',
      udp4: [3, 3, 'ECONNREFUSED', -111],
      udp6: [1, 4, 'ECONNREFUSED', -111],
    },
    {
      cause: 'nobody behind the router',
      net: WIDE,
      host: NOBODY,
      offender: 'router',
      udp4: [3, 1, 'EHOSTUNREACH', -113],
      udp6: [1, 3, 'EHOSTUNREACH', -113],
    },
    {
      cause: 'nobody on the own cable',
      net: NEAR,
      host: NOBODY,
      offender: 'own',
      udp4: [3, 1, 'EHOSTUNREACH', -113],
      udp6: [1, 3, 'EHOSTUNREACH', -113],
    },
    {
      cause: 'a network without a route',
      net: 'unrouted',
      host: HOST,
      offender: 'router',
      udp4: [3, 0, 'ENETUNREACH', -101],
      udp6: [1, 0, 'ENETUNREACH', -101],
    },
    {
      cause: 'a prohibited network',
      net: 'prohibited',
      host: HOST,
      offender: 'router',
      udp4: [3, 13, 'EHOSTUNREACH', -113],
      udp6: [1, 1, 'EACCES', -13],
    },
    {
      cause: 'what a packet filter rejects',
      net: 'rejected',
      host: HOST,
      offender: 'router',
      udp4: [3, 10, 'EHOSTUNREACH', -113],
      udp6: [1, 1, 'EACCES', -13],
      lacks: !tools.rejects && 'needs REJECT of iptables(8)',
    },
    {
      cause: 'a time to live that has run out',
      net: 'far',
      host: HOST,
      offender: 'router',
      udp4: [11, 0, 'EHOSTUNREACH', -113],
      udp6: [3, 0, 'EHOSTUNREACH', -113],
    },
  ]

  const expected = (path: Path, { net, host, offender, ...words }: Cause): IcmpError => {
    const [type, code, name, errno] = words[path.family]
    const address = at(path.family, net, host)
    const by = { itself: address, router: at(path.family, NEAR, ROUTER), own: at(path.family, NEAR, HOST) }
    return {
      address: told(path, address),
      port: DEAD,
      offender: told(path, by[offender]),
      type,
      code,
      errno,
      name,
      mtu: null,
    }
  }

  describe.each(paths)('$readiness $backend $path', (path) => {
    const { readiness, backend, family, any } = path
    const serverAt = at(family, WIDE, HOST)
    const bind = (options = {}) =>
      clients[readiness].bind({ address: any, backend, errorQueue: true, ...options })
    const receiver = (options = {}) => server.bind({ address: any, backend, ...options })

    describe.each([{ connected: false }, { connected: true }])('connected: $connected', ({ connected }) => {
      for (const each of causes) {
        const address = at(family, each.net, each.host)
        testIf(each.lacks ?? false, `is told once: ${each.cause}`, async () => {
          const socket = await bind()
          await socket.listen()
          if (connected) await socket.call('connect', DEAD, address)
          const to: To = connected ? [] : [DEAD, address]
          // The second would come behind whatever the first is told as beside it.
          for (const count of [1, 2]) {
            expect(await socket.send('x', ...to)).toBe(true)
            await socket.told('icmp', count)
          }
          const error = expected(path, each)
          const { icmp, error: errors, close, stats } = await socket.state()
          expect({ icmp, errors, close }).toEqual({ icmp: [error, error], errors: [], close: 0 })
          expect(stats.errors).toEqual({ [error.name]: 2 })
        })
      }

      // What has come is not read: the error is still there when something else is sent.
      const ways = ['one', 'one in a batch', 'ten in a batch'] as const
      test.each(ways)('is told by the send that meets it, which goes once: %s', async (way) => {
        const count = way === 'ten in a batch' ? 10 : 1
        const socket = await bind()
        const other = await receiver()
        const port = connected ? await freePort() : other.port
        if (connected) await socket.call('connect', port, serverAt)
        const to: To = connected ? [] : [port, serverAt]
        const dead: To = connected ? [] : [DEAD, serverAt]
        expect(await socket.send('x', ...dead)).toBe(true)
        expect(await socket.readable()).toBe(true)
        const listener = connected ? await receiver({ port }) : other
        if (way === 'one') expect(await socket.send(100, ...to)).toBe(true)
        else {
          expect(await socket.sendBatch(Array(count).fill(100), ...to)).toEqual({
            sent: count,
            failed: 0,
            next: count,
            code: null,
          })
        }
        expect(await socket.send('last', ...to)).toBe(true)
        const { icmp, error, stats } = await socket.state()
        const refused = { ...expected(path, causes[0]!), port: connected ? port : DEAD }
        expect({ icmp, error, errors: stats.errors }).toEqual({
          icmp: [refused],
          error: [],
          errors: { ECONNREFUSED: 1 },
        })
        const sizes = (await listener.recv(count + 1)).map(({ size }) => size)
        expect(sizes).toEqual([...Array(count).fill(100), 4])
      })
    })

    testIf(
      family !== 'udp6' && 'IPv4 has none',
      'is told with the interface of a link-local address',
      async () => {
        const socket = await bind()
        await socket.listen()
        // The router's end of the cable.
        const address = `fe80::84:2%${NEAR}`
        await socket.send('x', DEAD, address)
        const [port] = causes
        expect(await socket.told('icmp', 1)).toEqual([
          { ...expected(path, port!), address, offender: address },
        ])
      },
    )

    testIf(noTc, 'by the hundred hides no data, and is no error besides', async () => {
      const COUNT = 500
      const socket = await bind({ recvBufferSize: 8 << 20, gso: false })
      const from = await server.bind({ address: serverAt, backend })
      await socket.send('hello', from.port, serverAt)
      const [hello] = await from.recv(1)
      await socket.listen()
      // They come while the socket is read.
      network.router.exec('tc', 'qdisc', 'add', 'dev', NEAR, 'root', ...slow(8))
      try {
        const texts = Array.from({ length: COUNT }, (_, index) => String(index))
        // The errors of the first ones may come as soon as to be met twice by one of the last.
        const { sent, failed, next } = await socket.sendBatch(texts, DEAD, serverAt)
        expect({ all: sent + failed, next }).toEqual({ all: COUNT, next: COUNT })
        await from.sendBatch(texts, hello!.port, hello!.address)
        await socket.told('icmp', sent)
        const packets = await socket.told('packets', COUNT)
        expect(packets.map(({ text }) => text)).toEqual(texts)
        const { icmp, error, close, stats } = await socket.state()
        expect(icmp).toEqual(Array(sent).fill(expected(path, causes[0]!)))
        expect({ error, close, errors: stats.errors }).toEqual({
          error: [],
          close: 0,
          errors: { ECONNREFUSED: COUNT },
        })
      } finally {
        network.router.exec('tc', 'qdisc', 'delete', 'dev', NEAR, 'root')
      }
    })

    testIf(noTc, 'and others behind it do not lengthen a wait', async () => {
      const socket = await bind({ gso: false })
      network.router.exec('tc', 'qdisc', 'add', 'dev', NEAR, 'root', ...slow(0.064))
      try {
        // A hundred a second.
        for (let count = 0; count < 5; count++) {
          await socket.sendBatch(Array(100).fill('x'), DEAD, serverAt)
        }
        expect(await socket.recv(1, { timeout: 200 })).toEqual([])
        const { icmp } = await socket.state()
        expect(icmp.length).toBeGreaterThan(0)
        expect(icmp.length).toBeLessThan(450)
      } finally {
        network.router.exec('tc', 'qdisc', 'delete', 'dev', NEAR, 'root')
      }
    })

    /** What the router says of datagrams that are too big for the narrow cable. */
    const tooBig = (address: string, port: number): IcmpError => ({
      address: told(path, address),
      port,
      offender: told(path, at(family, NEAR, ROUTER)),
      ...(family === 'udp6' ? { type: 2, code: 0 } : { type: 3, code: 4 }),
      errno: -90,
      name: 'EMSGSIZE',
      mtu: NARROW_MTU,
    })
    /** The most that fits there. */
    const fits = NARROW_MTU - (family === 'udp6' ? 48 : 28)

    describe.each([{ connected: false }, { connected: true }])('connected: $connected', ({ connected }) => {
      const far = async (options: object) => {
        const address = at(family, 'behind', behind++)
        const listener = await receiver()
        const socket = await bind(options)
        if (connected) await socket.call('connect', listener.port, address)
        await socket.listen()
        const to: To = connected ? [] : [listener.port, address]
        const all = { error: tooBig(address, listener.port), listener, socket, to }
        expect(await socket.send(1400, ...to)).toBe(true)
        expect(await socket.told('icmp', 1)).toEqual([all.error])
        return all
      }

      test('tells what a narrower path takes, and what is cut to it arrives', async () => {
        const { error, listener, socket, to } = await far({})
        expect(await socket.send(1400, ...to)).toBe(true)
        expect(await socket.sendBatch(Array(10).fill(1300), ...to)).toEqual({
          sent: 10,
          failed: 0,
          next: 10,
          code: null,
        })
        const packets = await listener.recv(11)
        expect(packets.map(({ size }) => size)).toEqual([1400, ...Array(10).fill(1300)])
        expect(packets.every(({ whole }) => whole)).toBe(true)
        const { icmp, error: errors, stats } = await socket.state()
        expect({ icmp, errors }).toEqual({ icmp: [error], errors: [] })
        expect(stats.errors).toEqual({ EMSGSIZE: 1 })
      })

      test('tells what a narrower path takes, and what may not be cut is refused', async () => {
        const { error, listener, socket, to } = await far({ dontFragment: true })
        await expect(socket.send(fits + 1, ...to)).rejects.toMatchObject({
          code: 'EMSGSIZE',
          syscall: 'send',
        })
        expect(await socket.send(fits, ...to)).toBe(true)
        const sizes = [fits + 1, fits, fits + 1, fits]
        expect(await socket.sendBatch(sizes, ...to)).toEqual({
          sent: 2,
          failed: 2,
          next: 4,
          code: 'EMSGSIZE',
        })
        expect((await listener.recv(3)).map(({ size }) => size)).toEqual([fits, fits, fits])
        // The kernel's own refusals are in the error queue as well, and nobody's answer.
        const { icmp, error: errors, close, stats } = await socket.state()
        expect({ icmp, errors, close }).toEqual({ icmp: [error], errors: [], close: 0 })
        expect(stats.errors).toEqual({ EMSGSIZE: 4 })
      })
    })
  })
})
