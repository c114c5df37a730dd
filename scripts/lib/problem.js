'use strict'

/** Something that the user has to see to, told in one sentence, and told without a stack. */
class Problem extends Error {
  expected = true

  /** @param {string} [details] output of the tool that failed, shown above the sentence */
  constructor(sentence, details) {
    super(sentence)
    this.details = details
  }
}

/** The user (or the system) asked to stop. There is nothing to add to that. */
class Interrupted extends Error {
  silent = true

  constructor(exitCode) {
    super('interrupted')
    this.exitCode = exitCode
  }
}

module.exports = { Interrupted, Problem }
