'use strict'

// `npm run bench`: every receiver in a process of its own, one after the other, under the same load.

const os = require('node:os')
const { Interrupted, Problem } = require('../scripts/lib/problem')
const { ensure, giveUp } = require('../scripts/setup')
const { USAGE, parseArguments } = require('./lib/arguments')
const { assignCpus } = require('./lib/cpu')
const { environment, placement } = require('./lib/environment')
const { measure } = require('./lib/measure')
const { summary } = require('./lib/medians')
const { Neighbours } = require('./lib/neighbours')
const { preparePeers } = require('./lib/peers')
const { checkStopped, stopAll } = require('./lib/process')
const { writeReport } = require('./lib/report')
const { chooseRows } = require('./lib/rows')
const { asText, nanos } = require('./lib/table')
const { judge } = require('./lib/targets')

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const say = (line) => console.error(line)

async function main() {
  const options = parseArguments(process.argv.slice(2))
  if (options.help) return void process.stdout.write(USAGE)
  if (process.platform !== 'linux') throw new Problem('The benchmark reads /proc: it is for Linux.')
  await ensure({ quiet: options.json })
  for (const signal of SIGNALS) {
    process.on(signal, () => stopAll(new Interrupted(128 + os.constants.signals[signal])))
  }
  process.on('exit', () => stopAll())

  const peers = preparePeers(say)
  const cpus = assignCpus()
  const conditions = environment(peers, cpus)
  say(placement(conditions))
  const neighbours = await Neighbours.start({ peers, cpus })
  const rows = chooseRows(options)
  const results = await measureAll(rows, options.rounds, { peers, cpus, neighbours })
  await neighbours.end()
  const targets = judge(results)
  if (options.write) writeReport({ conditions, options, results, targets })
  if (options.json)
    console.log(JSON.stringify({ environment: conditions, options, rows: results, targets }, null, 2))
  else console.log(`\n${asText(results, targets)}`)
  if (results.some((row) => row.problems.length > 0)) {
    say('\nThere are rows whose sums do not come out: they are marked.')
    process.exitCode = 1
  }
}

/** All rows, interleaved within each round, so that what changes on the machine meanwhile meets all of them. */
async function measureAll(rows, rounds, context) {
  const measured = new Map(rows.map((row) => [row, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const row of rows) {
      if (round > row.times.rounds) continue
      checkStopped()
      const result = await measure(row, context).catch((error) => ({ missing: error.message, error }))
      checkStopped()
      measured.get(row).push(result)
      say(`round ${round} of ${rounds}  ${row.name.padEnd(20)}${told(result)}`)
    }
  }
  return rows.map((row) => summary(row, measured.get(row)))
}

function told({ missing, problems, nsPerDatagram, cpuMs }) {
  if (missing) return `not measured: ${missing}`
  const figure = cpuMs === undefined ? `${nanos(nsPerDatagram)} ns` : `${cpuMs.toFixed(1)} ms`
  return `${figure}${problems.length > 0 ? `  WRONG: ${problems.join('; ')}` : ''}`
}

main().catch(giveUp)
