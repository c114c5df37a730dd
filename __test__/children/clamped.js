'use strict'

// Asks for receive buffers that the system does not give: sizes in force, then the warnings. As whoever argv says.

const { Worker, isMainThread, workerData } = require('node:worker_threads')
const { bind, print } = require('./common')

const SIZE = 1 << 30

process.on('warning', ({ name, code, message }) => print({ name, code, message }))

function ask(size) {
  const socket = bind({ recvBufferSize: size })
  print(socket.getRecvBufferSize())
  socket.close()
}

if (isMainThread) {
  if (process.argv[2] === 'nobody' && process.getuid() === 0) process.seteuid(65_534)
  ask(4096)
  ask(SIZE)
  ask(SIZE)
  new Worker(__filename, { workerData: SIZE })
} else ask(workerData)
