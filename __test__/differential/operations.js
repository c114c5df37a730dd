'use strict'

// One program's operations.

const { HAS, PLACES, asksSomebody, spoiled } = require('./forms')
const { ADDRESSES, SendRoom, options } = require('./good')
const { ASKS_FOR_LITERALS, LISTENS_FOR_ERRORS } = require('./known')

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f']
const EVENTS = ['message', 'listening', 'connect', 'error', 'close']
const HOW = ['on', 'once', 'prependListener', 'prependOnceListener', 'addListener']
const LEGACY = ['_handle', '_receiving', '_bindState', '_reuseAddr']

/** What a listener for 'message' may do to other sockets, whose datagrams may come before or after. */
const HARMLESS = new Set(['send', 'mark', 'scribble', 'get', 'create'])

const callback = (ops = []) => ({ $: 'callback', ops })

class Operations {
  #families = new Map()
  #room = new SendRoom()

  constructor(random, good, { weights, longest, families, reacts, stub, unheard, deck }) {
    Object.assign(this, { random, good, weights, longest, families, stub, unheard, deck })
    /** The one socket that may react to datagrams. */
    this.reactor = reacts ? random.pick(NAMES.slice(0, 2)) : null
  }

  steps() {
    const { random } = this
    const names = NAMES.slice(0, 1 + random.below(4))
    const steps = [names.map((socket) => this.create(socket))]
    if (random.chance(0.75))
      steps.push(names.filter(() => random.chance(0.8)).map((socket) => this.bind({ socket })))
    const count = 2 + random.below(5)
    for (let step = 0; step < count; step++) {
      this.#room = new SendRoom()
      if (!this.stub && random.chance(0.05)) steps.push([this.#resolved()])
      else steps.push(this.#list(1 + random.below(this.longest), 0, null, true))
    }
    return steps
  }

  #list(length, depth, self = null, certain = false) {
    return Array.from({ length }, () => this.#one(depth, self, certain)).filter((op) => op !== null)
  }

  /** `self` is the socket whose datagrams it is done for. */
  #one(depth, self, certain) {
    const { random } = this
    const weights =
      depth < 2 ? this.weights : this.weights.filter(([kind]) => kind !== 'after' && kind !== 'on')
    const kind = random.weighted(weights)
    const others = self === null || HARMLESS.has(kind)
    const socket = others ? random.pick([...this.#families.keys()]) : self
    return this[kind]({ socket, depth, self, certain })
  }

  family(socket) {
    return this.#families.get(socket)
  }

  other() {
    return this.random.pick([...this.#families.keys()])
  }

  /** A callback, which may do things, or none. */
  maybe(depth, self = null) {
    const { random } = this
    if (random.chance(0.3)) return []
    const ops = depth < 2 && random.chance(0.3) ? this.#list(1 + random.below(3), depth + 1, self) : []
    return [{ ...callback(ops), throws: random.chance(0.03) }]
  }

  create(to) {
    const { random } = this
    const first = typeof to === 'string'
    const socket = first ? to : NAMES[this.#families.size]
    if (socket === undefined) return null
    const family = random.pick(this.families)
    this.#families.set(socket, family)
    const others = first ? ['new', 'subclass', 'old'] : ['new', 'subclass', 'old', 'bare']
    const how = random.chance(0.7) ? 'createSocket' : random.pick(others)
    const args = this.good.createArgs(family, { signal: socket, unheard: this.unheard })
    if (random.chance(0.2)) args.push(callback())
    const watch = this.unheard ? EVENTS.filter((event) => event !== 'error') : EVENTS
    const small = typeof args[0] === 'object'
    return { op: 'create', socket, how, args, watch, small }
  }

  bind({ socket, depth = 0 }) {
    const { random, good } = this
    const family = this.family(socket)
    const taken = { $: 'port', of: this.other(), text: random.chance(0.2), otherwise: 0 }
    const port = random.chance(0.92) ? 0 : taken
    const address = good.local(family)
    const args = random.weighted([
      [[port, address], 8],
      [[port], 2],
      [[], 1],
      [
        [
          options([
            ['port', port],
            ['address', address],
            ['exclusive', random.chance(0.5)],
          ]),
        ],
        4,
      ],
      [[options([['port', port]])], 1],
      [[options([['fd', good.fd(family, this.other())]])], 1],
      [[null], 0.3],
    ])
    const method = HAS.sync && random.chance(0.2) ? 'bindSync' : 'bind'
    if (method === 'bindSync')
      return this.#call(socket, method, [
        options([
          ['port', port],
          ['address', address],
        ]),
      ])
    if (!this.unheard || !LISTENS_FOR_ERRORS) args.push(...this.maybe(depth))
    return this.#call(socket, method, args)
  }

  connect({ socket, depth }) {
    const { random, good } = this
    const port = { $: 'port', of: this.other() }
    const address = good.target(this.family(socket))
    const args = random.chance(0.8) ? [port, address] : [port]
    if (HAS.sync && random.chance(0.2)) return this.#call(socket, 'connectSync', args)
    return this.#call(socket, 'connect', [...args, ...this.maybe(depth)])
  }

  disconnect({ socket }) {
    return this.#call(socket, this.random.chance(0.5) ? 'disconnect' : 'remoteAddress', [])
  }

  send({ socket, depth, self }) {
    const { random, good } = this
    const room = this.#room
    if (room.count === 0) return null
    room.count--
    const message = good.message(room)
    // Where literals are not looked up, as names are, what is sent to these is `Early`.
    const names = this.stub && ASKS_FOR_LITERALS
    const to = [
      { $: 'port', of: this.other(), text: random.chance(0.05) },
      good.target(this.family(socket), names),
    ]
    const range = this.#range(message)
    const args = random.weighted([
      [[message, ...to], 8],
      [[message, ...range, ...to], 4],
      [[message, to[0]], 2],
      [[message], 4],
      [[message, ...range], 2],
    ])
    return this.#call(socket, 'send', [...args, ...this.maybe(depth, self)])
  }

  #range(message) {
    if (Array.isArray(message)) return [0, 0]
    const offset = this.random.below(Math.min(message.size, 20) + 1)
    const beyond = this.random.chance(0.1) ? 1 : 0
    return [offset, this.random.below(message.size - offset + 1) + beyond]
  }

  close({ socket, depth, self }) {
    if (this.random.chance(0.1)) return this.#call(socket, 'asyncDispose', [])
    return this.#call(socket, 'close', this.maybe(depth, self))
  }

  mark() {
    return { op: 'mark', how: this.random.pick(['tick', 'promise']) }
  }

  after({ depth, self, certain }) {
    const { random } = this
    const ops = this.#list(1 + random.below(3), depth + 1, self, certain)
    return { op: 'after', how: random.pick(['tick', 'promise']), ops }
  }

  on({ socket, depth, self }) {
    const { random } = this
    const events = EVENTS.filter((event) => event !== 'message' || socket === this.reactor)
    const event = random.chance(0.3) && socket === this.reactor ? 'message' : random.pick(events)
    const reacting = event === 'message' ? socket : self
    const length = 1 + random.below(3)
    if (event === 'error' && LISTENS_FOR_ERRORS) {
      const ops = Array.from({ length }, () => random.pick([this.mark(), this.control({ socket })]))
      return { op: 'on', socket, how: random.pick(HOW), event, ops }
    }
    const ops = this.#list(length, depth + 1, reacting)
    return { op: 'on', socket, how: random.pick(HOW), event, ops, throws: random.chance(0.05) }
  }

  off({ socket }) {
    return { op: 'off', socket, event: this.random.pick(EVENTS.slice(0, 3)), all: this.random.chance(0.2) }
  }

  scribble() {
    return { op: 'scribble' }
  }

  abort({ socket }) {
    return { op: 'abort', socket, signal: socket }
  }

  get({ socket }) {
    return HAS.legacy ? { op: 'get', socket, property: this.random.pick(LEGACY) } : null
  }

  control({ socket }) {
    const { random } = this
    const family = this.family(socket)
    const { group, interfaces, loopback } = ADDRESSES[family]
    const on = random.pick(interfaces)
    const groups = random.pick([group, group, loopback, ADDRESSES.udp6.group, '224.0.0.251', 'ff05::7777'])
    const source = random.pick([loopback, loopback, '127.0.0.1', '::1', '127.0.0.2'])
    const size = random.pick([0, 1, 4096, 100_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])
    const ttl = random.pick([0, 1, 64, 255, 256, -1, 1.5, 2 ** 32 + 1])
    const flag = random.pick([true, false, 0, 1, 'on', ''])
    const [method, args] = random.pick([
      ['address', []],
      ['remoteAddress', []],
      ['setBroadcast', [flag]],
      ['setTTL', [ttl]],
      ['setMulticastTTL', [ttl]],
      ['setMulticastLoopback', [flag]],
      ['setMulticastInterface', [on]],
      ['addMembership', random.chance(0.3) ? [groups] : [groups, on]],
      ['dropMembership', random.chance(0.3) ? [groups] : [groups, on]],
      ['addSourceSpecificMembership', [source, groups, on]],
      ['dropSourceSpecificMembership', [source, groups, on]],
      ['setRecvBufferSize', [size]],
      ['setSendBufferSize', [size]],
      ['getRecvBufferSize', []],
      ['getSendBufferSize', []],
      ['getSendQueueSize', []],
      ['getSendQueueCount', []],
      ['ref', []],
      ['unref', []],
    ])
    return this.#call(socket, method, args, /^set.*BufferSize$/.test(method))
  }

  /** A call with an argument that is a bad one, mostly. What may never be called takes nothing from the deck. */
  spoiled({ socket, self, certain }) {
    const { stub, unheard } = this
    const fits = (place) =>
      (stub || !asksSomebody(place)) &&
      (place.form.method !== 'bind' || !unheard) &&
      (self === null || !place.form.create)
    const place = certain ? this.deck.draw(fits) : this.random.pick(PLACES)
    if (place === null || !fits(place)) return null
    const family = this.family(socket)
    const form = { ...ADDRESSES[family], family, port: { $: 'port', of: this.other() } }
    const { method, create, args, small } = place.form
    const bad = this.random.chance(0.05) ? { $: 'loud', value: 5 } : { $: 'bad', name: place.name }
    const made = spoiled(args(form), place.path, bad)
    if (!create) return { ...this.#call(socket, method, made, small), place: place.index }
    return {
      op: 'create',
      socket: 'extra',
      how: 'createSocket',
      args: made,
      watch: EVENTS,
      small,
      place: place.index,
    }
  }

  #call(socket, method, args, small) {
    return small ? { op: 'call', socket, method, args, small } : { op: 'call', socket, method, args }
  }

  /** A name that the system resolves, by a thread: when it is done nobody knows, so it is a step of its own. */
  #resolved() {
    const { random } = this
    const socket = this.other()
    const args = [{ $: 'port', of: this.other() }, 'localhost', callback()]
    return random.pick([
      () => this.#call(socket, 'bind', this.unheard ? [0, 'localhost'] : [0, 'localhost', callback()]),
      () => this.#call(socket, 'connect', args),
      () => this.#call(socket, 'send', [this.good.bytes(this.#room), ...args]),
    ])()
  }
}

module.exports = { Operations }
