'use strict'

// Publishes what stage.js has laid out: the platforms first, so that nobody can install the package before what it
// asks for is there. What is published already is passed over: after a failure run it again.
//
//   node scripts/release/publish.js --from DIRECTORY [--dry-run]
//
// The registry and who may publish are npm's settings. A prerelease (1.0.0-rc.1) goes to the tag `next`.

const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { readJson } = require('../lib/fingerprint')
const { npmCommand, scrubbed } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const setup = require('../setup')

const [command, first] = npmCommand()

async function npm(args, env) {
  return run(command, [...first, ...args], { env: { ...scrubbed(process.env), ...env } })
}

/** Whether the registry has this version. Another answer than yes or no ends it. */
async function isPublished({ name, version }, env) {
  const result = await npm(['view', `${name}@${version}`, 'version', '--json'], env)
  if (result.code === 0) return result.stdout.trim() !== ''
  if (/E404/.test(result.all)) return false
  throw new Problem(`The registry does not say whether it has ${name}@${version}.`, result.all.trim())
}

/** @param {object} [options.env] settings of npm's that hold for this only */
async function publish({ from, dryRun = false, env = {} }) {
  const names = fs.readdirSync(from).filter((name) => name !== 'recvmmsg')
  if (!fs.existsSync(path.join(from, 'recvmmsg'))) throw new Problem(`There is nothing staged in ${from}.`)
  for (const name of [...names.sort(), 'recvmmsg']) {
    const directory = path.join(from, name)
    const manifest = readJson(path.join(directory, 'package.json'))
    const label = `${manifest.name}@${manifest.version}`
    if (await isPublished(manifest, env)) {
      console.log(`publish: ${label} is there already`)
      continue
    }
    const tag = manifest.version.includes('-') ? 'next' : 'latest'
    const how = ['--access', 'public', '--tag', tag, ...(dryRun ? ['--dry-run'] : [])]
    const result = await npm(['publish', directory, ...how], env)
    if (result.code !== 0) throw new Problem(`${label} was not published.`, result.all.trim())
    console.log(`publish: ${label} (${tag})${dryRun ? ', not really' : ''}`)
  }
}

module.exports = { publish }

if (require.main === module) {
  const { values } = parseArgs({ options: { from: { type: 'string' }, 'dry-run': { type: 'boolean' } } })
  const go = async () => {
    if (!values.from) throw new Problem('usage: publish.js --from DIRECTORY [--dry-run]')
    await publish({ from: path.resolve(values.from), dryRun: values['dry-run'] })
  }
  go().catch(setup.giveUp)
}
