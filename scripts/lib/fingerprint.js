'use strict'

// What tells fresh from stale: hashes of content, never times, which a checkout or a copy changes at will.

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

/** Paths of all files below `directory`, relative to `root`, in an order of their own. */
function filesBelow(root, directory, { skip = () => false } = {}) {
  const found = []
  const visit = (relative) => {
    let entries
    try {
      entries = fs.readdirSync(path.join(root, relative), { withFileTypes: true })
    } catch (error) {
      if (error.code === 'ENOENT') return
      throw error
    }
    for (const entry of entries) {
      const name = relative ? `${relative}/${entry.name}` : entry.name
      if (skip(name)) continue
      if (entry.isDirectory()) visit(name)
      else found.push(name)
    }
  }
  visit(directory)
  return found.sort()
}

/** A hash over the names and contents of files (a missing one counts as such) and over other facts. */
function fingerprint(root, files, facts) {
  const hash = crypto.createHash('sha256')
  for (const file of files) {
    const content = readIfThere(path.join(root, file))
    hash.update(JSON.stringify([file, content ? content.length : null]))
    if (content) hash.update(content)
  }
  hash.update(JSON.stringify(facts))
  return hash.digest('hex')
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    // Missing or cut short: either way it says nothing.
    return undefined
  }
}

/** Writes a file whole or not at all, and under a new inode: whoever has the old one open or mapped keeps it. */
function replaceFile(file, content) {
  const temporary = `${file}.${process.pid}.tmp`
  fs.writeFileSync(temporary, content)
  fs.renameSync(temporary, file)
}

/** As `replaceFile`, from a file. */
function replaceByCopy(source, file) {
  const temporary = `${file}.${process.pid}.tmp`
  fs.copyFileSync(source, temporary)
  fs.renameSync(temporary, file)
}

/** Where a step notes what it made out of what: `hash` of the inputs and the list of `outputs`. */
class Record {
  constructor(root, name) {
    this.root = root
    this.file = path.join(root, '.build', `${name}.json`)
  }

  read() {
    return readJson(this.file)
  }

  isFresh(hash) {
    const recorded = this.read()
    return (
      recorded?.hash === hash &&
      recorded.outputs.every((output) => fs.existsSync(path.join(this.root, output)))
    )
  }

  write(hash, outputs) {
    replaceFile(this.file, `${JSON.stringify({ hash, outputs }, null, 2)}\n`)
  }
}

module.exports = { Record, filesBelow, fingerprint, readJson, replaceByCopy, replaceFile }
