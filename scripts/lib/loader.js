'use strict'

// napi names the packages of the platforms after this one, recvmmsg-linux-x64-gnu, and knows no other pattern. Ours are
// in a scope of their own, @recvmmsg/linux-x64-gnu.

const fs = require('node:fs')
const path = require('node:path')
const { replaceFile } = require('./fingerprint')

/** Has the loader that napi has made ask for the packages by their names. */
function nameScope(root) {
  const file = path.join(root, 'binding.js')
  const text = fs.readFileSync(file, 'utf8')
  replaceFile(file, text.replace(/(['"])recvmmsg-(?=[a-z0-9]+-)/g, '$1@recvmmsg/'))
}

module.exports = { nameScope }

if (require.main === module) nameScope(path.resolve(__dirname, '..', '..'))
