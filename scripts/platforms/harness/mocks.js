'use strict'

// The part of the `jest` object that the specs use. Modules are replaced in the cache of `require`, which each of the
// runtimes has.

const Module = require('node:module')
const path = require('node:path')
const { fn, spyOn } = require('jest-mock')

/** How long a test may take that says nothing of it, in milliseconds; `jest.config.js` has the same. */
const settings = { timeout: 20_000 }

/** Makes the `jest` of the spec `file`. */
function jestOf(file) {
  const requireHere = Module.createRequire(file)
  const { cache } = requireHere
  const ours = (name) => !name.includes(`${path.sep}node_modules${path.sep}`)

  function isolateModules(body) {
    const kept = Object.entries(cache).filter(([name]) => ours(name) && !name.endsWith('.node'))
    for (const [name] of kept) delete cache[name]
    try {
      body()
    } finally {
      for (const name of Object.keys(cache)) if (ours(name) && !name.endsWith('.node')) delete cache[name]
      for (const [name, module] of kept) cache[name] = module
    }
  }

  function requireActual(name) {
    const full = requireHere.resolve(name)
    const mock = cache[full]
    delete cache[full]
    try {
      return requireHere(name)
    } finally {
      if (mock === undefined) delete cache[full]
      else cache[full] = mock
    }
  }

  return {
    fn,
    spyOn,
    isolateModules,
    requireActual,
    doMock: (name, make) => {
      const full = requireHere.resolve(name)
      cache[full] = Object.assign(new Module(full), { filename: full, loaded: true, exports: make() })
    },
    // What was put in its place is gone with the block that it was put there in.
    dontMock: () => {},
    setTimeout: (milliseconds) => {
      settings.timeout = milliseconds
    },
  }
}

module.exports = { jestOf, settings }
