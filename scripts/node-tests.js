'use strict'

// npm run test:node -- CHECKOUT: Node's own tests of dgram, from a checkout or tarball of Node's sources, with this package
// in dgram's place. Those that need Node's internals or cluster are left out.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Problem } = require('./lib/problem')
const { ensure, giveUp } = require('./setup')

const root = path.resolve(__dirname, '..')
const DEADLINE_MS = 60_000
const FOLDERS = ['parallel', 'sequential']
const INTERNALS = /expose-internals|internalBinding|require\('cluster'\)/
const OTHER = ['parallel/test-diagnostics-channel-udp.js']

async function main([checkout]) {
  if (checkout === undefined)
    throw new Problem('usage: npm run test:node -- CHECKOUT, where Node’s sources are')
  const source = path.join(checkout, 'test')
  if (!fs.existsSync(path.join(source, 'common'))) throw new Problem(`there is no ${source}/common`)
  await ensure()
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'recvmmsg-node-tests-'))
  try {
    run(source, copy)
  } finally {
    fs.rmSync(copy, { recursive: true })
  }
}

function run(source, copy) {
  for (const folder of ['common', 'fixtures']) {
    const from = path.join(source, folder)
    if (fs.existsSync(from)) fs.cpSync(from, path.join(copy, folder), { recursive: true })
  }
  const failed = []
  let passed = 0
  for (const test of testsOf(source)) {
    const text = fs.readFileSync(path.join(source, test), 'utf8')
    if (INTERNALS.test(text)) {
      console.log(`left out ${test}`)
      continue
    }
    const file = path.join(copy, test)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, swapped(text))
    const flags = /^\/\/ Flags: (.*)$/m.exec(text)?.[1].split(' ') ?? []
    const { status, stderr } = spawnSync(process.execPath, [...flags, file], {
      encoding: 'utf8',
      timeout: DEADLINE_MS,
      cwd: copy,
    })
    if (status === 0) passed++
    else {
      failed.push(test)
      console.log(`FAILED ${test}\n${stderr}`)
    }
  }
  console.log(`${passed} passed, ${failed.length} failed`)
  if (failed.length > 0) process.exitCode = 1
}

function testsOf(source) {
  const ours = FOLDERS.flatMap((folder) =>
    fs
      .readdirSync(path.join(source, folder))
      .filter((name) => name.startsWith('test-dgram-'))
      .map((name) => `${folder}/${name}`),
  )
  return [...ours, ...OTHER.filter((test) => fs.existsSync(path.join(source, test)))]
}

/** The same test of this package. */
function swapped(text) {
  return text
    .replace(/require\('(node:)?dgram'\)/g, `require(${JSON.stringify(path.join(root, 'dgram.js'))})`)
    .replace(/from '(node:)?dgram'/g, `from ${JSON.stringify(path.join(root, 'dgram.mjs'))}`)
}

main(process.argv.slice(2)).catch(giveUp)
