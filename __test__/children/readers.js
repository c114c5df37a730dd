'use strict'

// A worker with readers of every kind under traffic, which ends as it is told and closes nothing.

const { parentPort, workerData: how } = require('node:worker_threads')
const { bind, send, until } = require('./common')

async function main() {
  const [listened, iterated, awaited, paused, unread] = Array.from({ length: 5 }, () => bind({ capacity: 1 }))
  let batches = 0
  listened.on('batch', () => {
    batches++
    send(listened, 'again', 'again'.slice(0, batches % 3))
  })
  void iterated[Symbol.asyncIterator]().next()
  void awaited.readable()
  paused.on('batch', () => {}).pause()
  for (const socket of [listened, paused, unread]) send(socket, ...'several')
  await until(() => batches > 10)
  parentPort.postMessage('reading')
  if (how === 'exit') process.exit()
  if (how === 'throw') throw new Error('thrown')
  if (how === 'end') for (const socket of [listened, iterated, awaited, paused]) socket.unref()
}

main()
