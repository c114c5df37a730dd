'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { readJson } = require('./fingerprint')
const { binOf, scrubbed } = require('./packages')
const { cargoResults, jestResults, summary } = require('./results')
const { checkInterrupted, interruptible, run } = require('./run')

const root = path.resolve(__dirname, '..', '..')

/** Runs the tests of both languages, also when the first fails. With arguments, which are jest's, only jest. */
function runTests(args) {
  // NODE_ENV is left out as well: jest sets its own, and the tests run the same whatever the user has there.
  const env = scrubbed(process.env)
  return interruptible(async () => {
    const all = []
    if (args.length === 0) all.push(await cargo(env))
    all.push(await jest(args, env))
    checkInterrupted()
    console.log(`\n${summary(all)}`)
    if (all.some((results) => results.failed > 0)) process.exitCode = 1
  })
}

async function cargo(env) {
  const result = await run('cargo', ['test', '--workspace', '--no-fail-fast'], { cwd: root, env, echo: true })
  return cargoResults(result.stdout, result.code)
}

/** Runs jest, on this Node or another. */
async function jest(args, env, node = process.execPath) {
  const report = path.join(root, '.build', `jest-${process.pid}.json`)
  const reporters = ['default', path.join(__dirname, 'jest-reporter.js')].map((name) => `--reporters=${name}`)
  try {
    const { code } = await run(node, [binOf(root, 'jest', 'jest'), ...args, ...reporters], {
      cwd: root,
      env: { ...env, RECVMMSG_JEST_REPORT: report },
      foreground: true,
    })
    const results = jestResults(readJson(report), code)
    // With a name pattern, all other tests are reported as skipped.
    if (args.some((arg) => /^(-t|--testNamePattern)/.test(arg))) results.skipped = []
    return results
  } finally {
    fs.rmSync(report, { force: true })
  }
}

module.exports = { jest, runTests }
