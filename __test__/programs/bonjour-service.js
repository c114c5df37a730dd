'use strict'

// A service is published, found and withdrawn.

const assert = require('node:assert')
const { once } = require('node:events')
const { Bonjour } = require('bonjour-service')
const { called, freePort, program, sender } = require('./program')

function described({ name, type, protocol, host, port, fqdn, txt, subtypes, referer }) {
  return { name, type, protocol, host, port, fqdn, txt, subtypes, from: referer && sender(referer).address }
}

program(async () => {
  const options = { port: await freePort(), interface: '127.0.0.1', bind: '0.0.0.0', ttl: 1 }
  const fail = (error) => {
    throw error
  }
  const publisher = new Bonjour(options, fail)
  const finder = new Bonjour(options, fail)
  const service = publisher.publish({
    name: 'A printer',
    type: 'ipp',
    host: 'printer.local',
    port: 631,
    txt: { pages: '2' },
    disableIPv6: true,
  })
  await once(service, 'up')
  const browser = finder.find({ type: 'ipp' })
  const [found] = await once(browser, 'up')
  assert.strictEqual(found.fqdn, 'A printer._ipp._tcp.local')
  const withdrawn = once(browser, 'down')
  await called((done) => publisher.unpublishAll(done))
  const [lost] = await withdrawn
  for (const each of [publisher, finder]) await called((done) => each.destroy(done))
  return { found: described(found), lost: described(lost) }
})
