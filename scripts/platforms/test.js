'use strict'

// `npm run test:platforms`: everything but the specs on this machine's own Node. Each runtime, each way to install, the
// oldest C library, other processors and C libraries under emulation, and the types for systems that are not here.
// Arguments choose parts: `npm run test:platforms -- floor musl`.

const path = require('node:path')
const { parseArgs } = require('node:util')
const { Problem } = require('../lib/problem')
const { interruptible } = require('../lib/run')
const setup = require('../setup')
const { inTurn } = require('./common')
const { arm64 } = require('./parts/arm64')
const { installs, runtimes, types } = require('./parts/commands')
const { floor } = require('./parts/floor')
const { musl } = require('./parts/musl')

/** What each part does, by the name that its line has in the end. */
const PARTS = {
  runtimes: { runtimes },
  installs: { installs },
  floor: { 'floor linux-x64-gnu': floor },
  arm64: { 'arm64 linux-arm64-gnu': arm64 },
  musl: {
    'musl linux-x64-musl': (options) => musl('x64', options),
    'musl linux-arm64-musl': (options) => musl('arm64', options),
  },
  types: { types },
}

const USAGE = `usage: npm run test:platforms -- [${Object.keys(PARTS).join('|')}]… [--artifacts DIRECTORY] [--quick] [--strict] [--apt]`

const OPTIONS = {
  artifacts: { type: 'string' },
  quick: { type: 'boolean' },
  strict: { type: 'boolean' },
  apt: { type: 'boolean', default: process.env.CI === 'true' },
}

/** What the command line asks for. */
function choose(args) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true })
    if (positionals.every((name) => Object.hasOwn(PARTS, name))) {
      if (values.artifacts) values.artifacts = path.resolve(values.artifacts)
      return { options: values, names: positionals.length > 0 ? positionals : Object.keys(PARTS) }
    }
  } catch {
    // An option that there is not.
  }
  throw new Problem(USAGE)
}

async function main(args) {
  const { options, names } = choose(args)
  await setup.ensure({ tests: true })
  const works = names.flatMap((name) => Object.entries(PARTS[name]))
  await inTurn(
    works.map(([name, work]) => [name, () => work(options)]),
    options,
  )
}

interruptible(() => main(process.argv.slice(2))).catch(setup.giveUp)
