'use strict'

// The addons that were built for other platforms, or for other C libraries: what `npm run build:all` leaves.

const fs = require('node:fs')
const path = require('node:path')
const { addonsBelow } = require('../../release/stage')
const { Lack, root } = require('../../sanitizers/common')
const { examine } = require('../binary')
const { targets } = require('../targets')

const ARTIFACTS = path.join(root, '.build', 'artifacts')

/** The addon for `platform`, and a few words on it. */
function artifact(platform, directory = ARTIFACTS) {
  const target = targets([]).find((each) => each.platform === platform)
  const file = fs.existsSync(directory) ? addonsBelow(directory).get(target.file) : undefined
  if (!file) throw new Lack(`There is no ${target.file}: \`npm run build:all -- ${platform}\` makes it.`)
  return { file, words: examine(file, target) }
}

module.exports = { ARTIFACTS, artifact }
