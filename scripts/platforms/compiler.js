'use strict'

// A compiler for another platform: the usual one where it has that platform's standard library, else one that builds it.

const fs = require('node:fs')
const { ask, compilerWithSources } = require('../sanitizers/debian-rust')

/** Whether the usual compiler has the standard library of `triple`. */
function hasLibrary(triple) {
  const directory = ask(process.env, '--print', 'target-libdir', '--target', triple)
  return directory !== undefined && fs.existsSync(directory)
}

/** The environment and the arguments with which cargo compiles for `triple`, and the clippy-driver of that compiler. */
async function compilerFor(triple, options) {
  if (hasLibrary(triple)) return { env: process.env, args: [] }
  const { env, clippy } = await compilerWithSources(options)
  return { env: { ...env, RUSTC_BOOTSTRAP: '1' }, args: ['-Zbuild-std=std,panic_abort'], clippy }
}

module.exports = { compilerFor }
