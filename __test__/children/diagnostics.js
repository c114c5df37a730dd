'use strict'

// Receives and sends in every way while somebody subscribes, and prints the messages, what the sockets have counted, and
// what was received; in a worker thread as a message.

const diagnostics = require('node:diagnostics_channel')
const { isMainThread, parentPort } = require('node:worker_threads')
const { PacketBatch, bind, print, until } = require('./common')

const told = []
for (const kind of ['recv', 'send']) {
  diagnostics.subscribe(`recvmmsg:${kind}`, ({ socket, ...rest }) =>
    told.push({ ...rest, own: socket === receiver || socket === sender }),
  )
}

const receiver = bind()
const sender = bind()

async function main() {
  const batch = new PacketBatch({ capacity: 4 })
  const to = receiver.address()
  let received = 0
  sender.send('one', to)
  sender.sendBatch(Array.from({ length: 9 }, (_, index) => ({ data: 'x'.repeat(index), to })))
  while (receiver.recv(batch, { timeout: received < 10 ? 2000 : 0 }) > 0) received += batch.length
  receiver.on('batch', ({ length }) => {
    received += length
  })
  for (let round = 0; round < 5; round++) {
    sender.sendToMany('many', [to, to, to])
    await until(() => received === 13 + 3 * round)
  }
  receiver.pause()
  const result = {
    told,
    received,
    fds: [receiver.fd, sender.fd],
    stats: [receiver.stats(), sender.stats()],
  }
  if (isMainThread) print(result)
  else parentPort.postMessage(result)
  receiver.close()
  sender.close()
}

main()
