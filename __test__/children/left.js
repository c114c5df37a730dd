'use strict'

// Workers that end with open sockets, one after the other: how many descriptors there are before, with the last one, and
// after it.

const { once } = require('node:events')
const { Worker, isMainThread, parentPort, workerData: how } = require('node:worker_threads')
const { bind, count, print, until } = require('./common')

const SOCKETS = 50

async function main() {
  const before = count('fd')
  let during = 0
  for (let time = 0; time < 3; time++) {
    const worker = new Worker(__filename, { workerData: process.argv[2] })
    const exit = once(worker, 'exit')
    during = (await once(worker, 'message'))[0]
    if (process.argv[2] === 'terminate') await worker.terminate()
    await exit
  }
  // A few are the runtime's own.
  await until(() => count('fd') < before + 10).catch(() => {})
  print([before, during, count('fd')])
  process.exit()
}

function work() {
  // Half of them are read.
  const sockets = Array.from({ length: SOCKETS }, (_, index) =>
    index % 2 ? bind() : bind().on('batch', () => {}),
  )
  globalThis.kept = sockets
  // By whoever has been told it may be at its end already.
  parentPort.postMessage(count('fd'))
  if (how === 'exit') process.exit()
  if (how === 'end') for (const socket of sockets) socket.unref()
}

if (isMainThread) main()
else work()
