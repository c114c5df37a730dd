'use strict'

// The TypeScript half, compiled in place: next to index.ts there is index.js.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { Record, filesBelow, fingerprint, readJson } = require('./fingerprint')
const { binOf } = require('./packages')
const { run } = require('./run')
const { toolProblem } = require('./tools')

const ELSEWHERE = new Set(['node_modules', '__test__', 'target'])

/** All TypeScript sources. Declarations are none: they are emitted, but for the addon's, which napi writes. */
function sources(root) {
  const skip = (name) => ELSEWHERE.has(name) || path.basename(name).startsWith('.')
  const all = filesBelow(root, '', { skip }).filter(
    (name) => /\.m?ts$/.test(name) && !/\.d\.m?ts$/.test(name),
  )
  return [...all, 'binding.d.ts']
}

function typescriptHash(root) {
  const compiler = readJson(path.join(root, 'node_modules/typescript/package.json'))?.version
  const { type, exports, imports } = readJson(path.join(root, 'package.json'))
  return fingerprint(root, [...sources(root), 'tsconfig.json'], [compiler, type, exports, imports])
}

async function ensureTypeScript({ root, say }) {
  const record = new Record(root, 'typescript')
  const hash = typescriptHash(root)
  if (record.isFresh(hash)) return
  say('compiling the TypeScript…')
  // Into a directory of its own first: only all of it, without an error, takes the place of what was there.
  const staging = path.join(root, '.build', 'emitted')
  fs.rmSync(staging, { recursive: true, force: true })
  const options = ['--rootDir', root, '--outDir', staging, '--noEmitOnError', '--pretty', 'false']
  const result = await run(process.execPath, [binOf(root, 'typescript', 'tsc'), ...options], { cwd: root })
  if (result.code !== 0) throw toolProblem('compiling the TypeScript', result)
  const emitted = filesBelow(staging, '')
  for (const file of emitted) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    fs.renameSync(path.join(staging, file), path.join(root, file))
  }
  fs.rmSync(staging, { recursive: true, force: true })
  for (const file of record.read()?.outputs ?? []) {
    if (!emitted.includes(file) && isIgnored(root, file)) fs.rmSync(path.join(root, file), { force: true })
  }
  record.write(hash, emitted)
}

/** Whether git ignores a file, so that it cannot be anybody's work. Outside of a repository the record has to do. */
function isIgnored(root, file) {
  return spawnSync('git', ['check-ignore', '--quiet', file], { cwd: root }).status !== 1
}

module.exports = { ensureTypeScript }
