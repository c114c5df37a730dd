'use strict'

// `node scripts/platforms/runtimes.js`: jest on each Node, its behaviour on Bun and Deno, what permissions they want, and
// a bundle on each. Arguments choose runtimes by their names, and specs by a part of theirs; `--quick` takes few specs,
// those that depend on a runtime most.

const { LACKS, LEFT_OUT } = require('./lacks')
const { bundles } = require('./lib/bundle')
const { flags } = require('./lib/flags')
const { inWords, runSpecs } = require('./lib/harness')
const house = require('./lib/house')
const { RUNTIMES, install, versionOf } = require('./lib/install')
const { scrubbed } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const { jest } = require('../lib/run-tests')
const { interruptible } = require('../lib/run')
const setup = require('../setup')

const QUICK = [
  'addon',
  'dgram-messages',
  'events',
  'examples-syslog',
  'exports',
  'load',
  'readiness',
  'reader',
  'unix-',
]

/** The specs on one runtime; sums of their tests. */
async function specs(runtime, wanted, quick) {
  if (runtime.runner === 'jest') {
    const patterns = (wanted.length === 0 && quick ? QUICK : wanted).map(
      (name) => `/${name}[^/]*\\.spec\\.ts$`,
    )
    const { passed, failed, skipped } = await jest(patterns, scrubbed(process.env), runtime.command[0])
    return { passed, failed, skipped: skipped.length }
  }
  const names = wanted.length === 0 && quick ? QUICK : wanted
  const isWanted = (spec) => names.length === 0 || names.some((name) => spec.startsWith(name))
  const all = house.specs()
  const listed = [LEFT_OUT.specs, LEFT_OUT.tests, LACKS[runtime.name]].flatMap(Object.keys)
  for (const spec of listed)
    if (!all.includes(spec)) throw new Problem(`lacks.js lists ${spec}.spec, which does not exist.`)
  return runSpecs(
    runtime,
    all.filter((spec) => isWanted(spec) && !(spec in LEFT_OUT.specs)),
  )
}

async function main(args) {
  const quick = args.includes('--quick')
  const names = RUNTIMES.map(({ name }) => name)
  const named = args.filter((arg) => names.includes(arg))
  const wanted = args.filter((arg) => !arg.startsWith('--') && !names.includes(arg))
  await setup.ensure({ tests: true })
  await install()
  house.build()
  const lines = []
  let failed = 0
  // `npm test` has run all of it there.
  const own = quick && named.length === 0 ? `node${process.versions.node.split('.')[0]}` : ''
  const isChosen = ({ name }) => (named.length === 0 ? name !== own : named.includes(name))
  for (const runtime of RUNTIMES.filter(isChosen)) {
    const title = `${runtime.name} (${versionOf(runtime)})`
    console.log(`\n${title}`)
    const sums = await specs(runtime, wanted, quick)
    const problems = wanted.length === 0 ? [...flags(runtime), ...(await bundles(runtime))] : []
    for (const problem of problems) console.log(`FAILED ${problem}`)
    sums.failed += problems.length
    failed += sums.failed
    lines.push(`${title}: ${inWords(sums)}`)
  }
  console.log(`\n${lines.join('\n')}`)
  if (failed > 0) process.exitCode = 1
}

interruptible(() => main(process.argv.slice(2))).catch(setup.giveUp)
