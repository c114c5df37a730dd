'use strict'

// Sockets that nobody closes and nobody holds. Needs --expose-gc.

const { PacketBatch, bind, count, print, send, until } = require('./common')

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function collected() {
  send(bind(), 'x')
  for (let time = 0; time < 5; time++) {
    global.gc()
    await turn()
  }
  const before = count('fd')
  print(before)
  ;(() => {
    const batch = new PacketBatch({ capacity: 1 })
    const sockets = Array.from({ length: 50 }, () => bind())
    for (const socket of sockets) send(socket, 'x')
    for (const socket of sockets) socket.recv(batch, { timeout: 1000 })
    print(count('fd'))
  })()
  await until(() => {
    global.gc()
    // A few are the runtime's own.
    return count('fd') <= before + 8
  })
  print(count('fd'))
}

async function kept() {
  const ports = Array.from({ length: 20 }, (_, index) => {
    const socket = bind()
    socket.on('batch', () => {
      print(String(index))
      socket.close()
    })
    const { port } = socket.address()
    return { address: () => ({ port }) }
  })
  for (let time = 0; time < 5; time++) {
    global.gc()
    await turn()
  }
  for (const socket of ports) {
    send(socket, 'x')
    await turn()
  }
  // The peer is not read, so what ends the process is that all the others have closed.
}

if (process.argv[2] === 'read') kept()
else collected()
