'use strict'

// A copy of the project in which every runtime finds the same: JavaScript, compiled from the specs as jest has it
// compiled, and the package as it is published. Loaders of TypeScript differ between runtimes, and with them which of
// index.ts and index.js '../index' is.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const swc = require('@swc/core')
const { readJson } = require('../../lib/fingerprint')
const { place, root } = require('./install')

const house = path.join(place, 'house')

/** What no spec looks at. */
const ELSEWHERE = /^(bench|fuzz|\.github|\.ci|__test__\/types)\//
const TYPESCRIPT = /(?<!\.d)\.m?ts$/

/** Made by the set-up, which notes it. */
const made = () =>
  ['addon', 'testkit', 'sender', 'typescript'].flatMap(
    (name) => readJson(path.join(root, '.build', `${name}.json`)).outputs,
  )

function build() {
  fs.rmSync(house, { recursive: true, force: true })
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  const files = listed.split('\0').filter((name) => name && !ELSEWHERE.test(name))
  const [, options] = require('../../../jest.config').transform['\\.ts$']
  for (const file of [...files, ...made()]) {
    const source = path.join(root, file)
    if (!fs.existsSync(source)) continue
    const target = path.join(house, file)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    if (!TYPESCRIPT.test(file)) fs.copyFileSync(source, target)
    else if (file.startsWith('__test__/')) {
      const { code } = swc.transformFileSync(source, { ...options, filename: source })
      fs.writeFileSync(target.replace(/ts$/, 'js'), code)
    }
  }
  const programs = path.join('__test__', 'programs', 'node_modules')
  if (fs.existsSync(path.join(root, programs)))
    fs.symlinkSync(path.join(root, programs), path.join(house, programs))
}

/** The names of all specs, without their endings. */
function specs() {
  return fs
    .readdirSync(path.join(house, '__test__'))
    .filter((name) => name.endsWith('.spec.js'))
    .map((name) => name.replace(/\.spec\.js$/, ''))
    .sort()
}

module.exports = { build, house, specs }
