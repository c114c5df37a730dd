'use strict'

// `npm test`: sets up what is missing, then runs the tests of both languages. Arguments go to jest.
// Node 8 has to parse this file, see lib/node-version.js.

const setup = require('./setup')

setup
  .ensure({ tests: true })
  .then(() => require('./lib/run-tests').runTests(process.argv.slice(2)))
  .catch((error) => {
    setup.giveUp(error)
    // Who reads the last line for the numbers finds them there also when nothing could be run.
    if (!error.silent) console.log('0 passed, 1 failed')
  })
