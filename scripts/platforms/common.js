'use strict'

// What the commands of this directory have in common: one thing after the other, and a line for each in the end.

const { Problem } = require('../lib/problem')
const { checkTools } = require('../lib/tools')
const { Lack, root } = require('../sanitizers/common')
const { giveUp } = require('../setup')
const { targets } = require('./targets')

/**
 * Does each work, and prints what became of it. It returns what to say; what this machine lacks is told and is no failure,
 * unless `strict` says so.
 *
 * @param {[string, () => Promise<string>][]} works by their names
 */
async function inTurn(works, { strict = false } = {}) {
  const lines = []
  let failed = 0
  for (const [name, work] of works) {
    console.log(`\n=== ${name}`)
    try {
      lines.push(`ok       ${name}: ${await work()}`)
    } catch (error) {
      if (!error.expected) throw error
      const lacks = error instanceof Lack
      if (!lacks || strict) failed++
      if (error.details) console.error(error.details)
      lines.push(`${lacks && !strict ? 'skipped ' : 'FAILED  '} ${name}: ${error.message}`)
    }
  }
  console.log(`\n${lines.join('\n')}`)
  if (failed > 0) process.exitCode = 1
}

/** `inTurn` for each platform that the arguments name, by a part of its name, or for all. `--strict`; `--apt` as elsewhere. */
async function eachPlatform(work) {
  const args = process.argv.slice(2)
  const flags = args.filter((word) => word.startsWith('--'))
  const chosen = targets(args.filter((word) => !word.startsWith('--')))
  try {
    if (chosen.length === 0) throw new Problem('No platform of package.json has such a name.')
    const options = {
      apt: flags.includes('--apt') || process.env.CI === 'true',
      toolchain: checkTools(root),
    }
    const works = chosen.map((target) => [target.platform, () => work(target, options)])
    await inTurn(works, { strict: flags.includes('--strict') })
  } catch (error) {
    giveUp(error)
  }
}

module.exports = { eachPlatform, inTurn }
