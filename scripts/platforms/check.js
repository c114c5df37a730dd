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
  const linter = await lints(args, clippy)
  const directory = path.join(root, '.build', 'platforms')
  const command = ['--lib', '--target', triple, '--target-dir', directory, ...args]
  const result = await run('cargo', [linter?.command ?? 'check', ...command, ...(linter?.args ?? [])], {
    cwd: root,
    env: { ...env, ...(linter ? linter.env : { RUSTFLAGS: `${env.RUSTFLAGS ?? ''} -D warnings`.trim() }) },
    echo: true,
  })
  if (result.code !== 0) throw toolProblem(`checking for ${triple}`, { ...result, all: '' })
  return linter ? 'types and lints' : 'types'
}

/** How clippy is called: cargo's own, or a driver that cargo would not find; `undefined` where there is none. */
async function lints(args, clippy) {
  if (clippy && fs.existsSync(clippy)) {
    // As cargo-clippy passes the arguments on.
    const CLIPPY_ARGS = ['-D', 'warnings', ''].join('__CLIPPY_HACKERY__')
    return { command: 'check', env: { CLIPPY_ARGS, RUSTC_WORKSPACE_WRAPPER: clippy }, args: [] }
  }
  if (args.length > 0) return undefined
  const { code } = await run('cargo', ['clippy', '--version'], { cwd: root })
  return code === 0 ? { command: 'clippy', env: {}, args: ['--', '-D', 'warnings'] } : undefined
}

eachPlatform(check)
