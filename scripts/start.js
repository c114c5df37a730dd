'use strict'

// `npm start`: sets up what is missing, then shows what the package does.
// Node 8 has to parse this file, see lib/node-version.js.

const setup = require('./setup')

setup
  .ensure({ sender: false })
  .then(() => require('./demo.js').done)
  .catch(setup.giveUp)
