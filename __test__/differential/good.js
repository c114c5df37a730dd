'use strict'

// Arguments that mean something.

const { KINDS } = require('./descriptors')
const { HAS } = require('./forms')
const { WHAT, WHEN } = require('./resolver')
const { SHAPES } = require('./values')

/** Bytes of a datagram. None is a number that could be taken for the port of a socket. */
const SIZES = [0, 1, 2, 8, 100, 512, 1000, 1472, 1473, 4096, 9000, 16_000]
/** The longest of either family, and longer ones. */
const LARGE = [30_000, 65_507, 65_508, 65_527, 65_528, 70_000, 131_072]

/** What an address can be, by family: loopback, and others that do not leave the host. */
const ADDRESSES = {
  udp4: {
    loopback: '127.0.0.1',
    anywhere: '0.0.0.0',
    group: '239.77.77.77',
    local: '127.0.0.1',
    odd: ['127.0.0.2', '0.0.0.0', '127.255.255.255', '::1', '::ffff:127.0.0.1', '239.77.77.77'],
    bind: ['127.0.0.2', '0.0.0.0', '127.255.255.255', '::1', '::', '198.51.100.7', '239.77.77.77'],
    interfaces: ['127.0.0.1', '0.0.0.0', '127.0.0.2', '198.51.100.7', '::1', '::', '::%lo', 'lo', ''],
  },
  udp6: {
    loopback: '::1',
    anywhere: '::',
    group: 'ff02::7777',
    local: '::%lo',
    odd: ['::', '::ffff:127.0.0.1', '127.0.0.1', '::1%lo', 'fe80::1%lo', 'ff02::7777%lo', '0:0:0:0:0:0:0:1'],
    bind: ['::', '::ffff:127.0.0.1', '127.0.0.1', '::1%lo', 'fe80::1%lo', '2001:db8::7', '0:0:0:0:0:0:0:1'],
    interfaces: ['::%lo', '::', '::1', '::%1', '::%nowhere', '127.0.0.1', '', 'lo'],
  },
}

const options = (entries) => ({ $: 'options', entries })

class Good {
  constructor(random, { stub, immediates }) {
    this.random = random
    this.stub = stub
    this.when = WHEN.filter((when) => immediates || when !== 'immediate')
  }

  /** An address to send or connect to, or with `names` a name; `undefined` is loopback. */
  target(family, names = this.stub) {
    const { random } = this
    const { loopback, odd } = ADDRESSES[family]
    return random.weighted([
      [loopback, 10],
      [undefined, 3],
      ['', 0.5],
      [random.pick(odd), 2],
      ...(names ? [['localhost', 2]] : []),
    ])
  }

  local(family) {
    const { random } = this
    const { loopback, bind } = ADDRESSES[family]
    return random.weighted([
      [loopback, 10],
      [undefined, 2],
      ['', 0.3],
      [random.pick(bind), 2],
      ...(this.stub ? [['localhost', 2]] : []),
    ])
  }

  /** A payload that the step has room for. */
  bytes(room) {
    const { random } = this
    const large = room.large && random.chance(0.06)
    if (large) room.large = false
    const size = random.pick(large ? LARGE : SIZES)
    const as = random.chance(0.6) ? 'Buffer' : random.pick(SHAPES)
    return { $: 'bytes', size: large ? size : Math.min(size, room.take(size)), salt: random.below(1000), as }
  }

  message(room) {
    const { random } = this
    if (random.chance(0.8)) return this.bytes(room)
    return Array.from({ length: random.below(4) }, () => this.bytes(room))
  }

  createArgs(family, { signal, unheard }) {
    const { random } = this
    if (random.chance(0.5)) return [family]
    const own = []
    const say = (probability, name, value) => random.chance(probability) && own.push([name, value()])
    say(0.2, 'reuseAddr', () => true)
    say(0.2, 'ipv6Only', () => family === 'udp6' || random.chance(0.2))
    say(0.1, 'recvBufferSize', () => random.pick([100_000, 1, 2 ** 31]))
    say(0.1, 'sendBufferSize', () => random.pick([100_000, 1, 2 ** 31]))
    say(unheard ? 0 : 0.3, 'lookup', () => this.lookup())
    say(0.15, 'signal', () => ({ $: 'signal', name: signal, aborted: random.chance(0.1) }))
    say(HAS.blockLists ? 0.1 : 0, 'sendBlockList', () => this.blocks(family))
    say(HAS.blockLists ? 0.1 : 0, 'receiveBlockList', () => this.blocks(family))
    own.push(['type', family])
    return [options(random.shuffle(own))]
  }

  blocks(family) {
    const { loopback } = ADDRESSES[family]
    return { $: 'blocks', address: loopback, family: family === 'udp6' ? 'ipv6' : 'ipv4' }
  }

  lookup() {
    const { random } = this
    return {
      $: 'lookup',
      when: random.pick(this.when),
      what: random.chance(0.6) ? 'right' : random.pick(WHAT),
    }
  }

  /** `of` is whose descriptor it is where it is a socket's own, which only private members tell. */
  fd(family, of) {
    const kind = this.random.pick(KINDS)
    return { $: 'fd', kind: kind === 'own' && !HAS.legacy ? 'again' : kind, family, of }
  }
}

/** What a step may send: a receive buffer holds it, however the kernel counts. */
class SendRoom {
  #bytes = 60_000
  count = 20
  large = true

  /** Bytes that are still to be had, at most `wanted`. */
  take(wanted) {
    const taken = Math.min(wanted, this.#bytes)
    this.#bytes -= taken
    return taken
  }
}

module.exports = { ADDRESSES, Good, SendRoom, options }
