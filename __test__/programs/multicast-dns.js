'use strict'

// A responder, one who asks on the same port and is answered in the group, and one who asks from any port and is answered
// there (RFC 6762, 6.7).

const assert = require('node:assert')
const { once } = require('node:events')
const mdns = require('multicast-dns')
const { called, freePort, program, sender } = require('./program')

function described({ type, flags, questions, answers }, from) {
  const text = ({ data, ...answer }) => ({ ...answer, data: Array.isArray(data) ? data.map(String) : data })
  return { type, flags, questions, answers: answers.map(text), from: sender(from) }
}

program(async () => {
  // Of the group's datagrams a socket that is bound to the interface's address gets none.
  const options = { port: await freePort(), interface: '127.0.0.1', bind: '0.0.0.0', ttl: 1 }
  const responder = mdns(options)
  const asker = mdns(options)
  const passing = mdns({ ...options, bind: false })
  const all = [responder, asker, passing]
  for (const each of all) {
    each.on('warning', (error) => {
      throw error
    })
  }
  await Promise.all([once(responder, 'ready'), once(asker, 'ready')])

  const queries = []
  responder.on('query', (query, from) => {
    queries.push(described(query, from))
    const [{ name, type }] = query.questions
    const answer = type === 'A' ? { data: '192.0.2.7' } : { data: ['first', 'second'] }
    const answers = [{ name, type, ttl: 120, class: 'IN', flush: true, ...answer }]
    responder.respond({ id: query.id, answers }, from.port === options.port ? null : from)
  })

  const answers = []
  for (const who of [asker, passing]) {
    for (const type of ['A', 'TXT']) {
      const answer = once(who, 'response')
      who.query([{ name: 'printer.local', type }])
      answers.push(described(...(await answer)))
    }
  }
  const data = answers.map((answer) => answer.answers[0].data)
  assert.deepStrictEqual(data, ['192.0.2.7', ['first', 'second'], '192.0.2.7', ['first', 'second']])
  await Promise.all(all.map((each) => called((done) => each.destroy(done))))
  return { queries, answers }
})
