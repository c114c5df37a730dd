'use strict'

// `npm run build:here -- TRIPLE`: the addon for a platform on a system of its own, in .build/artifacts/TRIPLE, where
// `build:all` puts those that it can link on Linux.

const fs = require('node:fs')
const path = require('node:path')
const { fetchCrates } = require('../lib/native')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const { checkTools, toolProblem } = require('../lib/tools')
const { giveUp } = require('../setup')
const { targets } = require('./targets')

const root = path.resolve(__dirname, '..', '..')
const LIBRARIES = { darwin: 'librecvmmsg.dylib', win32: 'recvmmsg.dll' }

async function main([triple]) {
  const target = targets([]).find((each) => each.triple === triple)
  if (target === undefined) throw new Problem('usage: npm run build:here -- TRIPLE, one of package.json')
  const toolchain = checkTools(root)
  await fetchCrates({ root, say: console.log, toolchain: { ...toolchain, host: triple } })
  const directory = path.join(root, '.build', 'platforms')
  const args = ['build', '--lib', '--release', '--target', triple, '--target-dir', directory]
  const result = await run('cargo', args, { cwd: root, echo: true })
  if (result.code !== 0) throw toolProblem(`building for ${triple}`, { ...result, all: '' })
  const artifact = path.join(root, '.build', 'artifacts', triple, target.file)
  fs.mkdirSync(path.dirname(artifact), { recursive: true })
  const library = LIBRARIES[process.platform] ?? 'librecvmmsg.so'
  fs.copyFileSync(path.join(directory, triple, 'release', library), artifact)
  console.log(path.relative(root, artifact))
}

main(process.argv.slice(2)).catch(giveUp)
