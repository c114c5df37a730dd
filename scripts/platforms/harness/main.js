'use strict'

// Runs one spec file in the runtime that runs this, with jest's `expect`, tables and mocks and without jest: over what is
// published, in the realm that users have, and with a report that is there also when the process is not.
//
//   RUNTIME main.js SPEC REPORT CHOICE
//
// REPORT gets a line of JSON for each test as it starts and ends, so that it is known what a process died of. CHOICE is
// JSON: `only` or `without`, what names of tests match, and `short`, those that get little time.

const fs = require('node:fs')
const { expect } = require('expect')
const { execute } = require('./execute')
const { jestOf } = require('./mocks')
const { top, words } = require('./tree')

/** For a test that is expected to fail. */
const SHORT_MS = 5000

async function main([file, report, choice]) {
  const { only, without = [], short = [] } = JSON.parse(choice)
  const among = (names, name) => names.some((text) => new RegExp(text).test(name))
  const tell = (event) => fs.appendFileSync(report, `${JSON.stringify(event)}\n`)
  Object.assign(globalThis, words, { expect, jest: jestOf(file) })
  // Where another runtime is to run what the spec starts.
  if (process.env.RECVMMSG_CHILDREN) process.execPath = process.env.RECVMMSG_CHILDREN
  require(file)
  await execute(top, {
    tell,
    wanted: (name) => (only === undefined || among(only, name)) && !among(without, name),
    limit: (name) => (among(short, name) ? SHORT_MS : Number.POSITIVE_INFINITY),
  })
  tell({ status: 'end' })
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
