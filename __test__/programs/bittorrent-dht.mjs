// Three nodes, of which one stores a value and announces a torrent, and another finds both.

import assert from 'node:assert'
import { once } from 'node:events'
import DHT from 'bittorrent-dht'
import program from './program.js'

const { called } = program
const TORRENT = '0102030405060708090a0b0c0d0e0f1011121314'

async function node(bootstrap) {
  // It gives up soon by itself.
  const dht = new DHT({ bootstrap, timeout: 30_000 })
  dht.on('warning', (error) => {
    throw error
  })
  const started = Promise.all([once(dht, 'listening'), once(dht, 'ready')])
  dht.listen(0, '127.0.0.1')
  await started
  return dht
}

program.program(async () => {
  const hub = await node(false)
  const known = [`127.0.0.1:${hub.address().port}`]
  const giver = await node(known)
  const taker = await node(known)

  const [key, stored] = await called((done) => giver.put({ v: Buffer.from('a value') }, done))
  const [value] = await called((done) => taker.get(key, done))
  await called((done) => giver.announce(TORRENT, 4321, done))
  const found = once(taker, 'peer')
  await called((done) => taker.lookup(TORRENT, done))
  const [peer, infoHash] = await found

  assert.deepStrictEqual([String(value.v), peer.port], ['a value', 4321])
  const nodes = [giver, taker, hub]
  for (const each of nodes) await called((done) => each.destroy(done))
  return {
    key: key.toString('hex'),
    stored,
    value: String(value.v),
    peer,
    infoHash: infoHash.toString('hex'),
    nodes: nodes.map((each) => each.toJSON().nodes.length),
  }
})
