'use strict'

// The Rust half: the addon, and the testkit that the tests and the benchmarks use.

const fs = require('node:fs')
const path = require('node:path')
const { Record, filesBelow, fingerprint, readJson, replaceByCopy } = require('./fingerprint')
const { nameScope } = require('./loader')
const { binOf } = require('./packages')
const { Problem } = require('./problem')
const { run } = require('./run')
const { downloadProblem, toolProblem } = require('./tools')

const TESTKIT = '__test__/native'

/** A hash over all that the addon is made of. */
function addonHash(root, toolchain) {
  // The loader that napi makes has the version in it.
  const { napi, version } = readJson(path.join(root, 'package.json'))
  const cli = readJson(path.join(root, 'node_modules/@napi-rs/cli/package.json'))?.version
  return crateHash(
    root,
    toolchain,
    [...filesBelow(root, 'src'), 'build.rs', 'scripts/lib/loader.js'],
    [napi, version, cli],
  )
}

function testkitHash(root, toolchain) {
  const files = filesBelow(root, TESTKIT)
  // As long as it does not use the addon's crate, an edit of that is no reason to build it again.
  const usesAddon = /^(\[.*dependencies\.)?recvmmsg\b/m.test(
    fs.readFileSync(path.join(root, TESTKIT, 'Cargo.toml'), 'utf8'),
  )
  return crateHash(root, toolchain, files, usesAddon ? [addonHash(root, toolchain)] : [])
}

/** A hash over a crate's own files and facts, and what all crates of the workspace have in common. */
function crateHash(root, { rustc }, files, facts) {
  const shared = [rustc, process.platform, process.arch]
  return fingerprint(root, [...files, 'Cargo.toml', 'Cargo.lock'], [...shared, ...facts])
}

/**
 * Downloads the crates of this platform, which settles Cargo.lock, too. On its own, because a build that fails here
 * has not failed for its code.
 */
async function fetchCrates({ root, say, toolchain }) {
  const fetch = (...how) => run('cargo', ['fetch', '--target', toolchain.host, ...how], { cwd: root })
  const present = await fetch('--locked', '--offline')
  if (present.code === 0) return
  say('fetching the crates…')
  const locked = process.env.CI && fs.existsSync(path.join(root, 'Cargo.lock'))
  const result = await fetch(...(locked ? ['--locked'] : []))
  if (result.code !== 0) throw downloadProblem('fetching the crates', result)
}

async function ensureAddon(context) {
  const { root, say, toolchain } = context
  const record = new Record(root, 'addon')
  if (record.isFresh(addonHash(root, toolchain))) return
  await fetchCrates(context)
  // Taken before the build: what is edited while it runs is for the next time.
  const hash = addonHash(root, toolchain)
  say('building the addon (release)…')
  // napi renames the new addon into its place, so that a process that has the old one loaded keeps it. With the
  // target named, it does not ask cargo about the crates of all other platforms.
  const napi = ['build', '--platform', '--release', '--js', 'binding.js', '--dts', 'binding.d.ts']
  const args = [binOf(root, '@napi-rs/cli', 'napi'), ...napi, '--target', toolchain.host]
  const result = await run(process.execPath, args, { cwd: root })
  if (result.code !== 0) throw toolProblem('building the addon', result)
  nameScope(root)
  const { napi: settings } = readJson(path.join(root, 'package.json'))
  const prefix = `${settings.binaryName}.${process.platform}-${process.arch}`
  const binary = fs.readdirSync(root).find((name) => name.startsWith(prefix) && name.endsWith('.node'))
  if (!binary) throw new Problem(`Building the addon has left no ${prefix}*.node behind.`, result.all.trim())
  record.write(hash, ['binding.js', 'binding.d.ts', binary])
}

/** With `tests` the whole testkit, else no more than the program that sends datagrams. */
async function ensureTestkit(context) {
  const { root, say, tests, toolchain } = context
  if (filesBelow(root, `${TESTKIT}/src`).length === 0) return
  const wanted = tests ? ['testkit', 'sender'] : ['sender']
  const isFresh = (name) => new Record(root, name).isFresh(testkitHash(root, toolchain))
  if (wanted.every(isFresh)) return
  await fetchCrates(context)
  const hash = testkitHash(root, toolchain)
  say(tests ? 'building the testkit (release)…' : 'building the sender (release)…')
  // The same target as the addon's, for what they have in common to be compiled once.
  const build = ['build', '--release', '-p', 'recvmmsg-testkit', '--target', toolchain.host]
  const targets = tests ? ['--lib', '--bins'] : ['--bin', 'sender']
  const args = [...build, ...targets, '--message-format', 'json-render-diagnostics']
  const result = await run('cargo', args, { cwd: root })
  if (result.code !== 0) throw toolProblem('building the testkit', { ...result, all: result.stderr })
  const artifacts = artifactsIn(result.stdout)
  for (const name of wanted) {
    const source = artifacts[name]
    if (!source) throw new Problem(`Building the testkit has made no ${name}.`, result.stderr.trim())
    const output = name === 'testkit' ? '.build/testkit.node' : `.build/sender${path.extname(source)}`
    replaceByCopy(source, path.join(root, output))
    new Record(root, name).write(hash, [output])
  }
}

/** What cargo has built, by its own account, which holds wherever its target directory is. */
function artifactsIn(messages) {
  const found = {}
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue
    const message = JSON.parse(line)
    if (message.reason !== 'compiler-artifact') continue
    if (message.target.kind.includes('cdylib') && message.target.name === 'recvmmsg_testkit') {
      found.testkit = message.filenames.find((file) => /\.(so|dylib|dll)$/.test(file))
    }
    if (message.target.kind.includes('bin') && message.target.name === 'sender')
      found.sender = message.executable
  }
  return found
}

module.exports = { ensureAddon, ensureTestkit, fetchCrates }
