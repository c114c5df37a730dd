'use strict'

const { parseArgs } = require('node:util')
const { Problem } = require('../../scripts/lib/problem')
const { NAMES } = require('./rows')

const USAGE = `usage: npm run bench -- [options]
  --rounds N         measure every row so often, and take medians (5; with --quick 2)
  --quick            short rounds of the main rows
  --only NAME,NAME   these rows or sections
  --json             everything as JSON on standard output
  --write            write the tables and the chart of docs/performance.md

sections and rows: ${NAMES.join(' ')}
`

const options = {
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

/** The command line, checked; a mistake throws an error whose message says what. */
function parseArguments(args) {
  const values = parsed(args)
  const { quick, json, write, help } = values
  const rounds = Number(values.rounds ?? (quick ? 2 : 5))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Problem('--rounds is 1 to 100')
  const only = values.only.split(',').filter(Boolean)
  const unknown = only.find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new Problem(`there is no row or section ${unknown}`)
  if (write && (quick || only.length > 0)) throw new Problem('--write is for a whole run')
  return { rounds, quick, only, json, write, help }
}

function parsed(args) {
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new Problem(error.message)
  }
}

module.exports = { USAGE, parseArguments }
