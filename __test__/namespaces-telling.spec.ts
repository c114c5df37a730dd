// What the kernel tells beside a datagram that comes from a real host, by way of a router: type of service, time to live,
// time stamps, drops, lengths.

import { Host } from './support/host'
import { congested, describeIf, lacking, removeAll, testIf, tools } from './support/namespace'
import { callPaths } from './support/paths'
import { at, HOST, makeRouted, type Routed, WIDE } from './support/routed'

jest.setTimeout(90_000)

let network: Routed
let client: Host
let server: Host

if (lacking === null) {
  beforeAll(async () => {
    network = makeRouted()
    client = await Host.start(network.client)
    server = await Host.start(network.server)
  })
  afterEach(async () => {
    await client.closeAll()
    await server.closeAll()
  })
  afterAll(removeAll)
}

describeIf(lacking, 'what is told', () => {
  describe.each(callPaths)('$backend $path', (path) => {
    const { backend, family, any } = path
    const to = at(family, WIDE, HOST)
    const bind = (options = {}) => client.bind({ address: any, backend, ...options })
    const receiver = (options = {}) => server.bind({ address: any, backend, ...options })

    test('recvTtl: what the router has left of it', async () => {
      const socket = await receiver({ recvTtl: true })
      const sender = await bind()
      for (const ttl of [2, 64, 255]) {
        await sender.call('setTTL', ttl)
        await sender.send('x', socket.port, to)
        expect(await socket.recv(1)).toMatchObject([{ ttl: ttl - 1, tos: null }])
      }
    })

    test('recvTos: what the sender has set, with the ECN of each', async () => {
      const socket = await receiver({ recvTos: true })
      const sender = await bind()
      const table = [
        [0, 'Not-ECT'],
        [0xb8, 'Not-ECT'],
        [0x29, 'ECT(1)'],
        [0xba, 'ECT(0)'],
        [0x03, 'CE'],
      ] as const
      for (const [tos] of table) {
        await sender.call('setSocketOption', 'IP_TOS', tos)
        // Two, which may come as one message.
        await sender.sendBatch([9, 9], socket.port, to)
      }
      const packets = await socket.recv(2 * table.length)
      expect(packets.map(({ tos, ecn, ttl }) => [tos, ecn, ttl])).toEqual(
        table.flatMap(([tos, ecn]) => Array(2).fill([tos, ecn, null])),
      )
    })

    testIf(
      !tools.marks && 'needs TOS of iptables(8)',
      'recvTos: congestion that the router met',
      async () => {
        const socket = await receiver({ recvTos: true, gro: false })
        const sender = await bind()
        await sender.call('setSocketOption', 'IP_TOS', 0xba)
        const program = family === 'udp6' ? 'ip6tables' : 'iptables'
        const change = (how: string) =>
          network.router.exec(program, '-t', 'mangle', how, 'FORWARD', '-d', to, ...congested)
        await sender.send('x', socket.port, to)
        change('-A')
        try {
          await sender.send('x', socket.port, to)
        } finally {
          change('-D')
        }
        await sender.send('x', socket.port, to)
        const packets = await socket.recv(3)
        expect(packets.map(({ tos, ecn }) => [tos, ecn])).toEqual([
          [0xba, 'ECT(0)'],
          [0xbb, 'CE'],
          [0xba, 'ECT(0)'],
        ])
      },
    )

    test('timestamps: between the clocks of sender and receiver', async () => {
      const socket = await receiver({ timestamps: true })
      const sender = await bind()
      // The kernel begins to stamp a moment after the first socket has asked for it.
      for (let stamp: string | null = null; stamp === null; ) {
        await sender.send('x', socket.port, to)
        stamp = (await socket.recv(1))[0]!.timestamp
      }
      for (let round = 0; round < 5; round++) {
        // Both have the system's clock, in whole milliseconds.
        const before = await client.clock()
        await sender.send('x', socket.port, to)
        const [packet] = await socket.recv(1)
        const after = await server.clock()
        const milliseconds = Number(BigInt(packet!.timestamp!) / 1_000_000n)
        expect(milliseconds).toBeGreaterThanOrEqual(before)
        expect(milliseconds).toBeLessThanOrEqual(after)
      }
    })

    test('drops: each is told of, what was sent and what came tell how many', async () => {
      const socket = await receiver({ drops: true, gro: false, recvBufferSize: 4096 })
      const sender = await bind({ gso: false })
      const burst = Array(100).fill(1000)
      let sent = 0
      let total = 0
      for (let round = 0; round < 4; round++) {
        expect(await sender.sendBatch(burst, socket.port, to)).toMatchObject({ sent: burst.length })
        sent += burst.length
        await socket.account(sent)
        // There is room again; the loss is told with what comes behind it.
        expect(await sender.send('next', socket.port, to)).toBe(true)
        sent += 1
        const received = await socket.account(sent)
        const { drop, stats } = await socket.state()
        const lost = sent - received
        expect(lost).toBeGreaterThan(total)
        expect([stats.dropped, stats.kernelDrops]).toEqual([lost, lost])
        total = 0
        for (const each of drop) {
          expect(each.count).toBeGreaterThan(0)
          total += each.count
          expect(each.total).toBe(total)
        }
        expect(total).toBe(lost)
      }
    })

    describe.each([{ gro: true }, { gro: false }])('gro: $gro', ({ gro }) => {
      test('whole, what came in fragments', async () => {
        const socket = await receiver({ gro })
        const sender = await bind()
        const sizes = [100, 3000, 9000, 65_507]
        for (const size of sizes) await sender.send(size, socket.port, to)
        const packets = await socket.recv(sizes.length)
        expect(packets).toMatchObject(
          sizes.map((size) => ({ size, realSize: size, truncated: false, whole: true })),
        )
        expect((await socket.state()).stats).toMatchObject({ truncated: 0, datagrams: 4 })
      })
    })

    // MSG_TRUNC, recvmsg(2).
    test.each([0, 0x20])('truncated, and realSize, of what came in fragments: flags %d', async (flags) => {
      const packetSize = 2048
      const socket = await receiver({ packetSize })
      const sender = await bind()
      const sizes = [2048, 2049, 9000, 65_507, 0, 100]
      for (const size of sizes) await sender.send(size, socket.port, to)
      const packets = await socket.recv(sizes.length, { flags, packetSize })
      expect(packets).toMatchObject(
        sizes.map((length) => {
          const truncated = length > packetSize
          const realSize = truncated && flags === 0 ? null : length
          return { size: Math.min(length, packetSize), realSize, truncated, whole: true }
        }),
      )
      expect((await socket.state()).stats.truncated).toBe(3)
    })
  })
})
