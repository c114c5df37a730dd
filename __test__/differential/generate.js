'use strict'

// Programs: lists of operations that follow from a seed.

const { PLACES } = require('./forms')
const { Good } = require('./good')
const { Operations } = require('./operations')
const { Random } = require('./random')

/** How often which kind of operation comes, by what a program is about. */
const THEMES = {
  traffic: {
    send: 50,
    mark: 8,
    after: 6,
    on: 6,
    bind: 5,
    connect: 5,
    control: 5,
    close: 3,
    spoiled: 6,
    scribble: 3,
  },
  life: {
    bind: 20,
    close: 12,
    connect: 14,
    disconnect: 6,
    send: 18,
    on: 12,
    off: 3,
    after: 10,
    create: 6,
    abort: 4,
    mark: 8,
    get: 3,
    spoiled: 10,
  },
  arguments: { spoiled: 75, bind: 4, close: 3, connect: 4, send: 6, mark: 3, after: 4, create: 3 },
  controls: { control: 60, spoiled: 15, bind: 6, close: 4, connect: 4, send: 4, mark: 2, create: 3 },
}

/** All places with all bad arguments, in an order of the seed's; from the beginning when it is used up. */
class Deck {
  #random
  #cards = []

  constructor(random) {
    this.#random = random
  }

  draw(fits) {
    if (this.#cards.length === 0) this.#cards = this.#random.shuffle([...PLACES])
    let index = this.#cards.length - 1
    while (index >= 0 && !fits(this.#cards[index])) index--
    return index < 0 ? null : this.#cards.splice(index, 1)[0]
  }
}

class Generator {
  constructor(seed, { families, immediates = true }) {
    this.seed = seed
    this.families = families
    this.immediates = immediates
    this.deck = new Deck(new Random(seed))
    this.count = 0
  }

  next() {
    const random = new Random(this.seed + Math.imul(++this.count, 0x9e3779b1))
    const theme = random.weighted([
      ['traffic', 3],
      ['life', 4],
      ['arguments', 5],
      ['controls', 2],
    ])
    const stub = random.chance(0.5)
    // Of a datagram and an immediate none is known to come first: a program has listeners for the one or lookups by
    // the other.
    const immediates = this.immediates && random.chance(0.4)
    const unheard = random.chance(0.06)
    const good = new Good(random, { stub, immediates })
    const operations = new Operations(random, good, {
      weights: Object.entries(THEMES[theme]),
      longest: theme === 'arguments' ? 24 : 8,
      families: random.chance(0.3) ? this.families : [random.pick(this.families)],
      reacts: !immediates,
      stub,
      unheard,
      deck: this.deck,
    })
    return { theme, resolver: stub ? 'stub' : 'default', steps: operations.steps() }
  }
}

module.exports = { Generator, THEMES }
