'use strict'

// Subscribers that throw: what becomes of the receive, the send and the reader, and of the exceptions.

const diagnostics = require('node:diagnostics_channel')
const { PacketBatch, bind, idleTurns, print, until } = require('./common')

const uncaught = []
process.on('uncaughtException', (error) => uncaught.push(error.message))

const throwing = (name) => () => {
  throw new Error(name)
}
const boom = { recv: throwing('recv'), send: throwing('send') }

async function main() {
  const [receiver, sender] = [bind(), bind()]
  for (const kind of ['recv', 'send']) diagnostics.subscribe(`recvmmsg:${kind}`, boom[kind])
  const to = receiver.address()
  const sent = [sender.send('one', to), sender.sendBatch([{ data: 'two', to }]).sent]
  const received = receiver.recv(new PacketBatch({ capacity: 2 }), { timeout: 2000 })
  diagnostics.unsubscribe('recvmmsg:send', boom.send)
  const seen = []
  receiver.on('batch', (batch) => seen.push(...Array.from(batch, ({ data }) => data.toString())))
  for (let index = 0; index < 3; index++) {
    sender.send(String(index), to)
    await until(() => seen.length === index + 1)
  }
  await until(() => uncaught.filter((name) => name === 'recv').length >= 4)
  print({ sent, received, seen, uncaught: [...new Set(uncaught)], turns: await idleTurns() })
  receiver.close()
  sender.close()
}

main()
