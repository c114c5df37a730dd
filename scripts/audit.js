'use strict'

// `npm run audit`: what is known against the packages and the crates that this is made of, and whether their licences and
// sources are such as deny.toml allows. `--optional` makes a lack no failure.

const { npmCommand, scrubbed } = require('./lib/packages')
const { Problem } = require('./lib/problem')
const { interruptible, run } = require('./lib/run')
const { checkTools, findCommand, isUnreachable, toolProblem } = require('./lib/tools')
const { inTurn } = require('./platforms/common')
const { Lack, cargoTool, root, tools } = require('./sanitizers/common')
const { giveUp } = require('./setup')

/** What npm's report says in a sentence; where there is none it throws, for the registry may not offer any. */
function verdict(text) {
  let report
  try {
    report = JSON.parse(text)
  } catch {
    throw new Lack('npm audit has given no report.', text.trim())
  }
  const { metadata, message } = report
  if (!metadata) throw new Lack(`The registry gives no advisories: ${message ?? 'npm does not say why'}.`)
  const { total, ...severities } = metadata.vulnerabilities
  if (total === 0) return `nothing known against ${metadata.dependencies.total} packages`
  const counts = Object.entries(severities).filter(([, count]) => count > 0)
  throw new Problem(
    `npm audit knows of ${counts.map(([name, count]) => `${count} ${name}`).join(', ')}.`,
    text,
  )
}

async function packages() {
  const [command, first] = npmCommand()
  const args = [...first, 'audit', '--json', '--package-lock-only']
  const { stdout } = await run(command, args, { cwd: root, env: scrubbed(process.env) })
  return verdict(stdout)
}

/** `cargo deny check` of some of its checks; `prepared` makes it ready. */
async function crates(checks, prepared) {
  await prepared()
  const result = await run('cargo', ['deny', 'check', ...checks], { cwd: root })
  // Only the advisories are fetched.
  if (isUnreachable(result) || /failed to fetch advisory database/.test(result.all))
    throw new Lack('The advisories could not be fetched; is there a network?', result.all.trim())
  if (result.code !== 0) throw toolProblem('cargo deny', result)
  return `${checks.join(', ')} as they should be`
}

/** Building it takes ten minutes, which what is optional is not worth. */
async function ready(optional) {
  checkTools(root)
  process.env.PATH = [`${tools}/bin`, process.env.PATH].join(':')
  if (optional && !findCommand('cargo-deny', process.env)) throw new Lack('There is no cargo-deny.')
  await cargoTool('cargo-deny')
}

async function main(args) {
  const optional = args.includes('--optional')
  if (args.some((arg) => arg !== '--optional')) throw new Problem('usage: npm run audit -- [--optional]')
  const prepared = () => ready(optional)
  const works = [
    ['npm audit', packages],
    ['cargo deny', () => crates(['bans', 'licenses', 'sources'], prepared)],
    ['cargo deny', () => crates(['advisories'], prepared)],
  ]
  await inTurn(works, { strict: !optional })
}

module.exports = { verdict }

if (require.main === module) interruptible(() => main(process.argv.slice(2))).catch(giveUp)
