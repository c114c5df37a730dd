'use strict'

// The two modules, and the ways in which ours is set up.

const dgram = require('node:dgram')
const { join } = require('node:path')

const node = { dgram }

/** With options of this package's own added wherever a socket is made of something that can have some. */
function ours(own = {}) {
  const adapt = ([type, ...rest]) => [withOptions(type, own), ...rest]
  return { dgram: require(join(__dirname, '../../dgram.js')), ...(Object.keys(own).length > 0 && { adapt }) }
}

function withOptions(type, own) {
  if (type === 'udp4' || type === 'udp6') return { type, ...own }
  const plain = type !== null && typeof type === 'object' && Object.getPrototypeOf(type) === Object.prototype
  return plain ? Object.assign(type, own) : type
}

module.exports = { node, ours }
