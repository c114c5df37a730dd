'use strict'

// What goes beside a release: the addons, their checksums, and the changelog's section for its text.
//
//   node scripts/release/assets.js --artifacts DIRECTORY --out DIRECTORY

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { readJson } = require('../lib/fingerprint')
const { Problem } = require('../lib/problem')
const { giveUp } = require('../setup')
const { notesOf } = require('./check-tag')
const { addonsBelow } = require('./stage')

const root = path.resolve(__dirname, '..', '..')

function main() {
  const { values } = parseArgs({ options: { artifacts: { type: 'string' }, out: { type: 'string' } } })
  if (!values.artifacts || !values.out)
    throw new Problem('usage: assets.js --artifacts DIRECTORY --out DIRECTORY')
  const files = path.join(path.resolve(values.out), 'files')
  fs.rmSync(values.out, { recursive: true, force: true })
  fs.mkdirSync(files, { recursive: true })
  const sums = []
  for (const [name, source] of [...addonsBelow(path.resolve(values.artifacts))].sort()) {
    const bytes = fs.readFileSync(source)
    fs.writeFileSync(path.join(files, name), bytes)
    // As sha256sum(1) prints and checks it.
    sums.push(`${crypto.createHash('sha256').update(bytes).digest('hex')}  ${name}\n`)
  }
  fs.writeFileSync(path.join(files, 'SHA256SUMS'), sums.join(''))
  const { version } = readJson(path.join(root, 'package.json'))
  fs.writeFileSync(path.join(path.resolve(values.out), 'NOTES.md'), `${notesOf(version) ?? ''}\n`)
  console.log(`assets: ${sums.length} addons in ${files}`)
}

try {
  main()
} catch (error) {
  giveUp(error)
}
