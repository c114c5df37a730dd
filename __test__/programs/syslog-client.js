'use strict'

// Messages in both formats. The client closes its socket when it has sent the last, and makes another for the next.

const assert = require('node:assert')
const { once } = require('node:events')
const syslog = require('syslog-client')
const { boundSocket, called, loopback, program, sender } = require('./program')

program(async () => {
  const server = await boundSocket()
  const received = []
  server.on('message', (data, from) => {
    received.push({ data: String(data).replace(` ${process.pid} `, ' PID '), from: sender(from) })
  })

  const { port } = server.address()
  const client = syslog.createClient(loopback, { port, syslogHostname: 'here', appName: 'programs' })
  const timestamp = new Date(0)
  const log = (message, options) => called((done) => client.log(message, { timestamp, ...options }, done))
  let expected = 0
  for (const rfc3164 of [true, false]) {
    await log('alone', { rfc3164, severity: syslog.Severity.Error })
    const together = Array.from({ length: 20 }, (_, index) => log(`message ${index}`, { rfc3164 }))
    await Promise.all(together)
    expected += 21
    while (received.length < expected) await once(server, 'message')
    const closed = once(client, 'close')
    client.close()
    await closed
  }
  assert.strictEqual(
    received.at(-1).data,
    '<134>1 1970-01-01T00:00:00.000Z here programs PID - - message 19\n',
  )
  server.close()
  await once(server, 'close')
  // A size has the digits of the process id.
  return received.map(({ data, from: { size, ...from } }) => ({ data, from }))
})
