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
const { downloadProblem } = require('../../lib/tools')

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

/** Installs what is missing or another version. */
async function install() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Problem('The runtimes are those of Linux on x64.')
  fs.mkdirSync(place, { recursive: true })
  for (const runtime of RUNTIMES) if (runtime.children !== undefined) writeStarter(runtime)
  const files = FILES.map((name) => `${MANIFEST}/${name}`)
  const note = path.join(place, 'node_modules', '.installed.json')
  const hash = fingerprint(root, files, [])
  if (readJson(note)?.hash === hash) return
  console.log('installing the runtimes…')
  for (const name of FILES) fs.copyFileSync(path.join(root, MANIFEST, name), path.join(place, name))
  const [command, first] = npmCommand()
  const args = [...first, 'ci', '--ignore-scripts', '--prefer-offline']
  const result = await run(command, args, { cwd: place, env: scrubbed(process.env) })
  if (result.code !== 0) throw downloadProblem('installing the runtimes', result)
  fs.writeFileSync(note, JSON.stringify({ hash }))
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

module.exports = { RUNTIMES, install, place, root, versionOf }
