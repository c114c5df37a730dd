'use strict'

// The runtimes, from npm, in .build/runtimes. Which they are says scripts/platforms/runtimes/package-lock.json; `npm update`
// in that directory brings it to the newest of each major.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { fingerprint, readJson } = require('../../lib/fingerprint')
const { npmCommand, scrubbed } = require('../../lib/packages')
const { Problem } = require('../../lib/problem')
const { run } = require('../../lib/run')
const { downloadProblem, isUnreachable } = require('../../lib/tools')
const { Lack } = require('../../sanitizers/common')

const root = path.resolve(__dirname, '..', '..', '..')
const MANIFEST = 'scripts/platforms/runtimes'
const FILES = ['package.json', 'package-lock.json', '.npmrc']

/** Where they are installed, and whose packages the house below it finds. */
const place = path.join(root, '.build', 'runtimes')

/** Each with its name, how it is started, and what runs the specs there. */
const RUNTIMES = [
  ...[20, 22, 24, 26].map((major) => ({
    name: `node${major}`,
    runner: 'jest',
    command: [path.join(place, 'node_modules', `node${major}`, 'bin', 'node')],
  })),
  {
    name: 'bun',
    runner: 'harness',
    command: [path.join(place, 'node_modules', '@oven', 'bun-linux-x64', 'bin', 'bun')],
  },
  {
    name: 'deno',
    runner: 'harness',
    command: [path.join(place, 'node_modules', '@deno', 'linux-x64-glibc', 'deno'), 'run', '--allow-all'],
    // Its node:child_process tells of a child that was sent a signal that it died of it, and cannot leave a pipe unread.
    // So the specs that do this run on Node, and what they start on Deno.
    children: {
      specs: ['cli', 'cli-doctor', 'cli-pcap', 'cli-send', 'cli-trace', 'examples-ingest', 'examples-syslog'],
      program: path.join(place, 'deno-run'),
    },
  },
]

/** Installs the runtimes, where they are missing or other versions. */
async function install() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Lack('The runtimes are those of Linux on x64.')
  fs.mkdirSync(place, { recursive: true })
  for (const runtime of RUNTIMES) if (runtime.children !== undefined) writeStarter(runtime)
  await installed(MANIFEST, 'runtimes')
}

/**
 * Installs what a directory of the project has a package.json and a lockfile for into .build/NAME, and gives its
 * node_modules.
 *
 * @param {boolean} [options.foreign] its packages are for other platforms, and are wanted all the same
 */
async function installed(manifest, name, { foreign = false } = {}) {
  const directory = path.join(root, '.build', name)
  const modules = path.join(directory, 'node_modules')
  const note = path.join(modules, '.installed.json')
  const files = FILES.map((file) => `${manifest}/${file}`)
  const hash = fingerprint(root, files, [])
  if (readJson(note)?.hash === hash) return modules
  console.log(`installing into .build/${name}…`)
  fs.mkdirSync(directory, { recursive: true })
  for (const file of FILES) fs.copyFileSync(path.join(root, manifest, file), path.join(directory, file))
  const [command, first] = npmCommand()
  const args = [...first, 'ci', '--ignore-scripts', '--prefer-offline', ...(foreign ? ['--force'] : [])]
  const result = await run(command, args, { cwd: directory, env: scrubbed(process.env) })
  const task = `installing into .build/${name}`
  if (isUnreachable(result)) throw new Lack(downloadProblem(task, result).message, result.all.trim())
  if (result.code !== 0) throw downloadProblem(task, result)
  fs.writeFileSync(note, JSON.stringify({ hash }))
  return modules
}

/** A program that starts the runtime with its first arguments, for what starts it by one name. */
function writeStarter({ command, children }) {
  const quoted = command.map((argument) => `'${argument}'`).join(' ')
  fs.writeFileSync(children.program, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 })
}

/** The version that a runtime says it has. */
function versionOf({ name, command: [file] }) {
  const { status, stdout, error } = spawnSync(file, ['--version'], { encoding: 'utf8' })
  if (status !== 0) throw new Problem(`${name} does not run: ${error?.message ?? `exit code ${status}`}`)
  return /\d+\.\d+\.\d+/.exec(stdout)[0]
}

module.exports = { RUNTIMES, install, installed, place, root, versionOf }
