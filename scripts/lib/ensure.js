'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { withLock } = require('./lock')
const { ensureAddon, ensureTestkit } = require('./native')
const { ensurePackages } = require('./packages')
const { checkTools } = require('./tools')
const { ensureTypeScript } = require('./typescript')

const root = path.resolve(__dirname, '..', '..')

/**
 * Installs and builds what is missing or stale, one process at a time, and says so in a line each.
 *
 * @param {boolean} [options.tests] also what only the tests need
 * @param {boolean} [options.sender] also the native program that sends datagrams
 * @param {boolean} [options.quiet] do not say what is being done
 */
async function ensure({ tests = false, sender = true, quiet = false } = {}) {
  const say = quiet ? () => {} : (line) => console.log(line)
  const toolchain = checkTools(root)
  const build = path.join(root, '.build')
  fs.mkdirSync(build, { recursive: true })
  const onWait = (pid) => say(`waiting for the set-up that process ${pid ?? 'number ?'} is doing…`)
  await withLock(path.join(build, 'lock'), onWait, async () => {
    const context = { root, say, tests, toolchain }
    await ensurePackages(context)
    await ensureAddon(context)
    if (tests || sender) await ensureTestkit(context)
    await ensureTypeScript(context)
  })
}

module.exports = { ensure }
