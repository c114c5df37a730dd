'use strict'

// Runs a program against a module, and logs what can be seen of it.

const { AsyncLocalStorage } = require('node:async_hooks')
const dns = require('node:dns')
const { errorMonitor } = require('node:events')
const { Describer } = require('./describe')
const { Descriptors } = require('./descriptors')
const { LISTENS_FOR_ERRORS } = require('./known')
const { calm, perform } = require('./perform')
const { answering } = require('./resolver')
const { Early, Unbound } = require('./restraint')

/** The operation that something belongs to. */
const origin = new AsyncLocalStorage()

/** Who is told of what nobody catches. */
let current = null
/** When a program is over, nobody. */
const NOBODY = { log() {} }
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    if (current === null) throw error
    current.log(event === 'uncaughtException' ? 'uncaught' : 'unhandled', [error])
    current.adrift ||= event === 'uncaughtException'
  })
}

class Run {
  describer = new Describer()
  descriptors = new Descriptors()
  sockets = new Map()
  ports = new Map()
  /** Sockets that are open and have none. */
  portless = new Set()
  /** Ports that the program has said to bind. */
  chosen = new Set()
  /** Sockets that connect() was called of. */
  connecting = new Set()
  /** Sockets with a lookup of their own. */
  resolving = new Set()
  signals = new Map()
  /** What was sent last: its memory can be written to. */
  sent = null
  created = []
  /** Indices of the places that a bad argument was in. */
  tried = new Set()
  /** Sockets that have said that they listen. */
  bound = new Set()
  /** Sockets that were asked to have small receive buffers. */
  small = new Set()
  early = new Early()
  unbound = new Unbound()
  /** Listeners that `off` removes, by socket and event. */
  listeners = new Map()
  /** All that was to come has come. */
  complete = true
  /** A port that the program chose was taken, by another process perhaps. */
  disturbed = false
  /** Nobody has caught an error in this step. What else is in the queues is done with whatever comes next. */
  adrift = false
  /** The method that is being called. */
  method = null
  performed = 0
  pending = 0
  /**
   * Entries whose order is certain share a lane: 'now' is a step's operations and all that follows without the event
   * loop; 'later' is what setImmediate has called; 'message a' is what the datagrams that `a` has received have led to.
   * Whether one socket's datagrams come before another's, or before an immediate, is not for a program to know.
   */
  lane = 'now'
  #entries = []

  /** `adapt` may change what a socket is made of. */
  constructor({ dgram, adapt = (args) => args }, program, settler, patience) {
    this.dgram = dgram
    this.adapt = adapt
    this.program = program
    this.settler = settler
    this.patience = patience
  }

  log(what, values = [], lane = this.lane) {
    const told = values.map((value) => this.describer.text(value)).join(', ')
    this.disturbed ||= told.includes('EADDRINUSE') && !told.includes('<port of')
    const from = what === 'uncaught' ? '-' : (origin.getStore() ?? '-')
    this.#entries.push({ lane, text: `${this.describer.ports(what)}(${told}) @${from}` })
  }

  /** The log of each step, lanes by name. With `reference`, another run's, it ends where they can no longer be equal. */
  async go(reference) {
    const { lookup } = dns
    if (this.program.resolver === 'stub') dns.lookup = answering(this, 'tick', 'right', 'dns.lookup')
    current = this
    const steps = []
    try {
      for (const [index, ops] of [...this.program.steps, this.#ending()].entries()) {
        const { lanes, complete } = await this.#step(ops, index, reference?.[index])
        steps.push(lanes)
        this.complete = complete
        if (!complete) break
      }
      await this.#clear()
    } finally {
      dns.lookup = lookup
      current = null
    }
    return steps
  }

  async #step(ops, index, reference) {
    this.#entries = []
    this.lane = 'now'
    this.adrift = false
    this.early.reset()
    const log = this.#entries
    this.list(ops, index)
    const wanted = reference === undefined ? 0 : count(reference)
    const complete = await this.settler.settle(log, {
      wanted,
      pending: () => this.#busy(),
      patience: this.patience,
    })
    return { lanes: { ...lanesOf(log), state: this.#state() }, complete }
  }

  /** Performs operations, each in a context of its own. */
  list(ops, prefix) {
    if (this.adrift) return
    for (const [index, op] of ops.entries()) {
      const id = `${prefix}.${index}`
      this.observe(op.socket)
      this.performed++
      origin.run(id, () => perform(this, op, id))
      this.observe(op.socket)
    }
  }

  /** Learns the port a socket is bound to. disconnect() may take it away. */
  observe(name) {
    try {
      const { port } = this.sockets.get(name).address()
      if (port === 0) this.portless.add(name)
      const again = this.portless.has(name) && port !== 0 && this.ports.has(name)
      if (port === 0 || (this.ports.get(name) === port && !again)) return
      this.portless.delete(name)
      this.describer.port(port, name, { chosen: this.chosen.has(port), again })
      this.ports.set(name, port)
      if (this.small.has(name)) calm(this.sockets.get(name))
    } catch {
      // It is not bound.
    }
  }

  /** A datagram is given to it. Who has sent it may have been bound by that, to another port after a disconnect(). */
  receives(name) {
    this.lane = `message ${name}`
    for (const sender of this.sockets.keys()) this.observe(sender)
  }

  #busy() {
    return this.pending > 0 || process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap')
  }

  /** What can be asked of the sockets when nothing moves. */
  #state() {
    for (const name of this.sockets.keys()) this.observe(name)
    return Array.from(this.sockets, ([name, socket]) => {
      const counts = new Map(socket.eventNames().map((event) => [event, socket.listenerCount(event)]))
      if (LISTENS_FOR_ERRORS) {
        const both = (counts.get('error') ?? 0) + (counts.get(errorMonitor) ?? 0)
        counts.delete(errorMonitor)
        counts.delete('error')
        counts.set('error', both)
      }
      const listeners = Array.from(counts, ([event, number]) => `${String(event)} ${number}`).sort()
      return `${name}: ${Object.keys(socket)}; ${socket.type}; ${listeners.join(', ')}`
    })
  }

  #ending() {
    return [...new Set(this.program.steps.flat().filter(({ op }) => op === 'create'))].map(({ socket }) => ({
      op: 'call',
      socket,
      method: 'close',
      args: [],
    }))
  }

  /** Nothing of it is to be left for the next run. */
  async #clear() {
    current = NOBODY
    this.adrift = true
    for (const socket of this.created) end(socket)
    await this.settler.settle([])
    this.descriptors.close()
  }
}

/** Closes it. One that waits until it is bound forgets what it waits with when it hears of an error. */
function end(socket) {
  for (const attempt of [
    () => socket.close(),
    () => socket.emit('error', new Error('over')),
    () => socket.close(),
  ]) {
    try {
      attempt()
    } catch {
      // It is closed, or nobody listens for errors.
    }
  }
}

/** Their texts, by lane. */
function lanesOf(log) {
  const lanes = {}
  const thrown = log.findIndex(({ text }) => text.startsWith('uncaught('))
  for (const [index, { lane, text }] of log.entries()) {
    const ordered = thrown === -1 || (index <= thrown && (lane === 'now' || lane === log[thrown].lane))
    const own = ordered ? lane : ADRIFT
    lanes[own] ??= []
    lanes[own].push(text)
  }
  lanes[ADRIFT]?.sort()
  return lanes
}

const ADRIFT = 'after an uncaught error'

function count({ state: _, ...lanes }) {
  return Object.values(lanes).reduce((sum, { length }) => sum + length, 0)
}

module.exports = { Run }
