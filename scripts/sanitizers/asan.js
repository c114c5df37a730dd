'use strict'

// `npm run test:asan`: exercise.js and the specs over an addon that AddressSanitizer watches. Arguments choose specs, as
// those of `npm test`.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { filesBelow } = require('../lib/fingerprint')
const { binOf, scrubbed } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const { run } = require('../lib/run')
const { findCommand } = require('../lib/tools')
const { Lack, buildAddon, command, loading, loads, need, root } = require('./common')

/** Specs that are left out, and tests by words of their names, each with the reason. */
const LEFT_OUT = {
  '__test__/dgram-differential.spec.ts': 'is long, and its native calls are those of other specs',
  '__test__/setup.spec.ts': 'runs the scripts, and no addon',
  '__test__/cli.spec.ts': 'is long, and its native calls are those of other specs',
  '__test__/cli-send.spec.ts': 'likewise',
  '__test__/cli-trace.spec.ts': 'makes no native call of its own',
  '__test__/demo.spec.ts': 'likewise',
  '__test__/programs.spec.ts': 'other people’s programs, whose native calls are those of other specs',
}
const TESTS_LEFT_OUT = {
  'with one warning a process': 'runs as a user who may not write the reports',
  '1,000 sockets, half of them': 'measures memory, of which the sanitizer takes much',
  'millions of made-up senders': 'measures memory, and is long',
}

const ARCHITECTURE = { x64: 'x86_64', arm64: 'aarch64' }[process.arch]

/** The sanitizer's runtime, which has to be in the process before anything else: Node itself is not built with it. */
async function runtime(options) {
  await need('cc', 'gcc', options)
  for (const compiler of ['gcc', 'cc', 'clang']) {
    if (!findCommand(compiler, process.env)) continue
    for (const name of ['libasan.so', `libclang_rt.asan-${ARCHITECTURE}.so`]) {
      const { stdout } = spawnSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' })
      // What it does not have, it answers with the bare name.
      if (path.isAbsolute(stdout.trim())) return fs.realpathSync(stdout.trim())
    }
  }
  throw new Lack('The C compiler has no libasan.so, the runtime of AddressSanitizer (it comes with gcc).')
}

/** The specs that `patterns` mean, without those that are left out. */
function specs(patterns) {
  const all = filesBelow(root, '__test__').filter(
    (name) => name.endsWith('.spec.ts') && !name.includes('node_modules'),
  )
  for (const [name, reason] of Object.entries(LEFT_OUT)) {
    if (!all.includes(name)) throw new Problem(`${name} is to be left out, and does not exist.`)
    console.log(`left out: ${name} (${reason})`)
  }
  for (const [name, reason] of Object.entries(TESTS_LEFT_OUT)) console.log(`left out: …${name}… (${reason})`)
  const wanted = (name) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
  const chosen = all.filter((name) => !(name in LEFT_OUT) && wanted(name))
  if (chosen.length === 0) throw new Problem(`No spec has ${patterns.join(' or ')} in its path.`)
  return chosen
}

/** Everything in short, then the specs; whether both went well. */
async function runAll(files, env) {
  const names = `^(?!.*(?:${Object.keys(TESTS_LEFT_OUT).join('|')}))`
  const how = ['--testTimeout=60000', `--testNamePattern=${names}`, '--runTestsByPath']
  const exercise = [path.join(__dirname, 'exercise.js')]
  const jest = [binOf(root, 'jest', 'jest'), ...how, ...files]
  const codes = []
  for (const program of [exercise, jest]) {
    codes.push((await run(process.execPath, program, { cwd: root, env, foreground: true })).code)
  }
  return codes.every((code) => code === 0)
}

async function main(args, options) {
  const files = specs(args)
  const library = await runtime(options)
  const addon = await buildAddon('asan', options.toolchain, {
    // What -Z names is for the nightly compiler, unless the stable one is told that it is one.
    RUSTC_BOOTSTRAP: '1',
    RUSTFLAGS: '-Zsanitizer=address',
  })
  const directory = path.join(root, '.build', 'asan')
  const reports = () => fs.readdirSync(directory).filter((name) => name.startsWith('report.'))
  for (const name of reports()) fs.rmSync(path.join(directory, name))
  const note = path.join(directory, 'loaded')
  const env = {
    ...loading(addon, note, scrubbed(process.env)),
    LD_PRELOAD: library,
    // Into files, as specs swallow what their children print. Leaks: V8 frees little of what it has at its end. And an
    // allocation that is too large is to fail as it does without the sanitizer.
    ASAN_OPTIONS: `detect_leaks=0:allocator_may_return_null=1:log_path=${path.join(directory, 'report')}`,
  }
  const well = await runAll(files, env)
  for (const name of reports()) console.error(fs.readFileSync(path.join(directory, name), 'utf8'))
  const processes = loads(note)
  if (reports().length > 0) throw new Problem(`AddressSanitizer has stopped ${reports().length} processes.`)
  console.log(`AddressSanitizer has found nothing in ${processes} processes.`)
  if (!well) throw new Problem('But the exercise or specs have failed.')
}

command('test:asan', main)
