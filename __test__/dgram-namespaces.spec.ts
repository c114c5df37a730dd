// recvmmsg/dgram on real networks: multicast over IPv6, and a send buffer that is full.

import { ipv4Modes } from './support/loop'
import { hasIpv6 } from './support/matrix'
import {
  addresses,
  DEVICE,
  describeIf,
  lacking,
  makeNetwork,
  type Namespace,
  removeAll,
  slow,
  testIf,
  tools,
} from './support/namespace'

jest.setTimeout(90_000)

let client: Namespace
let server: Namespace

if (lacking === null) {
  beforeAll(() => {
    ;({ client, server } = makeNetwork())
  })
  afterEach(async () => {
    await client.stop()
    await server.stop()
  })
  afterAll(removeAll)
}

describeIf(lacking, 'on a network', () => {
  describe.each(ipv4Modes)('$readiness $backend', ({ backend, readiness }) => {
    const env = { CHILD_BACKEND: backend, RECVMMSG_READINESS: readiness }

    testIf(
      !hasIpv6 && 'no IPv6',
      'gets what is sent to an IPv6 group, and to one from a source',
      async () => {
        const program = client.start('dgram-multicast', [DEVICE, addresses.udp6.client], env)
        expect(await program.next()).toEqual(['joined', 'joined a source'])
        await program.end()
      },
    )

    testIf(!tools.tc && 'needs tc(8) and its tbf', 'what finds no room waits, in order', async () => {
      const [target] = addresses.udp4.server
      const receiver = server.start('dgram-receiver', [target], env)
      const port = await receiver.next<number>()
      client.exec('tc', 'qdisc', 'add', 'dev', DEVICE, 'root', ...slow(8))
      try {
        const args = [addresses.udp4.client, target, String(port)]
        const sender = client.start('dgram-backpressure', args, env)
        expect(await sender.next()).toMatchObject({ waited: true, errors: [], inOrder: true, left: 0 })
        // What still waits when the socket closes is told that it will not go.
        expect(await sender.next()).toMatchObject({ canceled: true, codes: ['ECANCELED'] })
        await sender.end()
      } finally {
        client.exec('tc', 'qdisc', 'delete', 'dev', DEVICE, 'root')
      }
    })
  })
})
