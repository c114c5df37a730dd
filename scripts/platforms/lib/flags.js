'use strict'

// What a runtime has to be allowed for the package to work, and what the package says when it is not.

const { spawnSync } = require('node:child_process')
const path = require('node:path')
const { house } = require('./house')

/** Receives one datagram, and prints what it was, or why it cannot. */
const PROGRAM = path.join(house, 'scripts', 'platforms', 'programs', 'one.js')

/** Node 20 has the first of these names, later ones the second. */
const permission = (name) => (name === 'node20' ? '--experimental-permission' : '--permission')

/** Flags, and what is printed. */
function cases({ name }) {
  if (name === 'bun') return []
  if (name === 'deno') {
    return [
      [['--allow-read', '--allow-env', '--allow-ffi'], /^hello$/],
      [
        ['--allow-read', '--allow-env'],
        /cannot be loaded: Deno needs --allow-read, --allow-env and --allow-ffi/,
      ],
      [
        ['--allow-read', '--allow-ffi'],
        /cannot be loaded: Deno needs --allow-read, --allow-env and --allow-ffi/,
      ],
      // It does not come to our code.
      [['--allow-env', '--allow-ffi'], /run again with the --allow-read flag/],
    ]
  }
  const restricted = [permission(name), '--allow-fs-read=*']
  return [
    [[...restricted, '--allow-addons'], /^hello$/],
    [restricted, /cannot be loaded: Node\.js needs --allow-addons/],
    [['--no-addons'], /cannot be loaded: Node\.js needs --allow-addons .* no --no-addons/],
  ]
}

/** What is not as it should be. */
function flags(runtime) {
  const [program] = runtime.command
  const first = runtime.name === 'deno' ? ['run', '--no-prompt'] : []
  return cases(runtime).flatMap(([given, expected]) => {
    const env = { ...process.env, NO_COLOR: '1', NODE_NO_WARNINGS: '1' }
    const options = { encoding: 'utf8', env, timeout: 20_000 }
    const { stdout, stderr } = spawnSync(program, [...first, ...given, PROGRAM], options)
    const printed = (stdout + stderr).trim()
    console.log(`${runtime.name} ${given.join(' ')}: ${printed.split('\n', 1)[0]}`)
    return expected.test(printed) ? [] : [`${runtime.name} ${given.join(' ')} has printed: ${printed}`]
  })
}

module.exports = { flags }
