'use strict'

// The specs on every runtime: jest itself on each Node, its behaviour elsewhere. Arguments choose runtimes by name and
// specs by a part of theirs; `--quick` takes few specs on each Node.

const { RUNTIMES, install, versionOf } = require('./lib/install')
const house = require('./lib/house')
const { runSpec } = require('./lib/harness')
const { OF_NODE } = require('./lacks')
const setup = require('../setup')

async function inHarness(runtime, wanted) {
  const total = { passed: 0, failed: 0, skipped: 0, lacking: 0 }
  for (const spec of house.specs()) {
    if (spec in OF_NODE || !wanted(spec)) continue
    const begun = Date.now()
    const { counts, problems } = await runSpec(runtime, spec)
    for (const [name, count] of Object.entries(counts)) total[name] += count
    const { passed, failed, skipped, lacking } = counts
    for (const problem of problems) console.log(problem)
    console.log(
      `${runtime.name} ${spec}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${lacking} lacking (${((Date.now() - begun) / 1000).toFixed(1)} s)`,
    )
  }
  return total
}

async function main(args) {
  await setup.ensure({ tests: true })
  await install()
  house.build()
  const names = RUNTIMES.map(({ name }) => name)
  const chosen = RUNTIMES.filter(({ name }) => args.includes(name))
  const specs = args.filter((arg) => !names.includes(arg))
  for (const runtime of chosen) {
    console.log(runtime.name, versionOf(runtime))
    console.log(await inHarness(runtime, (s) => specs.length === 0 || specs.includes(s)))
  }
}
main(process.argv.slice(2)).catch(setup.giveUp)
