'use strict'

// One program, run with both modules.

const { difference } = require('./compare')
const { Run } = require('./run')

/** Times that a program may be disturbed by chance: a port is given to two sockets of it, or one that it names is taken. */
const MOST_TRIES = 5

class Trial {
  performed = 0
  /** Indices of the places that a bad argument was in. */
  tried = new Set()

  constructor(expected, actual, settler) {
    this.modules = [expected, actual]
    this.settler = settler
  }

  /** How `program` makes them differ, or `null`. What does not come within `patience` milliseconds does not come. */
  async run(program, patience = 5000) {
    for (let tries = 1; ; tries++) {
      const expected = new Run(this.modules[0], program, this.settler, patience)
      const wanted = await expected.go()
      if (!expected.complete) throw new Error(`there is no end of it: ${JSON.stringify(program)}`)
      const actual = new Run(this.modules[1], program, this.settler, patience)
      const got = await actual.go(wanted)
      this.performed += expected.performed
      for (const place of expected.tried) this.tried.add(place)
      const found = difference(wanted, got)
      const disturbed = [expected, actual].some((run) => run.describer.ambiguous || run.disturbed)
      if (found === null || !disturbed || tries === MOST_TRIES) return found
    }
  }
}

module.exports = { Trial }
