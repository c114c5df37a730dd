'use strict'

// Runs programs/smoke.js by runtimes that are not this machine's, and holds what it says of its surroundings against what
// they were meant to be: a test of some other addon, or on some other C library, would be none.

const path = require('node:path')
const { Problem } = require('../../lib/problem')
const { run } = require('../../lib/run')
const { root } = require('../../sanitizers/common')

const PROGRAM = path.join(root, 'scripts', 'platforms', 'programs', 'smoke.js')
/** Emulated, and beside other work. */
const PATIENCE_MS = 300_000

/** What `program` prints when `command` runs it with `addon`. */
async function output({ name, command: [file, ...first], addon, env }, program = PROGRAM) {
  const { code, stdout, all } = await run(file, [...first, program], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', ...env, NAPI_RS_NATIVE_LIBRARY_PATH: addon },
    timeout: PATIENCE_MS,
  })
  if (code === 0) return stdout
  throw new Problem(`${name}: ${path.basename(program)} fails with exit code ${code}.`, all.trim())
}

/**
 * Runs it with each, and gives a few words on all.
 *
 * @param {{ name: string, command: string[], addon: string, arch: string, libc: string, env?: object }[]} runs `libc` is
 * the directory of the C library that it is to have mapped, and of no other
 */
async function smoke(runs) {
  const failed = []
  const said = []
  for (const each of runs) {
    try {
      const report = JSON.parse(await output(each))
      expect(each, report)
      const words = `${report.runtime} (${[...report.backends, ...report.readinesses].join(', ')})`
      console.log(`${each.name}: ${words}; ${report.libc}`)
      said.push(words)
    } catch (error) {
      if (!error.expected) throw error
      console.error(`${error.details ?? ''}\n${error.message}`)
      failed.push(each.name)
    }
  }
  if (failed.length > 0) throw new Problem(`The smoke program fails: ${failed.join(', ')}.`)
  return said.join(', ')
}

function expect({ name, addon, libc, arch }, report) {
  const wrong =
    (String(report.addons) !== addon && `It has loaded ${report.addons}, not ${addon}`) ||
    (report.arch !== arch && `It is for ${report.arch}, not ${arch}`) ||
    (!report.backends.includes('mmsg') && 'It has not used recvmmsg(2)') ||
    (!report.libc.length && 'It has no C library mapped') ||
    (!report.libc.every((file) => file.startsWith(libc + path.sep)) &&
      `It has mapped ${report.libc}, not of ${libc}`)
  if (wrong) throw new Problem(`${name}: ${wrong}.`)
}

module.exports = { output, smoke }
