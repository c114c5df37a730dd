'use strict'

// node_modules: installed by `npm ci`, and only when what is there differs from what package-lock.json says.

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { fingerprint, readJson, replaceFile } = require('./fingerprint')
const { Problem } = require('./problem')
const { run } = require('./run')
const { downloadProblem, findCommand } = require('./tools')

/** The parts of package.json that decide what is installed; editing the others is no reason to install again. */
const BLOCKS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'bundleDependencies',
  'overrides',
  'workspaces',
]

/** Of an outer npm's settings, those that tell how the registry is reached hold for us as well. */
const CONNECTION =
  /^npm_config_(registry|proxy|https_proxy|noproxy|cafile|ca|strict_ssl|cache|userconfig|globalconfig)$/i

/**
 * The environment without what an outer npm put there about itself. With `npm start --omit=dev`, say, or
 * NODE_ENV=production, the inner one would leave out the very tools it is to install.
 */
function scrubbed(env) {
  const kept = Object.entries(env).filter(
    ([name]) =>
      name !== 'NODE_ENV' && (CONNECTION.test(name) || !/^npm_(config|package|lifecycle)_/i.test(name)),
  )
  return Object.fromEntries(kept)
}

/** How to start npm: the one that started us, else the one that came with this Node, else any. */
function npmCommand(env = process.env) {
  const prefix = path.dirname(process.execPath)
  const candidates = [
    // yarn and pnpm set this variable too, and do not know `npm ci`.
    /npm-cli\.[cm]?js$/.test(env.npm_execpath || '') && env.npm_execpath,
    path.join(prefix, 'npm'),
    path.join(prefix, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    path.join(prefix, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    findCommand('npm', env),
  ]
  const found = candidates.find((file) => file && fs.existsSync(file))
  if (!found) throw new Problem('npm is missing: it is neither beside this Node.js nor on PATH.')
  const file = fs.realpathSync(found)
  return /\.[cm]?js$/.test(file) ? [process.execPath, [file]] : [file, []]
}

/** Whether package.json, the lockfile and what npm notes in node_modules say the same, whoever had it installed. */
function agree(manifest, lock, installed) {
  if (!lock?.packages || !installed?.packages) return false
  const same = (a, b) =>
    JSON.stringify(Object.entries(a ?? {}).sort()) === JSON.stringify(Object.entries(b ?? {}).sort())
  if (!BLOCKS.every((block) => block === 'overrides' || same(manifest[block], lock.packages['']?.[block])))
    return false
  return Object.entries(lock.packages).every(([name, wanted]) => {
    if (name === '') return true
    const there = installed.packages[name]
    if (there) return there.version === wanted.version && there.integrity === wanted.integrity
    return wanted.optional && !isForHere(wanted)
  })
}

/** Whether an optional package is meant for this system; of two that differ in the libc, only one gets installed. */
function isForHere({ os, cpu, libc }) {
  return (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch)) && !libc
}

async function ensurePackages({ root, say }) {
  const modules = path.join(root, 'node_modules')
  const note = path.join(modules, '.setup.json')
  const manifest = readJson(path.join(root, 'package.json'))
  const system = [process.versions.node.split('.')[0], process.platform, process.arch]
  const hash = fingerprint(root, ['package-lock.json'], [BLOCKS.map((block) => manifest[block]), system])

  // npm rewrites its own note whenever it changes anything, so that a later `npm prune` does not go unnoticed.
  const listing = path.join(modules, '.package-lock.json')
  const installed = () => crypto.createHash('sha256').update(fs.readFileSync(listing)).digest('hex')
  const complete = () =>
    fs.existsSync(listing) &&
    Object.keys(manifest.devDependencies ?? {}).every((name) =>
      fs.existsSync(path.join(modules, name, 'package.json')),
    )
  const remember = () => replaceFile(note, `${JSON.stringify({ hash, system, installed: installed() })}\n`)

  const noted = readJson(note)
  if (complete()) {
    if (noted?.hash === hash && noted.installed === installed()) return
    const sameSystem = !noted || String(noted.system) === String(system)
    if (sameSystem && agree(manifest, readJson(path.join(root, 'package-lock.json')), readJson(listing)))
      return remember()
  }

  say('installing the npm packages…')
  const [command, first] = npmCommand()
  // Without a network, npm's own pauses between its attempts would add up to more than a minute.
  const patience = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
  const args = [...first, 'ci', '--include=dev', '--ignore-scripts', '--prefer-offline', ...patience]
  const result = await run(command, args, { cwd: root, env: scrubbed(process.env) })
  if (result.code !== 0) {
    // npm's warnings, and the manual page that follows an error of usage, would bury what it says.
    const [said] = result.all.split(/^npm error Clean install/m)
    const all = said.replace(/^npm warn .*\n/gm, '')
    throw downloadProblem('installing the npm packages', { ...result, all })
  }
  if (!complete()) throw new Problem('npm has installed less than package.json asks for.', result.all.trim())
  remember()
}

/** The script behind a command of an installed package, to be run by this Node. */
function binOf(root, name, command) {
  const directory = path.join(root, 'node_modules', name)
  const { bin } = readJson(path.join(directory, 'package.json'))
  return path.join(directory, typeof bin === 'string' ? bin : bin[command])
}

module.exports = { binOf, ensurePackages, npmCommand, scrubbed }
