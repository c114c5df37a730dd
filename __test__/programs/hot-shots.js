'use strict'

// Metrics of a client that sends each at once, of one that gathers them, and of one that has a host's name.

const assert = require('node:assert')
const { once } = require('node:events')
const StatsD = require('hot-shots')
const { boundSocket, called, family, loopback, program, sender } = require('./program')

/** Seven metrics. */
function report(client) {
  return Promise.all([
    called((done) => client.increment('requests', 2, ['path:/'], done)),
    called((done) => client.gauge('temperature', 20.5, done)),
    called((done) => client.timing('duration', 12, done)),
    called((done) => client.set('users', 'somebody', done)),
    called((done) => client.distribution('sizes', [1, 2, 3], done)),
    called((done) => client.event('started', 'all is well', {}, done)),
    called((done) => client.check('health', client.CHECKS.OK, {}, done)),
  ])
}

program(async () => {
  const server = await boundSocket()
  let received = []
  server.on('message', (data, from) => received.push({ data: String(data), from: sender(from) }))
  const options = { port: server.address().port, prefix: 'programs.', globalTags: { run: 'test' } }

  const results = []
  for (const host of family === 'udp4' ? [loopback, 'localhost'] : [loopback]) {
    for (const maxBufferSize of [0, 1400]) {
      const client = new StatsD({ ...options, host, maxBufferSize, udpSocketOptions: { type: family } })
      const reported = report(client)
      if (maxBufferSize > 0) await called((done) => client.flush(done))
      await reported
      await called((done) => client.close(done))
      while (received.length < (maxBufferSize > 0 ? 1 : 7)) await once(server, 'message')
      const late = await new Promise((resolve) => client.increment('late', resolve))
      const lines = received.flatMap(({ data }) => data.split('\n'))
      assert.strictEqual(lines.length, 7)
      assert(lines.includes('programs.requests:2|c|#run:test,path:/'))
      // Names are looked up by several threads: which is done first is chance.
      if (host === 'localhost') received.sort((a, b) => (a.data < b.data ? -1 : 1))
      results.push({ received, late: late && { code: late.code, message: late.message } })
      received = []
    }
  }
  server.close()
  await once(server, 'close')
  return results
})
