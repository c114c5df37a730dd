'use strict'

// Installs the package as people do: by each package manager, into an empty folder, from a registry on loopback that got
// it by the release's own scripts, with no Rust on PATH. Then the README's example runs there, and the command.
//
//   node scripts/platforms/installs.js [--artifacts DIRECTORY] [NAME…]
//
// Without artifacts it is those of `npm run build:all`, where they have one for this machine, else the addon that
// `npm run build` has made.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { npmCommand, scrubbed } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const { interruptible, run } = require('../lib/run')
const { downloadProblem, isUnreachable } = require('../lib/tools')
const { publish } = require('../release/publish')
const { addonsBelow, stage } = require('../release/stage')
const { Lack } = require('../sanitizers/common')
const setup = require('../setup')
const { PRINTS, example } = require('./lib/example')
const { ARTIFACTS } = require('./lib/artifacts')
const { RUNTIMES, install, installed, root } = require('./lib/install')
const { startRegistry } = require('./lib/registry')

const YARN = '1.22.22'
const PATIENCE_MS = 180_000

const runtime = Object.fromEntries(RUNTIMES.map(({ name, command }) => [name, command]))

/** The ways to install: how, and what runs the example then. `program` is below the installed package managers. */
function ways({ modules, npm }) {
  const node = runtime.node24[0]
  const yarn = path.join(modules.yarn, 'yarn', 'bin', 'yarn.js')
  const pnpm = path.join(modules.tools, 'pnpm', 'bin', 'pnpm.cjs')
  const plain = ['20', '22', '24', '26'].map((major) => ({
    name: `npm on Node ${major}`,
    install: [runtime[`node${major}`][0], npm, 'install', 'recvmmsg'],
    run: runtime[`node${major}`],
  }))
  return [
    ...plain,
    {
      name: 'npm --ignore-scripts --omit=dev',
      install: [node, npm, 'install', '--ignore-scripts', '--omit=dev', 'recvmmsg'],
      run: [node],
    },
    { name: 'pnpm', install: [node, pnpm, 'add', 'recvmmsg'], run: [node] },
    { name: 'yarn', install: [node, yarn, 'add', 'recvmmsg'], run: [node] },
    { name: 'bun', install: [...runtime.bun, 'add', 'recvmmsg'], run: runtime.bun },
    {
      name: 'deno',
      files: { 'deno.json': '{ "nodeModulesDir": "auto" }\n' },
      // It takes no package of today, unless told so.
      install: [runtime.deno[0], 'install', '--minimum-dependency-age=0', 'npm:recvmmsg'],
      run: runtime.deno,
    },
  ]
}

/** Settings that hold for every package manager, and no compiler. */
function environment(registry, home) {
  // npm's command needs a shell and env(1), and nothing that compiles.
  const bin = path.join(home, 'bin')
  fs.mkdirSync(bin, { recursive: true })
  for (const tool of ['sh', 'env', 'uname', 'git', 'ldd']) {
    const { stdout } = spawnSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' })
    if (stdout.trim()) fs.symlinkSync(stdout.trim(), path.join(bin, tool))
  }
  fs.symlinkSync(runtime.node24[0], path.join(bin, 'node'))
  return {
    PATH: bin,
    HOME: home,
    TMPDIR: os.tmpdir(),
    npm_config_registry: registry.url,
    NPM_CONFIG_REGISTRY: registry.url,
    npm_config_cache: path.join(home, 'npm-cache'),
    YARN_REGISTRY: registry.url,
    CI: 'true',
  }
}

/** Installs in one way, and tries what is there. Throws a Problem where that fails. */
async function attempt(way, folder, env, version) {
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(
    path.join(folder, 'package.json'),
    '{ "name": "empty", "private": true, "type": "module" }\n',
  )
  for (const [name, text] of Object.entries(way.files ?? {})) fs.writeFileSync(path.join(folder, name), text)
  fs.writeFileSync(path.join(folder, 'example.mjs'), example())
  const go = async (what, [command, ...args], expected) => {
    const result = await run(command, args, { cwd: folder, env, timeout: PATIENCE_MS })
    const matches = expected === undefined || result.stdout.trim() === expected
    if (result.code !== 0 || !matches) throw new Problem(`${way.name}: ${what} fails.`, result.all.trim())
  }
  await go('installing', way.install)
  await go("the README's example", [...way.run, 'example.mjs'], PRINTS)
  const command = [...way.run, path.join('node_modules', 'recvmmsg', 'cli', 'main.js')]
  await go('the command', [...command, '--version'], version)
  await listens(way, command, folder, env)
}

