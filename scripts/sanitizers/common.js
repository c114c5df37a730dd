'use strict'

// What the commands in this directory, and scripts/fuzz.js, have in common: what they need, where they get it, and how
// Node is made to load their build of the addon.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const { checkTools, findCommand, toolProblem } = require('../lib/tools')
const setup = require('../setup')

const root = path.resolve(__dirname, '..', '..')
const tools = path.join(root, '.build', 'tools')

/** Something that this machine lacks and the command could not get. */
class Lack extends Problem {}

/**
 * Runs a command's `main` with its own arguments. Of ours there are two: `--apt` lets it install Debian's packages
 * (as root; with CI=true it may anyway), `--optional` makes a lack no failure.
 */
async function command(name, main) {
  const args = process.argv.slice(2)
  const take = (flag) => args.includes(flag) && args.splice(args.indexOf(flag), 1).length > 0
  const optional = take('--optional')
  const apt = take('--apt') || process.env.CI === 'true'
  try {
    if (process.platform !== 'linux') throw new Lack(`${name} needs Linux.`)
    await setup.ensure({ tests: true })
    await main(args, { apt, toolchain: checkTools(root) })
  } catch (error) {
    if (optional && error instanceof Lack)
      console.log(`skipped: ${name} (${error.message.replace(/\.$/, '')})`)
    else setup.giveUp(error)
  }
}

/** Finds a program, or installs Debian's package that has it where that is allowed. */
async function need(program, packages, { apt }) {
  if (!findCommand(program, process.env)) await aptInstall(`${program} is missing`, packages, apt)
  const found = findCommand(program, process.env)
  if (!found) throw new Lack(`${program} is missing, also after Debian's ${packages} was installed.`)
  return found
}

async function aptInstall(lack, packages, allowed) {
  const apt = findCommand('apt-get', process.env)
  if (!allowed || !apt || process.getuid() !== 0) {
    throw new Lack(
      `${lack}: Debian's package ${packages} has it, which this command installs for root, with --apt.`,
    )
  }
  console.log(`installing Debian's ${packages}…`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run(apt, ['update', '-qq'], { env })
  const install = ['install', '-y', '-qq', '--no-install-recommends', packages]
  const { code, all } = await run(apt, install, { env })
  if (code !== 0) throw new Lack(`${lack}, and Debian's ${packages} could not be installed.`, all.trim())
}

/** Builds the addon, for debugging, in a target directory of its own, and returns the shared library. */
async function buildAddon(name, { host }, env = {}) {
  console.log(`building the addon (${name})…`)
  const directory = path.join(root, '.build', name)
  const args = ['build', '--lib', '--target', host, '--target-dir', directory]
  const result = await run('cargo', args, { cwd: root, env: { ...process.env, ...env } })
  if (result.code !== 0) throw toolProblem(`building the addon (${name})`, result)
  return path.join(directory, host, 'debug', 'librecvmmsg.so')
}

/** An environment in which Node, and every Node that it starts, loads `addon`, and writes into `note` that it has. */
function loading(addon, note, env) {
  fs.rmSync(note, { force: true })
  const require = `--require ${JSON.stringify(path.join(__dirname, 'preload.js'))}`
  return {
    ...env,
    RECVMMSG_INSTRUMENTED: addon,
    RECVMMSG_INSTRUMENTED_NOTE: note,
    NODE_OPTIONS: [env.NODE_OPTIONS, require].filter(Boolean).join(' '),
  }
}

/** How many processes have loaded it. Without any, whatever was run has shown nothing. */
function loads(note) {
  const pids = fs.existsSync(note) ? fs.readFileSync(note, 'utf8').trim().split('\n') : []
  if (pids.length === 0) throw new Problem('No process has loaded the build that was to be examined.')
  return new Set(pids).size
}

/** cargo-fuzz and its like, built into .build/tools when it is not there. */
async function cargoTool(name) {
  process.env.PATH = [path.join(tools, 'bin'), process.env.PATH].join(path.delimiter)
  if (findCommand(name, process.env)) return
  console.log(`installing ${name} into .build/tools…`)
  const { code, all } = await run('cargo', ['install', '--locked', '--root', tools, name], {
    cwd: os.tmpdir(),
  })
  if (code !== 0) throw new Lack(`${name} is missing, and cargo could not install it.`, all.trim())
}

module.exports = { Lack, aptInstall, buildAddon, cargoTool, command, loading, loads, need, root, tools }
