'use strict'

// `npm run test:valgrind`: exercise.js under memcheck, with a debug build of the addon. Beside AddressSanitizer it sees
// uninitialised memory that decides something or goes to the kernel, and what is never freed.

const path = require('node:path')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const { Lack, buildAddon, command, loading, loads, need, root } = require('./common')

/** The only major version in which memcheck finds nothing of Node's own. */
const NODE = '20'

const FOUND = 9

const MEMCHECK = [
  '--error-limit=no',
  // V8 writes code over code, also without its just-in-time compiler: translations have to be compared.
  '--smc-check=all-non-file',
  '--leak-check=full',
  '--show-leak-kinds=definite',
  '--errors-for-leak-kinds=definite',
  `--suppressions=${path.join(__dirname, 'node.supp')}`,
  `--error-exitcode=${FOUND}`,
]

async function main(_args, options) {
  if (process.versions.node.split('.')[0] !== NODE) {
    throw new Lack(
      `test:valgrind needs Node.js ${NODE}: memcheck has complaints about ${process.version} itself.`,
    )
  }
  const valgrind = await need('valgrind', 'valgrind', options)
  const addon = await buildAddon('valgrind', options.toolchain)
  const note = path.join(root, '.build', 'valgrind', 'loaded')
  const env = loading(addon, note, process.env)
  // Memcheck does not follow what the just-in-time compiler makes.
  const node = [process.execPath, '--jitless', path.join(__dirname, 'exercise.js')]
  const { code } = await run(valgrind, [...MEMCHECK, ...node], { cwd: root, env, foreground: true })
  loads(note)
  if (code === FOUND) throw new Problem('Memcheck has found errors, shown above.')
  if (code !== 0) throw new Problem(`The exercise has failed under valgrind with exit code ${code}.`)
  console.log('Memcheck has found nothing.')
}

command('test:valgrind', main)
