// What the package gives to whoever imports it, by both doors. They are the compiled ones.

import * as index from '../index'
import { printedBy } from './support/program'

/** What `script` prints as JSON. */
function run(type: 'module' | 'commonjs', script: string): unknown {
  return JSON.parse(printedBy(type, script))
}

const FIXED = [
  'PacketBatch',
  'UdpSocket',
  'UnixDatagramSocket',
  'capabilities',
  'constants',
  'merge',
  'recvMmsg',
  'sendMmsg',
]

test('has the fixed names', () => {
  expect(Object.keys(index)).toEqual(expect.arrayContaining(FIXED))
  const { PacketBatch, UdpSocket, UnixDatagramSocket, capabilities, merge, recvMmsg, sendMmsg } = index
  expect([
    PacketBatch.name,
    UdpSocket.name,
    UnixDatagramSocket.name,
    capabilities.name,
    merge.name,
    recvMmsg.name,
    sendMmsg.name,
  ]).toEqual([
    'PacketBatch',
    'UdpSocket',
    'UnixDatagramSocket',
    'capabilities',
    'merge',
    'recvMmsg',
    'sendMmsg',
  ])
})

test('gives the same objects to require and to import', () => {
  const script = `
    import * as imported from 'recvmmsg'
    import { createRequire } from 'node:module'
    const required = createRequire(import.meta.url)('recvmmsg')
    const same = Object.keys(required).filter((name) => imported[name] === required[name])
    console.log(JSON.stringify({ same: same.sort(), imported: Object.keys(imported).sort() }))`
  const names = Object.keys(index).sort()
  const { same, imported } = run('module', script) as { same: string[]; imported: string[] }
  expect(same).toEqual(names)
  // Compilers and some releases of Node.js add these to what comes from CommonJS.
  const added = ['__esModule', 'default', 'module.exports']
  expect(imported.filter((name) => !added.includes(name))).toEqual(names)
})

test('gives named imports that work', () => {
  const script = `
    import { UdpSocket, PacketBatch, recvMmsg, capabilities, constants } from 'recvmmsg'
    const socket = UdpSocket.bind({ address: '127.0.0.1' })
    const batch = new PacketBatch()
    socket.send('hello', socket.address())
    const count = recvMmsg(socket, batch)
    socket.close()
    console.log(JSON.stringify([count, batch.at(0).data.toString(), capabilities().uvPoll, constants.MSG_PEEK]))`
  const { capabilities, constants } = index
  expect(run('module', script)).toEqual([1, 'hello', capabilities().uvPoll, constants.MSG_PEEK])
  expect(
    run('commonjs', script.replace('import', 'const').replace("from 'recvmmsg'", "= require('recvmmsg')")),
  ).toEqual([1, 'hello', capabilities().uvPoll, constants.MSG_PEEK])
})

test('gives its manifest, and nothing from inside', () => {
  const script = `
    const reach = (name) => { try { return typeof require(name) } catch (error) { return error.code } }
    console.log(JSON.stringify(['recvmmsg', 'recvmmsg/package.json', 'recvmmsg/lib/memory', 'recvmmsg/binding'].map(reach)))`
  const hidden = 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  expect(run('commonjs', script)).toEqual(['object', 'object', hidden, hidden])
})

test('takes a batch for a batch and a socket for a socket, whatever it looks like', () => {
  const { UdpSocket, PacketBatch, recvMmsg } = index
  const socket = UdpSocket.bind({ address: '127.0.0.1' })
  try {
    for (const [first, second] of [
      [{}, new PacketBatch()],
      [null, new PacketBatch()],
      [socket, {}],
      [socket, Object.create(PacketBatch.prototype)],
    ]) {
      expect(() => recvMmsg(first as never, second as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      )
    }
  } finally {
    socket.close()
  }
})
