'use strict'

// Installs the package as people do: by each package manager, into an empty folder, from a registry on loopback that got
// it by the release's own scripts, with no Rust on PATH. Then the README's example runs there, and the command.
//
//   node scripts/platforms/installs.js [--artifacts DIRECTORY] [NAME…]
//
// Without artifacts (`npm run build:all` makes some) it is the addon that was built here last.

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { npmCommand, scrubbed } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const { downloadProblem } = require('../lib/tools')
const { publish } = require('../release/publish')
const { stage } = require('../release/stage')
const setup = require('../setup')
const { RUNTIMES, install, installed } = require('./lib/install')
const { startRegistry } = require('./lib/registry')

const YARN = '1.22.22'

const root = path.resolve(__dirname, '..', '..')
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
      install: [runtime.deno[0], 'install', 'npm:recvmmsg'],
      run: runtime.deno,
    },
  ]
}

/** The README's example, which counts to three and ends; it says where it listens. */
function example() {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
  const code = /```js\n(.*?)```/s.exec(readme)[1]
  const own = code.replace(/port: \d+/, "port: 0, address: '127.0.0.1'")
  if (own === code || !own.includes('handle(')) throw new Problem('The README has another example.')
  const [bind, ...rest] = own.split('\nfor await')
  return `${bind}
import { createSocket } from 'node:dgram'
const sender = createSocket('udp4')
for (const text of ['one', 'two', 'three']) sender.send(text, socket.address().port, '127.0.0.1')
let seen = 0
function handle(data, address, port) {
  if (address !== '127.0.0.1' || port !== sender.address().port) throw new Error(\`from \${address}:\${port}\`)
  console.log(String(data))
  if (++seen === 3) {
    socket.close()
    sender.close()
  }
}
for await${rest.join('\nfor await')}`
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
    const result = await run(command, args, { cwd: folder, env })
    const matches = expected === undefined || result.stdout.trim() === expected
    if (result.code !== 0 || !matches) throw new Problem(`${way.name}: ${what} fails.`, result.all.trim())
  }
  await go('installing', way.install)
  await go("the README's example", [...way.run, 'example.mjs'], 'one\ntwo\nthree')
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
  if (result.code !== 0) throw downloadProblem('installing yarn', result)
  return modules
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { artifacts: { type: 'string' } },
    allowPositionals: true,
  })
  await setup.ensure()
  await install()
  const modules = {
    tools: await installed('scripts/platforms/installs', 'installs'),
    yarn: await installYarn(),
  }
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'recvmmsg-installs-'))
  const node = runtime.node24[0]
  const registry = await startRegistry({
    directory: path.join(work, 'registry'),
    node,
    modules: modules.tools,
  })
  let failed = 0
  try {
    const staged = path.join(work, 'staged')
    stage({ artifacts: path.resolve(values.artifacts ?? addonOfHere(work)), out: staged, partial: true })
    await publish({ from: staged, env: { npm_config_userconfig: registry.userconfig } })
    const { version } = require('../../package.json')
    const npm = npmCommand()[1][0]
    const env = environment(registry, path.join(work, 'home'))
    const chosen = ways({ modules, npm }).filter(
      ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
    )
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
    if (failed > 0) process.exitCode = 1
  } finally {
    await registry.close()
    fs.rmSync(work, { recursive: true, force: true })
  }
}

/** A directory with nothing but the addon that was built here. */
function addonOfHere(work) {
  const name = fs.readdirSync(root).find((file) => /^recvmmsg\.linux-.*\.node$/.test(file))
  const directory = path.join(work, 'artifacts')
  fs.mkdirSync(directory, { recursive: true })
  fs.copyFileSync(path.join(root, name), path.join(directory, name))
  return directory
}

main().catch(setup.giveUp)
