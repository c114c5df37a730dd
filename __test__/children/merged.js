'use strict'

// A merge of sockets and the life of the process. Prints 'ended' when the event loop has nothing to wait for, 'alive'
// when it is still there after a while.

const { bind, print, send } = require('./common')
const { PacketBatch, merge } = require('../../index.js')

const never = () => {}
const first = bind()
const second = bind()
const merged = merge([first, second])
const next = () => merged[Symbol.asyncIterator]().next()

const scenarios = {
  unstarted: () => void merged[Symbol.asyncIterator](),
  received() {
    send(second, 'x')
    merged.recv(new PacketBatch({ capacity: 1 }), { timeout: 1000 })
  },
  reading: () => void next(),
  unref() {
    first.unref()
    void next()
    second.unref()
  },
  oneUnref() {
    first.unref()
    void next()
  },
  ref() {
    void next()
    first.unref().ref()
    second.unref()
  },
  async closed() {
    setImmediate(() => first.close())
    setTimeout(() => second.close(), 5)
    for await (const _ of merged);
    print('over')
  },
  aborted() {
    const { signal } = new AbortController()
    merge([first, second], { signal })[Symbol.asyncIterator]().next().catch(never)
    first.unref()
    second.unref()
  },
}

setTimeout(() => {
  print('alive')
  process.exit()
}, 150).unref()
process.once('beforeExit', () => print('ended'))
scenarios[process.argv[2]]()
