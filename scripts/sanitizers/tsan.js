'use strict'

// `npm run test:tsan`: the tests of the helper thread under ThreadSanitizer. The standard library has to be built with
// it, too: of what an uninstrumented one synchronises it knows nothing, and finds races where there are none.

const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('../lib/problem')
const { cargoResults } = require('../lib/results')
const { run } = require('../lib/run')
const { Lack, command, root } = require('./common')
const { ask, compilerWithSources } = require('./debian-rust')

const TESTS = 'readiness::thread'
const FOUND = 66

/** The environment to compile in. */
async function compiler(options) {
  const { env, debian } = await compilerWithSources(options)
  if (debian) borrowRuntime(env)
  return env
}

/** Debian leaves the sanitizers' runtimes out of its compiler; the one that rustup installs has them. */
function borrowRuntime(env) {
  const theirs = ask(env, '--print', 'target-libdir')
  const wanted = path.join(theirs, 'librustc-stable_rt.tsan.a')
  if (fs.existsSync(wanted)) return
  const ours = ask(process.env, '--print', 'target-libdir')
  const runtime = fs.readdirSync(ours).find((name) => /^librustc-.*_rt\.tsan\.a$/.test(name))
  if (!runtime) throw new Lack(`The Rust compiler has no runtime of ThreadSanitizer (rustup's has).`)
  fs.copyFileSync(path.join(ours, runtime), wanted)
}

async function main(_args, options) {
  const { host } = options.toolchain
  const env = {
    ...(await compiler(options)),
    RUSTC_BOOTSTRAP: '1',
    RUSTFLAGS: '-Zsanitizer=thread',
    TSAN_OPTIONS: `halt_on_error=1:exitcode=${FOUND}`,
  }
  const target = ['--target', host, '--target-dir', path.join(root, '.build', 'tsan')]
  const args = ['test', '--lib', '-Zbuild-std', ...target, TESTS]
  console.log(`building the standard library and the tests of ${TESTS} with ThreadSanitizer…`)
  const result = await run('cargo', args, { cwd: root, env, echo: true })
  if (result.all.includes('WARNING: ThreadSanitizer')) throw new Problem('ThreadSanitizer has found a race.')
  if (result.code !== 0) throw new Problem(`The tests have failed with exit code ${result.code}.`)
  const { passed } = cargoResults(result.stdout, result.code)
  if (passed === 0) throw new Problem(`There are no tests called ${TESTS}.`)
  console.log(`ThreadSanitizer has found nothing in ${passed} tests.`)
}

command('test:tsan', main)
