'use strict'

// What each operation of a program does.

const { errorMonitor } = require('node:events')
const { BlockList } = require('node:net')
const { types } = require('node:util')
const { DISPOSES_LATER } = require('./known')
const { answering } = require('./resolver')
const { BAD, loud, payload } = require('./values')

const EVENTS = ['message', 'listening', 'connect', 'error', 'close']
/** Nobody listens there. */
const DEAD_PORT = 9
/** Bytes of a receive buffer that nothing a step sends can fill. */
const ROOM = 2 ** 20

/** What they give is a known difference. */
const COUNTS = new Set(['getSendQueueSize', 'getSendQueueCount'])
const MOST_REACTIONS = 3

/** Makes the value that `made` describes. */
function make(run, made, id, message) {
  if (made === null || typeof made !== 'object') return made
  if (Array.isArray(made)) return made.map((item, index) => make(run, item, `${id}[${index}]`, message))
  return MAKERS[made.$](run, made, id, message)
}

const MAKERS = {
  bad: (_run, { name }) => BAD[name](),
  loud: (run, { value }, id) => loud(make(run, value, id), (hint) => run.log(`${id} converted`, [hint])),
  bytes(run, made) {
    const value = payload(made)
    run.sent = value
    return value
  },
  port(run, { of, text, otherwise = DEAD_PORT }) {
    const port = run.ports.get(of) ?? otherwise
    run.given.add(port)
    return text ? String(port) : port
  },
  callback: (run, made, id, message) => callback(run, made, id, message),
  options: (run, { entries }, id) =>
    Object.fromEntries(entries.map(([name, value]) => [name, make(run, value, `${id}.${name}`)])),
  fd: (run, { kind, family }) => run.descriptors.make(kind, family),
  lookup: (run, { when, what }) => answering(run, when, what),
  signal(run, { name, aborted }) {
    if (!run.signals.has(name)) run.signals.set(name, new AbortController())
    const controller = run.signals.get(name)
    if (aborted) controller.abort()
    return controller.signal
  },
  blocks(_run, { address, family }) {
    const list = new BlockList()
    list.addAddress(address, family)
    return list
  },
}

/**
 * A function that tells of its calls. `message` is the socket whose datagrams it is called for: there may be no end of
 * them, if each has another one sent.
 */
function callback(run, { ops = [], throws = false }, id, message) {
  let calls = 0
  return function called(...args) {
    if (message !== undefined) run.receives(message)
    run.log(`callback ${id}`, [this, ...args])
    if (++calls <= MOST_REACTIONS) run.list(ops, id)
    if (throws) throw new Error(`planned: callback ${id}`)
  }
}

/** Calls, and logs what comes of it. */
function outcome(run, what, call) {
  try {
    const result = call()
    run.log(`${what} gives`, [result])
    return result
  } catch (error) {
    run.log(`${what} throws`, [error])
    return undefined
  }
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

/**
 * Whether a datagram from a connected socket finds its peer. Of one that does not ICMP tells, at a time of its own: by
 * the next send, or by an 'error' event.
 */
function reaches(run, socket) {
  let peer
  try {
    peer = socket.remoteAddress()
  } catch {
    return true
  }
  const { port } = socket.address()
  return [...run.sockets.values()].some((other) => accepts(other, peer, port))
}

function accepts(socket, { address, family, port }, from) {
  try {
    const own = socket.address()
    if (own.port !== port || own.family !== family || ![address, '0.0.0.0', '::'].includes(own.address))
      return false
  } catch {
    return false
  }
  try {
    return socket.remoteAddress().port === from
  } catch {
    return true
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
    if (socket === undefined) return
    socket.on(errorMonitor, (error) => run.unbound.error(name, error))
    run.sockets.set(name, socket)
    socket.setMaxListeners(0)
    observeEvents(run, name, socket, watch)
  },

  call(run, { socket: name, method, args, small, place }, id) {
    const socket = run.sockets.get(name)
    if (socket === undefined) return
    if (
      /^send(to)?$/.test(method)
        ? !reaches(run, socket) || run.early.forbidsSend()
        : run.early.forbids(method)
    ) {
      return run.log(`${id} not done`)
    }
    if (run.unbound.forbids(method, args, name, socket)) return run.log(`${id} not done`)
    run.tried.add(place)
    const made = make(run, args, id)
    run.method = method
    const result = outcome(run, `${id} ${name}.${method}`, () => {
      const key = method === 'asyncDispose' ? Symbol.asyncDispose : method
      const result = socket[key](...made)
      run.observe(name)
      return COUNTS.has(method) && typeof result === 'number' ? 'a number' : result
    })
    run.method = null
    if (/^send(to)?$/.test(method)) run.early.sent(socket, run.bound.has(name))
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
