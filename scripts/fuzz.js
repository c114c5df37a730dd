'use strict'

// `npm run fuzz [-- TARGET…] [-- SECONDS]`: each target of fuzz/ for a minute, or for so many seconds.

const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('./lib/problem')
const { run } = require('./lib/run')
const { toolProblem } = require('./lib/tools')
const { cargoTool, command, need, root } = require('./sanitizers/common')

/** Targets, and the longest input that makes sense to each. */
const TARGETS = { cmsg: 400, record: 512, sockaddr: 256 }

const work = path.join(root, '.build', 'fuzz')

function choose(args) {
  const seconds = args.filter((arg) => /^\d+$/.test(arg)).map(Number)
  const names = args.filter((arg) => !/^(\d+|--)$/.test(arg))
  const unknown = names.find((name) => !Object.hasOwn(TARGETS, name))
  if (unknown || seconds.length > 1) {
    throw new Problem(`usage: npm run fuzz -- [${Object.keys(TARGETS).join('|')}]… [SECONDS]`)
  }
  return { names: names.length > 0 ? names : Object.keys(TARGETS), seconds: seconds[0] ?? 60 }
}

/** Runs the cargo-fuzz of `subcommand` on one target. */
function cargoFuzz(subcommand, target, inputs, options) {
  const place = ['--fuzz-dir', path.join(root, 'fuzz'), '--target-dir', path.join(work, 'target')]
  const args = [
    'fuzz',
    subcommand,
    ...place,
    target,
    ...inputs,
    ...(options.length > 0 ? ['--', ...options] : []),
  ]
  // The stable compiler is told that it is a nightly one, for the sanitizer and the coverage.
  return run('cargo', args, { cwd: root, env: { ...process.env, RUSTC_BOOTSTRAP: '1' } })
}

/** One target's run. What it learns goes into .build; fuzz/corpus is only read. */
async function fuzz(target, seconds) {
  const learned = path.join(work, 'corpus', target)
  const artifacts = path.join(work, 'artifacts', target)
  for (const directory of [learned, artifacts]) fs.mkdirSync(directory, { recursive: true })
  const bounds = [`-max_total_time=${seconds}`, `-max_len=${TARGETS[target]}`, '-timeout=10']
  const options = [
    ...bounds,
    `-artifact_prefix=${artifacts}${path.sep}`,
    '-verbosity=1',
    '-print_final_stats=1',
  ]
  const inputs = [learned, path.join(root, 'fuzz', 'corpus', target)]
  const result = await cargoFuzz('run', target, inputs, options)
  const runs = /^stat::number_of_executed_units:\s*(\d+)/m.exec(result.all)?.[1]
  if (result.code !== 0) {
    console.error(result.all)
    throw new Problem(`An input was found that ${target} does not stand; see above for how to run it again.`)
  }
  console.log(`${target}: nothing found in ${Number(runs).toLocaleString('en')} runs, ${seconds} s`)
}

async function main(args, options) {
  const { names, seconds } = choose(args)
  await need('c++', 'g++', options)
  await cargoTool('cargo-fuzz')
  console.log('building the fuzz targets…')
  for (const target of names) {
    const built = await cargoFuzz('build', target, [], [])
    if (built.code !== 0) throw toolProblem('building the fuzz targets', built)
  }
  for (const target of names) await fuzz(target, seconds)
}

command('fuzz', main)
