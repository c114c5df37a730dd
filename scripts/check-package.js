'use strict'

// Checks what would be published: the tarball's content, what package.json promises, what the lockfile says.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { readJson } = require('./lib/fingerprint')
const { npmCommand, scrubbed } = require('./lib/packages')

const root = path.resolve(__dirname, '..')

/** What npm packs without being asked. */
const ALWAYS = /^(README|LICENSE|CHANGELOG)(\.md)?$|^package\.json$/

/** npm runs these on an install. */
const INSTALL_SCRIPTS = /^(pre|post)?(install|prepare)$|^prepublish$/

/** Names of registry hosts. In brackets, for this file not to contain what it looks for. */
const REGISTRY = /npm[j]s|yarn[p]kg|npm[m]irror/i

/** All paths anywhere in `main`, `types`, `bin` and `exports`. */
function entryPoints(value) {
  if (typeof value === 'string') return [path.posix.normalize(value)]
  return Object.values(value ?? {}).flatMap(entryPoints)
}

/** Whether a path is one that an entry of `files` means: a file, a directory, or a pattern with `*`. */
function matches(entry, file) {
  const escaped = path.posix.normalize(entry).replace(/[.+^${}()|[\]\\?]/g, '\\$&')
  const pattern = escaped.replace(/\*\*/g, '\0').replace(/\*/g, '[^/]*').replaceAll('\0', '.*')
  return new RegExp(`^${pattern.replace(/\/$/, '')}(/.*)?$`).test(file)
}

function manifestProblems(manifest, packed) {
  const problems = []
  for (const entry of manifest.files) {
    if (!packed.some((file) => matches(entry, file)))
      problems.push(`"files" names ${entry}, and nothing is there`)
  }
  for (const entry of entryPoints([manifest.main, manifest.types, manifest.bin, manifest.exports])) {
    if (!packed.includes(entry)) problems.push(`package.json leads to ${entry}, which is not in the tarball`)
  }
  for (const block of ['dependencies', 'optionalDependencies', 'bundleDependencies', 'bundledDependencies']) {
    if (block in manifest) problems.push(`package.json has "${block}"`)
  }
  for (const script of Object.keys(manifest.scripts ?? {})) {
    if (INSTALL_SCRIPTS.test(script))
      problems.push(`package.json has the script "${script}", which runs on install`)
  }
  return problems
}

function tarballProblems(manifest, packed) {
  const problems = []
  for (const file of packed) {
    if (ALWAYS.test(file)) continue
    if (!manifest.files.some((entry) => matches(entry, file))) problems.push(`the tarball has ${file}`)
    // What has been compiled from a source that is no longer there is not rebuilt, and not in any checkout.
    const source = file.replace(/\.d\.(m?)ts$|\.(m?)js$/, '.$1$2ts')
    if (!file.startsWith('binding.') && !fs.existsSync(path.join(root, source))) {
      problems.push(`the tarball has ${file}, but there is no ${source}`)
    }
  }
  return problems
}

/** Registry hosts would tie the repository to one machine's settings. */
function registryProblems() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  })
  const files = listed.toString().split('\0').filter(Boolean)
  return [...new Set(files)].flatMap((file) => {
    const full = path.join(root, file)
    if (!fs.statSync(full, { throwIfNoEntry: false })?.isFile()) return []
    const text = fs.readFileSync(full, 'utf8')
    const problems = REGISTRY.test(text) ? [`${file} names a registry host`] : []
    if (file.endsWith('package-lock.json') && text.includes('"resolved"'))
      problems.push(`${file} has "resolved"`)
    return problems
  })
}

/**
 * npm may leave the packages of other platforms out of a lockfile, with no word about it, and its `ci` then refuses
 * that lockfile everywhere.
 */
function lockfileProblems({ packages }) {
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(packages, parent, name)),
  )
  if (missing.length === 0) return []
  const some = missing.slice(0, 3).join(', ')
  return [`package-lock.json lacks ${missing.length} optional packages that others in it ask for: ${some}…`]
}

/** Whether `name`, as required from the package at `parent`, is found in the lockfile: there or further up. */
function isLocked(packages, parent, name) {
  for (let place = parent; ; place = place.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (path.posix.join(place, 'node_modules', name) in packages) return true
    if (place === '') return false
  }
}

function packedFiles() {
  const [command, first] = npmCommand()
  const args = [...first, 'pack', '--dry-run', '--json', '--ignore-scripts']
  const output = execFileSync(command, args, { cwd: root, env: scrubbed(process.env), encoding: 'utf8' })
  const report = JSON.parse(output)
  // A list in the npm versions of today, an object by package name in the ones to come.
  const [{ files }] = Object.values(report)
  return files.map((file) => file.path)
}

function main() {
  const manifest = readJson(path.join(root, 'package.json'))
  const packed = packedFiles()
  const problems = [
    ...manifestProblems(manifest, packed),
    ...tarballProblems(manifest, packed),
    ...registryProblems(),
    ...lockfileProblems(readJson(path.join(root, 'package-lock.json'))),
  ]
  for (const problem of problems) console.error(`package: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
  else console.log(`package: ${packed.length} files, all as they should be`)
}

main()
