'use strict'

// Started with few descriptors: what each call says when there is none left, and that it works again when there is.

const fs = require('node:fs')
const { PacketBatch, UdpSocket, bind, count, print, send, until } = require('./common')

/** Opens files until no more can be opened. */
function exhaust() {
  const files = []
  try {
    for (;;) files.push(fs.openSync(__filename, 'r'))
  } catch (error) {
    if (error.code !== 'EMFILE') throw error
  }
  return files
}

const told = ({ code, syscall }) => ({ code, syscall })
const texts = (batch) => Array.from(batch, ({ data }) => data.toString())

function thrown(call) {
  try {
    return call()
  } catch (error) {
    return told(error)
  }
}

async function main() {
  const socket = bind()
  const errors = []
  socket.on('error', (error) => errors.push(told(error)))
  send(socket, 'early', 'in the queue')
  const before = count('fd')
  const files = exhaust()
  const bound = thrown(() => bind())
  const adopted = thrown(() => UdpSocket.fromFd(socket.fd, { dup: true }))
  const listened = thrown(() => socket.on('batch', () => {}))
  const looped = await socket[Symbol.asyncIterator]().next().catch(told)
  const readable = await socket.readable().catch(told)
  socket.pause()
  socket.on('batch', (batch) => received.push(...texts(batch)))
  const resumed = thrown(() => socket.resume())
  // It is whole all the while, and can be read without being watched.
  const batch = new PacketBatch({ capacity: 1 })
  socket.recv(batch)
  const received = texts(batch)
  print({ bound, adopted, listened, looped, readable, resumed, errors, received: [...received] })
  received.length = 0
  for (const fd of files) fs.closeSync(fd)
  const leaked = count('fd') - before
  socket.resume()
  send(socket, 'late')
  await until(() => received.length === 2)
  print({ leaked, texts: received, errors: socket.stats().errors })
  socket.close()
  process.exit()
}

main()
