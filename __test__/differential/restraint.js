'use strict'

// What a program must not do at a certain time, where node:dgram and this package are known to differ.

const { isIP } = require('node:net')
const { isBound, isConnected, reaches } = require('./peers')
const { BAD } = require('./values')

/** What changes nothing that a datagram depends on. */
const HARMLESS = /^(get|ref$|unref$|address$|remoteAddress$)/

/**
 * Datagrams that leave earlier than node:dgram's: those of one tick leave together, when the first one is due, and
 * node:dgram's each in a tick of its own. A program must not do anything between these ticks that the later ones would
 * notice.
 */
class Early {
  /** Groups of datagrams whose ticks are to come, in order; `gone` are those that have left in an earlier one's. */
  #groups = []
  /** Datagrams of sockets that are not bound yet. */
  #queued = 0
  /** A socket is to be bound or connected. */
  #changes = false
  /** Addresses that are being looked up, without the event loop. */
  #lookups = 0

  reset() {
    this.#groups = []
    this.#queued = 0
    this.#changes = false
    this.#lookups = 0
  }

  /** Datagrams have left that `method` must come before. */
  forbids(method) {
    if (HARMLESS.test(method)) return false
    if (this.#groups.some(({ gone }) => gone)) return true
    if (/^(bind|connect)/.test(method)) this.#changes = true
    return method.startsWith('connect') && this.#queued > 0
  }

  /** It may leave with those before it, and something is to come between; or `atOnce`, and those behind it have left. */
  forbidsSend(atOnce) {
    if (atOnce && this.#groups.some(({ gone }) => gone)) return true
    return this.#groups.length > 0 && (this.#changes || this.#lookups > 0)
  }

  /** An answer that is on its way. */
  resolving(answer) {
    this.#lookups++
    return () => {
      this.#lookups--
      answer()
    }
  }

  /** send() was called. One of a socket that is not bound is sent when it is. */
  sent(socket, bound) {
    if (bound || isBound(socket)) this.#post()
    else {
      this.#queued++
      socket.once('listening', () => {
        this.#queued--
        this.#post()
      })
    }
  }

  #post() {
    const group = { gone: false }
    this.#groups.push(group)
    process.nextTick(() => {
      this.#groups = this.#groups.filter((other) => other !== group)
      for (const other of this.#groups) other.gone = true
    })
  }
}

/** What says EBADF of a socket that has no descriptor. */
const OF_A_DESCRIPTOR = /^(set|get|address$|add|drop|connectSync)/

/**
 * A bind that failed leaves node:dgram's socket with a descriptor, of which things can be asked and to which they can be
 * done.
 */
class Unbound {
  #failed = new Set()
  #attempted = new Set()
  #adopted = new Set()

  error(name, { syscall } = {}) {
    if (syscall === 'bind') this.#failed.add(name)
  }

  #isPortOfAdopted(argument) {
    if (argument?.$ === 'port') return this.#adopted.has(argument.of)
    return argument?.entries?.some(([, value]) => this.#isPortOfAdopted(value)) ?? false
  }

  forbids(method, args, name, socket) {
    if (method === 'bindSync') this.#failed.add(name)
    const binds = method.startsWith('bind')
    if (binds && args.some((argument) => this.#isPortOfAdopted(argument))) return true
    if (isBound(socket)) return binds && args.some(isForeign)
    if (method.endsWith('Membership')) {
      return this.#attempted.has(name) || isOther(args[args.length > 2 ? 1 : 0], socket)
    }
    if (binds) this.#attempted.add(name)
    const adopts = binds && args[0]?.entries?.some(([key]) => key === 'fd')
    if (adopts) this.#adopted.add(name)
    return (adopts || OF_A_DESCRIPTOR.test(method)) && this.#failed.has(name)
  }
}

const HERE = new Set(['127.0.0.1', '0.0.0.0', '::1', '::', 'localhost', ''])

/** What the kernel may refuse before it sees that the socket is bound: a port or an address, or options with one. */
function isForeign(argument) {
  if (typeof argument === 'string') return !HERE.has(argument)
  if (argument?.$ === 'bad' || argument?.$ === 'loud') return true
  return argument?.entries?.some(([, value]) => isForeign(value)) ?? false
}

/** An IP address of the other family. */
function isOther(argument, { type }) {
  const address = argument?.$ === 'bad' ? BAD[argument.name]() : argument
  return typeof address === 'string' && isIP(address) === (type === 'udp4' ? 6 : 4)
}

const SENDS = /^send(to)?$/

/** An operation that is not to be done now. */
function forbidden({ early, unbound, resolving, sockets }, { socket: name, method, args }, socket) {
  if (!SENDS.test(method)) return early.forbids(method) || unbound.forbids(method, args, name, socket)
  const atOnce = resolving.has(name) || isConnected(socket)
  return early.forbidsSend(atOnce) || !reaches([...sockets.values()], socket)
}

module.exports = { Early, SENDS, Unbound, forbidden }
