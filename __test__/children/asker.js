'use strict'

// Asks one question after the other by node:dgram, and prints what came: `{ text, from }`, or null where nothing did. With
// a barrier, whether it was heard by the time that a question asked later, by another socket, had its answer.

const dgram = require('node:dgram')
const { print } = require('./common')

/** How long an answer may take on a machine that has other things to do. */
const PATIENCE = 20_000

async function ask({ type, port, address, connected = false, broadcast = false, bind, times = 1 }) {
  const socket = dgram.createSocket(type)
  await new Promise((resolve) => socket.bind(0, bind, resolve))
  socket.setBroadcast(broadcast)
  if (connected) await new Promise((resolve) => socket.connect(port, address, resolve))
  const to = connected ? [] : [port, address]
  const answers = []
  const asked = { heard: false, close: () => socket.close() }
  asked.answer = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE, null).unref()
    socket.on('message', (data, { address: from }) => {
      answers.push({ text: data.toString(), from })
      asked.heard = true
      if (answers.length === times) resolve(times === 1 ? answers[0] : answers)
    })
  })
  for (let time = 0; time < times; time++) socket.send(`question ${time % 10}`, ...to)
  return asked
}

async function main() {
  for (const { barrier, ...question } of JSON.parse(process.argv[2])) {
    const asked = await ask(question)
    if (barrier) {
      const later = await ask({ ...question, connected: false })
      print({ answer: await later.answer, heard: asked.heard })
      later.close()
    } else {
      print(await asked.answer)
    }
    asked.close()
  }
}

main()
