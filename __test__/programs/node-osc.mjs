// An ES module, and one that imports createSocket by its name.

import assert from 'node:assert'
import { once } from 'node:events'
import { Bundle, Client, Message, Server } from 'node-osc'
import program from './program.js'

const { loopback, sender } = program

program.program(async () => {
  const server = new Server(0, loopback)
  const asker = new Server(0, loopback)
  await Promise.all([once(server, 'listening'), once(asker, 'listening')])
  server.on('message', ([address, ...values], from) => {
    server.send(new Message('/answer', address, ...values), from.port, from.address)
  })

  const answers = []
  for (const values of [[], [1, 2.5, 'three', true], [Buffer.from([1, 2, 3])]]) {
    const answer = once(asker, 'message')
    await asker.send(new Message('/ask', ...values), server.port, loopback)
    const [message, from] = await answer
    answers.push({ message, from: sender(from) })
  }

  assert.deepStrictEqual(answers[1].message, ['/answer', '/ask', 1, 2.5, 'three', true])

  const client = new Client(loopback, server.port)
  const received = once(server, 'bundle')
  await client.send(new Bundle(['/first', 1], ['/second', 'two']))
  const [{ timetag, elements }] = await received
  await Promise.all([client.close(), server.close(), asker.close()])
  return { answers, bundle: { timetag, elements } }
})