const LISTEN = ['--port', '0', '--address', '127.0.0.1', '--count', '1', '--status', 'json']

/** `recvmmsg listen` hears a datagram. */
async function listens(way, [command, ...args], folder, env) {
  const child = spawn(command, [...args, 'listen', ...LISTEN], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const sender = require('node:dgram').createSocket('udp4')
  let said = ''
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
      const port = /"event":"listening".*"port":(\d+)/.exec(said)
      if (port) sender.send('hello', Number(port[1]), '127.0.0.1')
    })
  }
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  sender.close()
  if (code !== 0) throw new Problem(`${way.name}: recvmmsg listen fails.`, said.trim())
}

/** Of yarn there is one that npm can install, and its lockfile would name the host of a registry. */
async function installYarn() {
  const place = path.join(root, '.build', 'yarn')
  const modules = path.join(place, 'node_modules')
  if (fs.existsSync(path.join(modules, 'yarn'))) return modules
  const [command, first] = npmCommand()
  const how = ['--prefix', place, '--no-save', '--no-package-lock', '--ignore-scripts']
  const result = await run(command, [...first, 'install', ...how, `yarn@${YARN}`], {
    env: scrubbed(process.env),
  })
  const problem = downloadProblem('installing yarn', result)
  if (isUnreachable(result)) throw new Lack(problem.message, problem.details)
  if (result.code !== 0) throw problem
  return modules
}

/** What has to be there: the runtimes, a registry and the package managers. */
async function prepare() {
  await install()
  return { tools: await installed('scripts/platforms/installs', 'installs'), yarn: await installYarn() }
}

/** Publishes to a registry of our own, in `work`, and gives what the ways are then to be tried with. */
async function published(work, registry, artifacts) {
  const staged = path.join(work, 'staged')
  stage({ artifacts: path.resolve(artifacts ?? ofHere(work)), out: staged, partial: true })
  await publish({ from: staged, env: { npm_config_userconfig: registry.userconfig } })
  return environment(registry, path.join(work, 'home'))
}

/** Tries each way; how many have failed. */
async function tryAll(chosen, work, env) {
  const { version } = require('../../package.json')
  let failed = 0
  for (const [index, way] of chosen.entries()) {
    try {
      await attempt(way, path.join(work, `folder-${index}`), env, version)
      console.log(`installs: ${way.name}: passed`)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failed++
      console.log(`installs: ${way.name}: failed\n${error.details ?? ''}\n${error.message}`)
    }
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`)
  return failed
}

async function main() {
  const options = { artifacts: { type: 'string' } }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  await setup.ensure()
  const modules = await prepare()
  const chosen = ways({ modules, npm: npmCommand()[1][0] }).filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  )
  if (chosen.length === 0) throw new Problem('No way to install has such a name.')
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'recvmmsg-installs-'))
  let registry
  try {
    const directory = path.join(work, 'registry')
    registry = await startRegistry({ directory, node: runtime.node24[0], modules: modules.tools })
    const env = await published(work, registry, values.artifacts)
    if ((await tryAll(chosen, work, env)) > 0) process.exitCode = 1
  } finally {
    await registry?.close()
    fs.rmSync(work, { recursive: true, force: true })
  }
}

/** The artifacts, or a directory with nothing but the addon that was built here. */
function ofHere(work) {
  const name = fs.readdirSync(root).find((file) => /^recvmmsg\.linux-.*\.node$/.test(file))
  if (fs.existsSync(ARTIFACTS) && addonsBelow(ARTIFACTS).has(name)) return ARTIFACTS
  const directory = path.join(work, 'artifacts')
  fs.mkdirSync(directory, { recursive: true })
  fs.copyFileSync(path.join(root, name), path.join(directory, name))
  return directory
}

module.exports = { listens, prepare }

if (require.main === module) interruptible(main).catch(setup.giveUp)
