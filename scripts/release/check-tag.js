'use strict'

// Whether a tag is of the version that is committed, in package.json and in npm/, and the changelog has it.

const fs = require('node:fs')
const path = require('node:path')
const { readJson } = require('../lib/fingerprint')
const { Problem } = require('../lib/problem')
const { giveUp } = require('../setup')

const root = path.resolve(__dirname, '..', '..')

/** What the changelog says of a version; `undefined` where it says nothing. */
function notesOf(version) {
  const text = fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8')
  const sections = text.split(/^## /m).slice(1)
  const section = sections.find((each) => each.split(/[\s,]/, 1)[0] === version)
  return section?.slice(section.indexOf('\n')).trim()
}

function check(tag) {
  const { version } = readJson(path.join(root, 'package.json'))
  if (tag !== `v${version}`) throw new Problem(`The tag ${tag} is not that of version ${version}.`)
  if (notesOf(version) === undefined) throw new Problem(`CHANGELOG.md has no section ${version}.`)
  for (const platform of fs.readdirSync(path.join(root, 'npm'))) {
    const manifest = readJson(path.join(root, 'npm', platform, 'package.json'))
    if (manifest.version !== version) throw new Problem(`npm/${platform} is of ${manifest.version}.`)
  }
  console.log(`check-tag: ${tag}`)
}

module.exports = { notesOf }

if (require.main === module) {
  try {
    check(process.argv[2])
  } catch (error) {
    giveUp(error)
  }
}
