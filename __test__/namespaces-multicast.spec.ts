// Datagrams to many, and of many: groups, sources and broadcasts between two hosts that two cables join.

import { Host, type HostSocket } from './support/host'
import { describeIf, lacking, removeAll } from './support/namespace'
import { callPaths, told } from './support/paths'
import { at, HOST, makeRouted, NARROW, OTHER, ROUTER, type Routed, WIDE } from './support/routed'

jest.setTimeout(90_000)

/** Sends; its network is the router's. */
let sender: Host
let receiver: Host
let network: Routed
let index: Record<typeof WIDE | typeof NARROW, number>

if (lacking === null) {
  beforeAll(async () => {
    network = makeRouted()
    sender = await Host.start(network.router)
    receiver = await Host.start(network.server)
    index = { [WIDE]: network.server.index(WIDE), [NARROW]: network.server.index(NARROW) }
  })
  afterEach(async () => {
    await sender.closeAll()
    await receiver.closeAll()
  })
  afterAll(removeAll)
}

describeIf(lacking, 'a host with two cables', () => {
  describe.each(callPaths)('$backend $path', (path) => {
    const { backend, family, any } = path
    const v6 = family === 'udp6'
    const groups = v6 ? (['ff35::8353', 'ff35::8354'] as const) : (['232.1.8.36', '232.1.8.37'] as const)
    const [group] = groups
    const bind = (options = {}) => receiver.bind({ address: any, backend, ...options })

    /** One that sends to groups by a cable, from an address of the router's there. */
    async function by(cable: typeof WIDE | typeof NARROW, host = ROUTER): Promise<HostSocket> {
      const address = at(family, cable, host)
      const socket = await sender.bind({ address, backend })
      await socket.call('setMulticastInterface', interfaceOf(cable, host))
      return socket
    }

    /** The interface as a membership takes it, of either end. */
    function interfaceOf(cable: typeof WIDE | typeof NARROW, host = HOST): string {
      return v6 ? `::%${cable}` : at(family, cable, host)
    }

    /** What has come until now: all came by `recv`, in order, before what is sent last. */
    async function came(socket: HostSocket, count: number) {
      const last = await sender.bind({ address: v6 ? '::' : '0.0.0.0', backend })
      await last.send('last', socket.port, at(family, WIDE, HOST))
      const packets = await socket.recv(count + 1)
      expect(packets.at(-1)).toMatchObject({ text: 'last' })
      return packets.slice(0, -1).map(({ text, address, destination, interfaceIndex }) => ({
        text,
        address,
        destination,
        interfaceIndex,
      }))
    }

    /** As it is told where a group's datagram came by a cable. */
    const from = (cable: typeof WIDE | typeof NARROW, text: string, to: string = group, host = ROUTER) => ({
      text,
      address: told(path, at(family, cable, host)),
      destination: told(path, to),
      interfaceIndex: index[cable],
    })

    test('gets what is sent to a group on the cables that it has joined it on', async () => {
      const socket = await bind({ multicastAll: true })
      const [wide, narrow] = [await by(WIDE), await by(NARROW)]
      const send = async (text: string) => {
        await wide.send(text, socket.port, group)
        await narrow.send(text, socket.port, group)
      }
      await send('nobody')
      expect(await came(socket, 0)).toEqual([])
      await socket.call('addMembership', group, interfaceOf(NARROW))
      await send('narrow')
      expect(await came(socket, 1)).toEqual([from(NARROW, 'narrow')])
      await socket.call('addMembership', group, interfaceOf(WIDE))
      await send('both')
      expect(await came(socket, 2)).toEqual([from(WIDE, 'both'), from(NARROW, 'both')])
      await socket.call('dropMembership', group, interfaceOf(NARROW))
      await send('wide')
      expect(await came(socket, 1)).toEqual([from(WIDE, 'wide')])
    })

    test('gets what is sent to a group by the sources that it has named', async () => {
      const socket = await bind()
      const senders = [await by(WIDE), await by(WIDE, OTHER)]
      const [one, other] = [at(family, WIDE, ROUTER), at(family, WIDE, OTHER)]
      const send = async (text: string) => {
        for (const each of senders) await each.send(text, socket.port, group)
      }
      const named = (name: string, source: string) => socket.call(name, source, group, interfaceOf(WIDE))
      await named('addSourceSpecificMembership', other)
      await send('other')
      expect(await came(socket, 1)).toEqual([from(WIDE, 'other', group, OTHER)])
      await named('addSourceSpecificMembership', one)
      await send('both')
      expect(await came(socket, 2)).toEqual([from(WIDE, 'both'), from(WIDE, 'both', group, OTHER)])
      await named('dropSourceSpecificMembership', other)
      await send('one')
      expect(await came(socket, 1)).toEqual([from(WIDE, 'one')])
    })

    test.each([false, true, undefined])(
      'gets what others on it have joined, or not: multicastAll %s',
      async (multicastAll) => {
        // The system's choice: of IPv4 groups an IPv6 socket has its own only, unless it is told otherwise.
        const all = multicastAll ?? path.path !== 'mapped'
        const sockets = [await bind({ reuseAddr: true, multicastAll })]
        const { port } = sockets[0]!
        sockets.push(await bind({ reuseAddr: true, multicastAll, port }))
        for (const [place, socket] of sockets.entries())
          await socket.call('addMembership', groups[place], interfaceOf(WIDE))
        const wide = await by(WIDE)
        for (const each of groups) await wide.send('x', port, each)
        for (const [place, socket] of sockets.entries()) {
          const expected = all ? groups : [groups[place]!]
          const packets = await socket.recv(expected.length)
          expect(packets.map(({ destination }) => destination)).toEqual(expected.map((to) => told(path, to)))
          expect(await socket.recv(1, { timeout: 0 })).toEqual([])
        }
      },
    )

    test('gets by one cable only what is bound to it, each its own on one port', async () => {
      const wide = await bind({ bindToDevice: WIDE, destinations: true })
      const { port } = wide
      const narrow = await bind({ bindToDevice: NARROW, destinations: true, port })
      const socket = await sender.bind({ address: v6 ? '::' : '0.0.0.0', backend })
      for (const cable of [WIDE, NARROW] as const) await socket.send(cable, port, at(family, cable, HOST))
      // An address that is on no interface.
      const behind = at(family, 'behind', 200)
      await socket.send('behind', port, behind)
      expect((await wide.recv(1)).map(({ text }) => text)).toEqual([WIDE])
      const [first, second] = await narrow.recv(2)
      expect([first, second]).toMatchObject([
        from(NARROW, NARROW, at(family, NARROW, HOST)),
        from(NARROW, 'behind', behind),
      ])
      for (const each of [wide, narrow]) expect(await each.recv(1, { timeout: 0 })).toEqual([])
    })

    test('answers from the address that was asked, by the cable that leads back', async () => {
      const socket = await bind()
      // The address is routed to the host, and on none of its interfaces: of IPv6 that is not its own.
      await socket.call('setSocketOption', 'IPV6_FREEBIND', true)
      // It goes there by the narrow cable, and there is only the wide one back.
      const address = at(family, 'behind', 201)
      const asker = await sender.bind({ address: at(family, 'near', ROUTER), backend })
      await asker.call('connect', socket.port, address)
      await asker.send('question')
      await socket.answer(1)
      expect(await asker.recv(1)).toMatchObject([{ text: 'question', address, port: socket.port }])
    })
  })
})

