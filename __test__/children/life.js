'use strict'

// Prints 'ended' when the event loop has nothing to wait for, 'alive' when it is still there after a while.

const { PacketBatch, bind, print, send } = require('./common')

const never = () => {}

const scenarios = {
  unread: (socket) => send(socket, 'x'),
  received(socket) {
    send(socket, 'x')
    socket.recv(new PacketBatch({ capacity: 1 }), { timeout: 1000 })
  },
  unstarted: (socket) => void socket[Symbol.asyncIterator](),
  listener: (socket) => void socket.on('batch', never),
  iterator: (socket) => void socket[Symbol.asyncIterator]().next(),
  pausedBefore: (socket) => void socket.pause().on('batch', never),
  paused: (socket) => void socket.on('batch', never).pause(),
  removed: (socket) => void socket.on('batch', never).removeAllListeners(),
  async broken(socket) {
    send(socket, 'x')
    for await (const _ of socket) break
  },
  unref: (socket) => void socket.on('batch', never).unref(),
  unrefBefore: (socket) => void socket.unref().on('batch', never),
  ref: (socket) => void socket.on('batch', never).unref().ref(),
  closed: (socket) => void socket.on('batch', never).close(),
  pausedClosed: (socket) => void socket.on('batch', never).pause().close(),
  aborted: (_socket) => {
    const controller = new AbortController()
    bind({ signal: controller.signal }).on('batch', never)
    setImmediate(() => controller.abort())
  },
  readable: (socket) => void socket.readable(),
  async readableDone(socket) {
    send(socket, 'x')
    await socket.readable()
  },
  readableAborted(socket) {
    const controller = new AbortController()
    socket.readable({ signal: controller.signal }).catch(never)
    setImmediate(() => controller.abort())
  },
  readableUnref: (socket) => void socket.unref().readable(),
  oneOfTwo(socket) {
    socket.on('batch', never)
    bind().on('batch', never).close()
  },
  unrefReads(socket) {
    socket.on('batch', (batch) => {
      print(batch.at(0).data.toString())
      clearTimeout(patience)
    })
    const patience = setTimeout(never, 5000)
    socket.unref()
    send(socket, 'x')
  },
}

setTimeout(() => {
  print('alive')
  process.exit()
}, 150).unref()
process.once('beforeExit', () => print('ended'))
scenarios[process.argv[2]](bind())
