'use strict'

// The first thing every script runs, on whatever Node.js is there: this file and those that lead to it keep to
// syntax that Node 8 parses and load no built-in module, so that an old Node is told what it is and not shown a
// syntax error.

const manifest = require('../../package.json')

function parts(version) {
  const match = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(version)
  return match ? [Number(match[1]), Number(match[2] || 0), Number(match[3] || 0)] : [0, 0, 0]
}

/** Whether `version` ('v20.1.0', '1.88') is lower than `wanted` ('>=20.17', '1.90.1'). */
function isOlder(version, wanted) {
  const have = parts(version)
  const want = parts(wanted)
  for (let i = 0; i < 3; i++) {
    if (have[i] !== want[i]) return have[i] < want[i]
  }
  return false
}

/** What is wrong with this version of Node.js, in a sentence; nothing when it will do. */
function nodeProblem(version) {
  const range = manifest.engines.node
  if (!isOlder(version, range)) return undefined
  const wanted = range.replace(/[^\d.]/g, '')
  const have = version.replace(/^v/, '')
  return `Node.js is too old: this is ${have}, and ${manifest.name} needs ${wanted} or newer.`
}

module.exports = { isOlder, nodeProblem }
