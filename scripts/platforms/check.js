'use strict'

// `npm run check:all`: compiles the addon for every platform as far as its types (and clippy's lints, where the compiler has
// them), which needs no linker and none of the platform's libraries.

const fs = require('node:fs')
const path = require('node:path')
const { run } = require('../lib/run')
const { toolProblem } = require('../lib/tools')
const { root } = require('../sanitizers/common')
const { eachPlatform } = require('./common')
const { compilerFor } = require('./compiler')

async function check({ triple }, options) {
  const { env, args, clippy } = await compilerFor(triple, options)
  const linting = clippy !== undefined && fs.existsSync(clippy)
  const directory = path.join(root, '.build', 'platforms')
  const command = ['check', '--lib', '--target', triple, '--target-dir', directory, ...args]
  const result = await run('cargo', command, {
    cwd: root,
    env: {
      ...env,
      ...(linting ? lints(clippy) : { RUSTFLAGS: `${env.RUSTFLAGS ?? ''} -D warnings`.trim() }),
    },
    echo: true,
  })
  if (result.code !== 0) throw toolProblem(`checking for ${triple}`, { ...result, all: '' })
  return linting ? 'types and lints' : 'types'
}

/** As cargo-clippy calls its driver; that command would look for one beside itself. */
function lints(clippy) {
  const separator = '__CLIPPY_HACKERY__'
  return { RUSTC_WORKSPACE_WRAPPER: clippy, CLIPPY_ARGS: ['-D', 'warnings', ''].join(separator) }
}

eachPlatform(check)
