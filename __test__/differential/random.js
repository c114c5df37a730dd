'use strict'

// Chance that can be repeated.

/** mulberry32: numbers in [0, 1) that follow from `seed`. */
function mulberry32(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

class Random {
  constructor(seed) {
    this.next = mulberry32(seed)
  }

  /** An integer below `count`. */
  below(count) {
    return Math.floor(this.next() * count)
  }

  chance(probability) {
    return this.next() < probability
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** One of `choices`, by the weight behind each: `[[value, weight], …]`. */
  weighted(choices) {
    let left = this.next() * choices.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [value, weight] of choices) {
      left -= weight
      if (left < 0) return value
    }
    return choices[0][0]
  }

  /** In place. */
  shuffle(list) {
    for (let last = list.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const kept = list[last]
      list[last] = list[other]
      list[other] = kept
    }
    return list
  }
}

module.exports = { Random }
