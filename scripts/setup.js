'use strict'

// `npm run build`, and the part that `npm start` and `npm test` share: installs and builds what is missing or stale.
// Node 8 has to parse this file, see lib/node-version.js.

const nodeVersion = require('./lib/node-version')

/**
 * Makes everything ready that running (and, with `tests`, testing) needs; with `sender: false` not the native sender,
 * which the demo does without. Rejects with an error whose message is a sentence for the user when something is lacking.
 */
function ensure(options) {
  const problem = nodeVersion.nodeProblem(process.version)
  if (problem) {
    const error = new Error(problem)
    error.expected = true
    return Promise.reject(error)
  }
  // Loaded only now: these files are written for the Node that package.json asks for.
  return require('./lib/ensure').ensure(options)
}

/** Ends a script that cannot go on. What was foreseen is told in a sentence, anything else with its stack. */
function giveUp(error) {
  if (error.details) console.error(error.details)
  if (!error.silent) console.error(error.expected ? error.message : error.stack)
  process.exitCode = error.exitCode || 1
}

module.exports = { ensure, giveUp }

if (require.main === module) ensure({}).catch(giveUp)
