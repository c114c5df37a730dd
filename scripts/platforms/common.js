'use strict'

// What `build:all` and `check:all` have in common: one platform after the other, and a line for each in the end.

const { Problem } = require('../lib/problem')
const { checkTools } = require('../lib/tools')
const { Lack, root } = require('../sanitizers/common')
const { giveUp } = require('../setup')
const { targets } = require('./targets')

/**
 * Does `work` for each platform that the arguments name, by a part of its name, or for all. It returns what to say; what
 * this machine lacks is told and is no failure, unless `--strict` says so. `--apt` as elsewhere.
 */
async function eachPlatform(work) {
  const args = process.argv.slice(2)
  const flags = args.filter((word) => word.startsWith('--'))
  const chosen = targets(args.filter((word) => !word.startsWith('--')))
  const options = { apt: flags.includes('--apt') || process.env.CI === 'true' }
  const lines = []
  let failed = 0
  try {
    if (chosen.length === 0) throw new Problem('No platform of package.json has such a name.')
    options.toolchain = checkTools(root)
    for (const target of chosen) {
      console.log(`\n=== ${target.triple}`)
      try {
        lines.push(`ok       ${target.platform}: ${await work(target, options)}`)
      } catch (error) {
        if (!error.expected) throw error
        const lacks = error instanceof Lack
        if (!lacks || flags.includes('--strict')) failed++
        if (error.details) console.error(error.details)
        lines.push(`${lacks ? 'skipped ' : 'FAILED  '} ${target.platform}: ${error.message}`)
      }
    }
    console.log(`\n${lines.join('\n')}`)
    if (failed > 0) process.exitCode = 1
  } catch (error) {
    giveUp(error)
  }
}

module.exports = { eachPlatform }
