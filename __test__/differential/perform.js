'use strict'

// What each operation of a program does.

const { errorMonitor } = require('node:events')
const { types } = require('node:util')
const { DISPOSES_LATER } = require('./known')
const { callback, make } = require('./make')
const { isConnected } = require('./peers')
const { SENDS, forbidden } = require('./restraint')

const EVENTS = ['message', 'listening', 'connect', 'error', 'close']
/** Bytes of a receive buffer that nothing a step sends can fill. */
const ROOM = 2 ** 20

/** What they give is a known difference. */
const COUNTS = new Set(['getSendQueueSize', 'getSendQueueCount'])

const THROWN = Symbol('thrown')

/** Calls, and logs what comes of it. */
function outcome(run, what, call) {
  try {
    const result = call()
    run.log(`${what} gives`, [result])
    return result
  } catch (error) {
    run.log(`${what} throws`, [error])
    return THROWN
  }
}

function noteSent({ early, bound, connecting }, name, socket) {
  early.sent(socket, bound.has(name))
  // While it is being connected it sends as with a lookup, in a tick of its own.
  if (connecting.has(name) && !isConnected(socket)) process.nextTick(early.resolving(() => {}))
}

const CONSTRUCTORS = {
  createSocket: (dgram, args) => dgram.createSocket(...args),
  new: (dgram, args) => new dgram.Socket(...args),
  bare({ Socket }, args) {
    return Socket(...args)
  },
  subclass: (dgram, args) => new (class Sub extends dgram.Socket {})(...args),
  old(dgram, args) {
    function Old() {
      dgram.Socket.apply(this, args)
    }
    Object.setPrototypeOf(Old.prototype, dgram.Socket.prototype)
    return new Old()
  },
}

function observeEvents(run, name, socket, events) {
  for (const event of events) {
    socket.on(event, function listener(...args) {
      if (event === 'message') run.receives(name)
      if (event === 'listening') {
        run.bound.add(name)
        run.observe(name)
      }
      run.log(`${name} '${event}'`, [this, ...args])
    })
  }
}

/** Gives a socket that was asked to have small buffers room again, see `KNOWN`. */
function calm(socket) {
  try {
    socket.setRecvBufferSize(ROOM)
    socket.setSendBufferSize(ROOM)
  } catch {
    // It is closed, or not bound.
  }
}

const ACTIONS = {
  create(run, { socket: name, how, args, watch = EVENTS, small, place }, id) {
    run.tried.add(place)
    if (small) run.small.add(name)
    const socket = outcome(run, `${id} ${how}`, () => {
      const made = CONSTRUCTORS[how](run.dgram, run.adapt(make(run, args, id, name)))
      run.describer.socket(made, name)
      run.created.push(made)
      return made
    })
    if (socket === THROWN) return
    if (args[0]?.entries?.some(([option]) => option === 'lookup')) run.resolving.add(name)
    socket.on(errorMonitor, (error) => run.unbound.error(name, error))
    run.sockets.set(name, socket)
    socket.setMaxListeners(0)
    observeEvents(run, name, socket, watch)
  },

  call(run, op, id) {
    const { socket: name, method, args, small, place } = op
    const socket = run.sockets.get(name)
    if (socket === undefined) return
    if (forbidden(run, op, socket)) return run.log(`${id} not done`)
    run.tried.add(place)
    run.method = method
    const made = make(run, args, id)
    const result = outcome(run, `${id} ${name}.${method}`, () => {
      const key = method === 'asyncDispose' ? Symbol.asyncDispose : method
      const result = socket[key](...made)
      run.observe(name)
      return COUNTS.has(method) && typeof result === 'number' ? 'a number' : result
    })
    run.method = null
    if (method === 'connect') run.connecting.add(name)
    if (SENDS.test(method) && result !== THROWN) noteSent(run, name, socket)
    if (small) calm(socket)
    if (!types.isPromise(result)) return
    const lane = DISPOSES_LATER ? `promise ${id}` : undefined
    result.then(
      (value) => run.log(`${id} resolves`, [value], lane),
      (error) => run.log(`${id} rejects`, [error], lane),
    )
  },

  mark(run, { how }, id) {
    const tell = () => run.log(`${how} ${id}`)
    if (how === 'tick') process.nextTick(tell)
    else Promise.resolve().then(tell)
  },

  after(run, { how, ops }, id) {
    const go = () => run.list(ops, id)
    if (how === 'tick') process.nextTick(go)
    else Promise.resolve().then(go)
  },

  on(run, { socket: name, how, event, ops, throws }, id) {
    const socket = run.sockets.get(name)
    if (socket === undefined) return
    const listener = callback(run, { ops, throws }, id, event === 'message' ? name : undefined)
    run.listeners.set(`${name} ${event}`, listener)
    socket[how](event, listener)
  },

  off(run, { socket: name, event, all }) {
    const socket = run.sockets.get(name)
    const listener = run.listeners.get(`${name} ${event}`)
    if (all) socket?.removeAllListeners(event)
    else if (listener !== undefined) socket?.removeListener(event, listener)
  },

  scribble(run) {
    if (run.early.forbids('scribble') || !ArrayBuffer.isView(run.sent)) return
    const { buffer, byteOffset, byteLength } = run.sent
    new Uint8Array(buffer, byteOffset, byteLength).fill(0xff)
  },

  abort(run, { signal }) {
    if (run.early.forbids('abort')) return
    run.signals.get(signal)?.abort()
  },

  get(run, { socket: name, property }, id) {
    const socket = run.sockets.get(name)
    if (socket === undefined) return
    outcome(run, `${id} ${name}.${property}`, () => {
      const value = socket[property]
      return value !== null && typeof value === 'object' ? 'an object' : value
    })
  },
}

function perform(run, op, id) {
  ACTIONS[op.op](run, op, id)
}

module.exports = { EVENTS, calm, perform }
