'use strict'

// `npm run build:all`: the addon for every platform that can be linked on Linux, in .build/artifacts/TRIPLE, as
// `napi artifacts` takes them. Only what is for this machine is loaded; the others are looked at.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const { toolProblem } = require('../lib/tools')
const { Lack, root } = require('../sanitizers/common')
const { ask } = require('../sanitizers/debian-rust')
const { examine } = require('./binary')
const { eachPlatform } = require('./common')
const { compilerFor } = require('./compiler')
const { emptyLibraries, zig } = require('./zig')

/** The macOS of the first Macs with arm64, which is the oldest that Node 20 runs on. */
const MACOS = '11.0'

async function build(target, options) {
  const { triple, glibc, rustflags, unused = [], library, lack, file } = target
  if (lack) throw new Lack(`${lack}.`)
  if (process.platform !== 'linux') throw new Lack('Other platforms are built on Linux.')
  const artifact = path.join(root, '.build', 'artifacts', triple, file)
  // An older one would be taken for this one's.
  fs.rmSync(artifact, { force: true })
  const tools = await zig()
  const { env, args } = await compilerFor(triple, options)
  const directory = path.join(root, '.build', 'platforms')
  const suffix = glibc === undefined ? '' : `.${glibc}`
  const command = [
    'zigbuild',
    '--lib',
    '--release',
    '--target',
    `${triple}${suffix}`,
    '--target-dir',
    directory,
  ]
  const result = await run('cargo', [...command, ...args], {
    cwd: root,
    env: {
      ...env,
      ...tools,
      MACOSX_DEPLOYMENT_TARGET: MACOS,
      RUSTFLAGS: [env.RUSTFLAGS, rustflags, ...emptyLibraries(unused)].filter(Boolean).join(' '),
      PATH: [tools.PATH, ...stripper()].join(path.delimiter),
    },
    echo: true,
  })
  if (result.code !== 0) throw toolProblem(`building for ${triple}`, { ...result, all: '' })
  const built = path.join(directory, triple, 'release', library)
  const found = examine(built, target)
  fs.mkdirSync(path.dirname(artifact), { recursive: true })
  fs.copyFileSync(built, artifact)
  const loaded = triple === options.toolchain.host ? load(artifact) : 'not loaded here'
  return `${path.relative(root, artifact)} (${found}; ${loaded})`
}

/** What takes the symbols out of a library of macOS: it comes with the usual compiler, and is in none of its paths. */
function stripper() {
  const libraries = ask(process.env, '--print', 'target-libdir')
  return libraries === undefined ? [] : [path.join(libraries, '..', 'bin')]
}

function load(artifact) {
  const program = `process.stdout.write(JSON.stringify(require(${JSON.stringify(artifact)}).systemCapabilities()))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  if (status !== 0 || !stdout.startsWith('{')) throw new Problem('It cannot be loaded.', stderr)
  return `loaded by Node ${process.version}`
}

eachPlatform(build)
