'use strict'

// What a spec file declares: blocks of tests, in jest's words. Titles of tables are made by jest-each, as in jest.

const { bind } = require('jest-each')

/** What is declared now belongs to this block. */
let current = block('', null, false)
const top = current

function block(title, parent, skip) {
  const hooks = { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] }
  return { title, parent, skip, hooks, children: [] }
}

function describeAs(skip) {
  return (title, body) => {
    const made = block(title, current, skip || current.skip)
    current.children.push(made)
    const outer = current
    current = made
    try {
      body()
    } finally {
      current = outer
    }
  }
}

function testAs(skip) {
  return (title, run, timeout) => {
    current.children.push({ title, parent: current, skip: skip || current.skip, run, timeout })
  }
}

/** A word of jest's, with its `each` and `skip`. */
function withVariants(make) {
  const skip = Object.assign(make(true), { each: bind(make(true), false) })
  return Object.assign(make(false), { each: bind(make(false), false), skip })
}

function hook(name) {
  return (run, timeout) => {
    current.hooks[name].push({ run, timeout })
  }
}

const words = {
  describe: withVariants(describeAs),
  test: withVariants(testAs),
  ...Object.fromEntries(Object.keys(top.hooks).map((name) => [name, hook(name)])),
}
words.it = words.test

/** As jest's `fullName`. */
function fullName({ title, parent }) {
  return parent?.parent ? `${fullName(parent)} ${title}` : title
}

module.exports = { fullName, top, words }
