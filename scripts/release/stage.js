'use strict'

// Lays out what is published: a directory for each package, the platforms' with their addons, and this one's, whose
// package.json gets the optionalDependencies that the committed one does not have.
//
//   node scripts/release/stage.js --artifacts DIRECTORY --out DIRECTORY [--partial]
//
// Addons are looked for below --artifacts, recvmmsg.<platform>.node wherever it lies. --partial leaves the platforms
// out that have none, which is for trying: a release has them all.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { readJson } = require('../lib/fingerprint')
const { npmCommand, scrubbed } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const setup = require('../setup')

const root = path.resolve(__dirname, '..', '..')

/** Where each addon lies, by its file name. */
function addonsBelow(directory) {
  if (!fs.existsSync(directory)) throw new Problem(`There is no ${directory}.`)
  const found = new Map()
  for (const name of fs.readdirSync(directory, { recursive: true })) {
    if (!name.endsWith('.node')) continue
    const base = path.basename(name)
    if (found.has(base)) throw new Problem(`${base} is there twice: ${found.get(base)} and ${name}.`)
    found.set(base, path.join(directory, name))
  }
  return found
}

/** The platforms' packages; their names. */
function stagePlatforms(addons, out, { partial, version }) {
  const names = []
  for (const platform of fs.readdirSync(path.join(root, 'npm')).sort()) {
    const source = path.join(root, 'npm', platform)
    const manifest = readJson(path.join(source, 'package.json'))
    if (manifest.version !== version)
      throw new Problem(`npm/${platform} is of ${manifest.version}, not of ${version}: npm run release:dirs.`)
    const addon = addons.get(manifest.main)
    if (addon === undefined && partial) {
      console.log(`stage: no addon for ${platform}, left out`)
      continue
    }
    if (addon === undefined) throw new Problem(`There is no ${manifest.main} among the artifacts.`)
    const target = path.join(out, platform)
    fs.cpSync(source, target, { recursive: true })
    fs.copyFileSync(addon, path.join(target, manifest.main))
    fs.copyFileSync(path.join(root, 'LICENSE'), path.join(target, 'LICENSE'))
    names.push(manifest.name)
  }
  if (names.length === 0) throw new Problem('Not one addon is there.')
  return names
}

/** This package, of the files that npm would pack. */
function stageRoot(out, platforms, version) {
  const [command, first] = npmCommand()
  const args = [...first, 'pack', '--dry-run', '--json', '--ignore-scripts']
  const report = JSON.parse(
    execFileSync(command, args, { cwd: root, env: scrubbed(process.env), encoding: 'utf8' }),
  )
  const [{ files }] = Object.values(report)
  // npm says nothing of what "files" names and nobody has built.
  const missing = ['binding.js', 'index.js', 'index.d.ts', 'cli/main.js'].filter(
    (name) => !files.some((file) => file.path === name),
  )
  if (missing.length > 0) throw new Problem(`There is no ${missing.join(', ')}: npm run build.`)
  const target = path.join(out, 'recvmmsg')
  for (const { path: file } of files) {
    fs.mkdirSync(path.dirname(path.join(target, file)), { recursive: true })
    fs.copyFileSync(path.join(root, file), path.join(target, file))
  }
  const manifest = readJson(path.join(root, 'package.json'))
  // As who installs it has it, whatever made the link to it.
  for (const file of Object.values(manifest.bin)) fs.chmodSync(path.join(target, file), 0o755)
  // Of no use to who installs it.
  delete manifest.devDependencies
  delete manifest.scripts
  // The very version: an addon of another one may not fit.
  manifest.optionalDependencies = Object.fromEntries(platforms.map((name) => [name, version]))
  fs.writeFileSync(path.join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** @returns {string[]} the directories in the order in which they are to be published */
function stage({ artifacts, out, partial = false }) {
  const { version } = readJson(path.join(root, 'package.json'))
  fs.rmSync(out, { recursive: true, force: true })
  fs.mkdirSync(out, { recursive: true })
  const platforms = stagePlatforms(addonsBelow(artifacts), out, { partial, version })
  stageRoot(out, platforms, version)
  console.log(`stage: recvmmsg ${version} with ${platforms.length} platforms in ${out}`)
}

module.exports = { addonsBelow, stage }

if (require.main === module) {
  try {
    const options = { artifacts: { type: 'string' }, out: { type: 'string' }, partial: { type: 'boolean' } }
    const { values } = parseArgs({ options })
    if (!values.artifacts || !values.out)
      throw new Problem('usage: stage.js --artifacts DIRECTORY --out DIRECTORY')
    stage({ ...values, artifacts: path.resolve(values.artifacts), out: path.resolve(values.out) })
  } catch (error) {
    setup.giveUp(error)
  }
}
