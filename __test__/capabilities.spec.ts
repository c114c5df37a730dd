// capabilities(): what works here, beside trials of the testkit's.

import { capabilities, UdpSocket } from '../index'
import { bind, closeAll, matrix } from './support/matrix'
import { thrown } from './support/net'
import { testkit } from './support/testkit'

afterEach(closeAll)

const FIXED = [
  'recvmmsg',
  'sendmmsg',
  'gro',
  'gso',
  'timestamps',
  'destinations',
  'recvTos',
  'recvTtl',
  'drops',
  'errorQueue',
  'reusePort',
  'unixSockets',
  'uvPoll',
]

test('has the fixed names, all of them booleans, and no other', () => {
  const answer = capabilities()
  expect(Object.keys(answer).sort()).toEqual([...FIXED].sort())
  for (const [name, value] of Object.entries(answer)) expect([name, typeof value]).toEqual([name, 'boolean'])
})

test('gives an object of its own each time', () => {
  const answer = capabilities()
  answer.recvmmsg = !answer.recvmmsg
  expect(capabilities()).not.toEqual(answer)
  expect(capabilities()).toEqual(capabilities())
})

test('tells of recvmmsg(2) and sendmmsg(2) whether they can be called', () => {
  const { recvmmsg, sendmmsg } = capabilities()
  const { EBADF } = testkit.constants()
  const works = (call: () => number) => {
    try {
      return call() === -EBADF!
    } catch {
      return false
    }
  }
  expect({ recvmmsg, sendmmsg }).toEqual({
    recvmmsg: works(testkit.callRecvmmsg),
    sendmmsg: works((testkit as typeof testkit & { callSendmmsg(): number }).callSendmmsg),
  })
})

test('tells of UDP_GRO and UDP_SEGMENT whether a socket takes them', () => {
  const { gro, gso } = capabilities()
  const { IPPROTO_UDP, UDP_GRO, UDP_SEGMENT } = testkit.constants()
  const takes = (name: number | undefined, value: number) => {
    const fd = testkit.makeSocket('inet', 'dgram')
    try {
      if (name === undefined) return false
      testkit.setsockoptInt(fd, IPPROTO_UDP!, name, value)
      return true
    } catch {
      return false
    } finally {
      testkit.closeFd(fd)
    }
  }
  expect({ gro, gso }).toEqual({ gro: takes(UDP_GRO, 1), gso: takes(UDP_SEGMENT, 1200) })
})

test('tells of reusePort whether two sockets can share a port by it', () => {
  const [row] = matrix
  const shares = () => {
    const { port } = bind(row!, { reusePort: true }).address()
    bind(row!, { reusePort: true, port })
  }
  const outcomes = {
    true: () => expect(shares).not.toThrow(),
    false: () => expect(thrown(shares).code).toBe('ENOTSUP'),
  }
  outcomes[`${capabilities().reusePort}`]()
})

test('tells of uvPoll that the runtime is Node.js, whose event loop is libuv', () => {
  const { bun, deno } = process.versions
  expect(capabilities().uvPoll).toBe(bun === undefined && deno === undefined)
})

test('where uvPoll is false nothing calls libuv, also when it is asked for', async () => {
  const { RECVMMSG_READINESS: outer } = process.env
  process.env.RECVMMSG_READINESS = 'uv'
  const socket = UdpSocket.bind({ address: '127.0.0.1' })
  try {
    // Bun would end the process.
    socket.send('x', socket.address())
    expect(await socket.readable()).toBe(true)
  } finally {
    socket.close()
    if (outer === undefined) delete process.env.RECVMMSG_READINESS
    else process.env.RECVMMSG_READINESS = outer
  }
})

test('does not leave descriptors behind', () => {
  capabilities()
  const probe = () => {
    const fd = testkit.makeSocket('inet', 'dgram')
    testkit.closeFd(fd)
    return fd
  }
  const before = probe()
  for (let index = 0; index < 50; index++) capabilities()
  expect(probe()).toBe(before)
})
