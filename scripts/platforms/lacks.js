'use strict'

const LACKS = { bun: {}, deno: {} }

/** Specs of scripts, which only Node runs. */
const OF_NODE = { setup: '', 'dgram-differential': '', programs: '', demo: '' }

module.exports = { LACKS, OF_NODE }
