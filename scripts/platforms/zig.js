'use strict'

// The linker and the C libraries of other platforms, all in one: zig, from PyPI, and cargo-zigbuild, which has cargo use it.

const fs = require('node:fs')
const path = require('node:path')
const { run } = require('../lib/run')
const { findCommand } = require('../lib/tools')
const { Lack, cargoTool, root, tools } = require('../sanitizers/common')

/** Makes both ready, in .build/tools; what `env` has to have. */
async function zig() {
  await cargoTool('cargo-zigbuild')
  return { PATH: process.env.PATH, CARGO_ZIGBUILD_ZIG_PATH: await zigPath() }
}

/** Flags with which the linker finds these libraries, in which there is nothing. */
function emptyLibraries(names) {
  if (names.length === 0) return []
  // Relative, as a path with a space in it would be two flags; the addon is linked in the project's directory.
  const directory = path.join('.build', 'platforms', 'empty')
  fs.mkdirSync(path.join(root, directory), { recursive: true })
  for (const name of names) fs.writeFileSync(path.join(root, directory, `lib${name}.a`), '!<arch>\n')
  return [`-Lnative=${directory}`]
}

async function zigPath() {
  const installed = findCommand('zig', process.env)
  if (installed) return installed
  const directory = path.join(tools, 'ziglang')
  const program = path.join(directory, 'ziglang', 'zig')
  if (fs.existsSync(program)) return program
  const python = ['python3', 'python'].find((name) => findCommand(name, process.env))
  if (!python) throw new Lack('There is no zig, and no Python to install it with.')
  console.log('installing zig into .build/tools…')
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps']
  const { code, all } = await run(python, [...pip, '--target', directory, 'ziglang'])
  if (code !== 0) throw new Lack('There is no zig, and pip could not install it (ziglang).', all.trim())
  return program
}

module.exports = { emptyLibraries, zig }
