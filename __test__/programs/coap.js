'use strict'

// A resource that is read, one that takes and gives more than a datagram holds (RFC 7959), and one that is observed
// (RFC 7641).

const assert = require('node:assert')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const coap = require('coap')
const { called, loopback, program, sender } = require('./program')

// On a slow machine it would send blocks again, and store twice what came twice. In seconds and in milliseconds.
coap.updateTiming({ ackTimeout: 100, piggybackReplyMs: 100_000 })

const LARGE = Buffer.alloc(10_000, 'a block has 1,024 bytes at most; ')

function hash(data) {
  return createHash('sha256').update(data).digest('hex')
}

program(async () => {
  const server = coap.createServer()
  await called((done) => server.listen(0, loopback, done))
  // It does not tell its port otherwise.
  const { port } = server._sock.address()

  server.on('request', async (request, response) => {
    const { url, method, payload, rsinfo } = request
    if (url === '/observed') {
      for (const value of ['one', 'two', 'three']) {
        response.write(value)
        if (value === 'one') await once(server, 'first')
      }
      response.end()
      return
    }
    response.setOption('Content-Format', 'application/json')
    response.code = method === 'PUT' ? '2.04' : '2.05'
    // Block-wise, a size is the last block's.
    const { size, ...from } = sender(rsinfo)
    if (method === 'PUT') response.end(LARGE)
    else response.end(JSON.stringify({ url, method, length: payload.length, from, size }))
  })

  const ask = (how, body) => {
    const request = coap.request({ hostname: loopback, port, ...how })
    // In blocks of 1,024 bytes.
    if (body) request.setOption('Block1', Buffer.of(6))
    request.end(body)
    return once(request, 'response')
  }
  const tell = ({ code, options, payload, rsinfo }) => {
    const shown = options.filter(({ name }) => name === 'Content-Format')
    const content = payload.length < 500 ? String(payload) : hash(payload)
    return { code, options: shown, length: payload.length, content, from: sender(rsinfo) }
  }

  const answers = []
  for (const query of ['a=1', 'b=2']) {
    const [answer] = await ask({ pathname: '/read', query })
    answers.push(tell(answer))
  }
  const together = Array.from({ length: 20 }, (_, index) => ask({ pathname: `/read/${index}` }))
  for (const [answer] of await Promise.all(together)) answers.push(tell(answer))
  const [stored] = await ask({ method: 'PUT', pathname: '/large' }, LARGE)
  assert(stored.payload.equals(LARGE))
  answers.push(tell(stored))

  const [observed] = await ask({ pathname: '/observed', observe: true })
  const values = []
  for await (const value of observed) {
    values.push(String(value))
    if (values.length === 1) server.emit('first')
    if (values.length === 3) break
  }
  assert.deepStrictEqual(values, ['one', 'two', 'three'])
  observed.close()
  await called((done) => server.close(done))
  return { answers, values }
})
