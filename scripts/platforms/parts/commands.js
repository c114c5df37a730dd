'use strict'

// The parts that are commands of their own: each runs as a child, and what it lacks is seen to before.

const path = require('node:path')
const { Problem } = require('../../lib/problem')
const { run } = require('../../lib/run')
const { Lack, root } = require('../../sanitizers/common')
const installsCommand = require('../installs')
const { install } = require('../lib/install')

async function command(script, args) {
  const file = path.join('scripts', 'platforms', script)
  const { code, stdout } = await run(process.execPath, [file, ...args], { cwd: root, echo: true })
  if (code !== 0) throw new Problem(`${file} has ended with exit code ${code}; see above.`)
  return stdout.trim().split('\n')
}

async function runtimes({ quick }) {
  await install()
  const lines = await command('runtimes.js', quick ? ['--quick'] : [])
  // The last paragraph is a line for each.
  return lines.slice(lines.lastIndexOf('') + 1).join('; ')
}

async function installs({ artifacts }) {
  await installsCommand.prepare()
  const lines = await command('installs.js', artifacts ? ['--artifacts', artifacts] : [])
  return lines.at(-1)
}

async function types({ apt }) {
  const lines = await command('check.js', ['darwin', 'freebsd', 'win32', ...(apt ? ['--apt'] : [])])
  const skipped = lines.filter((line) => line.startsWith('skipped '))
  if (skipped.length > 0) throw new Lack(skipped.map((line) => line.replace(/^skipped\s+/, '')).join(' '))
  return lines
    .filter((line) => line.startsWith('ok '))
    .map((line) => line.replace(/^ok\s+/, ''))
    .join('; ')
}

module.exports = { installs, runtimes, types }
