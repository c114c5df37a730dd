'use strict'

// From the description of a value to the value.

const { BlockList } = require('node:net')
const { NO_FD } = require('./descriptors')
const { answering } = require('./resolver')
const { BAD, loud, payload } = require('./values')

/** Nobody listens there. */
const DEAD_PORT = 9
/** How often a callback does what it is told to. */
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
    if (run.method?.startsWith('bind')) run.chosen.add(port)
    return text ? String(port) : port
  },
  callback: (run, made, id, message) => callback(run, made, id, message),
  options: (run, { entries }, id) =>
    Object.fromEntries(entries.map(([name, value]) => [name, make(run, value, `${id}.${name}`)])),
  fd: (run, { kind, family, of }) =>
    kind === 'own' ? (run.sockets.get(of)?._handle?.fd ?? NO_FD) : run.descriptors.make(kind, family),
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

module.exports = { callback, make }