describeIf(lacking, 'a broadcast', () => {
  const rows = callPaths.filter(({ family }) => family === 'udp4')

  describe.each(rows)('$backend $path', (path) => {
    const { backend, any } = path
    const subnet = { [WIDE]: '10.84.2.255', [NARROW]: '10.84.3.255' } as const
    const all = '255.255.255.255'

    test('is told as such, with the cable that it came by', async () => {
      const socket = await receiver.bind({ address: any, backend })
      const { port } = socket
      const sends: { cable: typeof WIDE | typeof NARROW; address: string }[] = []
      for (const cable of [WIDE, NARROW, WIDE] as const) {
        for (const address of [subnet[cable], all]) {
          const from = await sender.bind({ address: any, backend, bindToDevice: cable })
          await from.call('setBroadcast', true)
          expect(await from.send(cable, port, address)).toBe(true)
          sends.push({ cable, address })
        }
      }
      const packets = await socket.recv(sends.length)
      expect(packets).toMatchObject(
        sends.map(({ cable, address }) => ({
          text: cable,
          address: told(path, at('udp4', cable, ROUTER)),
          destination: told(path, address),
          interfaceIndex: index[cable],
        })),
      )
    })

    test('leaves only when it may', async () => {
      const socket = await receiver.bind({ address: any, backend })
      const from = await sender.bind({ address: any, backend, bindToDevice: NARROW })
      for (const address of [subnet[NARROW], all]) {
        const no = { code: 'EACCES', syscall: 'send', address, port: socket.port }
        await expect(from.send('no', socket.port, address)).rejects.toMatchObject(no)
        expect(await from.sendBatch(['no', 'no'], socket.port, address)).toEqual({
          sent: 0,
          failed: 2,
          next: 2,
          code: 'EACCES',
        })
      }
      await from.call('setBroadcast', true)
      expect(await from.sendBatch(['one', 'two'], socket.port, all)).toMatchObject({ sent: 2 })
      expect((await socket.recv(2)).map(({ text }) => text)).toEqual(['one', 'two'])
      await from.call('setBroadcast', false)
      await expect(from.send('no', socket.port, all)).rejects.toMatchObject({ code: 'EACCES' })
      expect(await socket.recv(1, { timeout: 0 })).toEqual([])
    })

    test('is not for who is bound to one address', async () => {
      const one = await receiver.bind({ address: at('udp4', WIDE, HOST), backend, reuseAddr: true })
      const socket = await receiver.bind({ address: any, backend, port: one.port, reuseAddr: true })
      const from = await sender.bind({ address: any, backend })
      await from.call('setBroadcast', true)
      await from.send('all', one.port, subnet[WIDE])
      await from.send('one', one.port, at('udp4', WIDE, HOST))
      expect(await socket.recv(1)).toMatchObject([{ text: 'all' }])
      expect(await one.recv(1)).toMatchObject([{ text: 'one' }])
      for (const each of [socket, one]) expect(await each.recv(1, { timeout: 0 })).toEqual([])
    })
  })
})
