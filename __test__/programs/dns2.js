'use strict'

// Its server inherits from Socket, its client makes a socket for each query.

const assert = require('node:assert')
const { once } = require('node:events')
const dns2 = require('dns2')
const { family, loopback, program, sender } = require('./program')

const { Packet } = dns2
const IN = Packet.CLASS.IN

program(async () => {
  const froms = new Set()
  const server = dns2.createServer({
    udp: { type: family },
    handle(request, send, from) {
      const response = Packet.createResponseFromRequest(request)
      const [{ name, type }] = request.questions
      froms.add(JSON.stringify(sender(from)))
      const answer = { name, type, class: IN, ttl: 300 }
      if (type === Packet.TYPE.A) response.answers.push({ ...answer, address: '192.0.2.53' })
      else if (type === Packet.TYPE.AAAA) response.answers.push({ ...answer, address: '2001:db8::53' })
      else if (type === Packet.TYPE.TXT) response.answers.push({ ...answer, data: `of ${name}` })
      send(response)
    },
  })
  const { udp } = await server.listen({ udp: { port: 0, address: loopback } })

  const resolve = dns2.UDPClient({ dns: loopback, port: udp.port, socketType: family, timeout: 0 })
  const tell = ({ header, questions, answers }) => ({ rcode: header.rcode, questions, answers })
  const answers = []
  for (const type of ['A', 'AAAA', 'TXT', 'MX']) answers.push(tell(await resolve('example.test', type)))
  const names = Array.from({ length: 40 }, (_, index) => `host-${index + 10}.test`)
  const together = await Promise.all(names.map((name) => resolve(name, 'TXT')))
  for (const [index, { answers }] of together.entries())
    assert.strictEqual(answers[0].data, `of ${names[index]}`)
  answers.push(...together.map(tell))

  const closed = once(server, 'close')
  server.close()
  await closed
  return { address: { ...udp, port: typeof udp.port }, froms: [...froms].sort(), answers }
})
