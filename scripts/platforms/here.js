'use strict'

// `npm run test:here`: the README's example and the command on this Node, for systems on which not all specs can run.

const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('../lib/problem')
const { interruptible, run } = require('../lib/run')
const setup = require('../setup')
const { listens } = require('./installs')
const { PRINTS, example } = require('./lib/example')
const { root } = require('./lib/install')

const PATIENCE_MS = 60_000

async function main() {
  await setup.ensure({ sender: false })
  const { version } = require('../../package.json')
  // Inside of the package, where its name leads to itself.
  const program = path.join(root, '.build', 'example.mjs')
  fs.writeFileSync(program, example())
  const command = path.join(root, 'cli', 'main.js')
  for (const [what, args, expected] of [
    ["the README's example", [program], PRINTS],
    ['recvmmsg --version', [command, '--version'], version],
  ]) {
    const result = await run(process.execPath, args, { cwd: root, timeout: PATIENCE_MS })
    if (result.code !== 0 || result.stdout.trim() !== expected)
      throw new Problem(`Here ${what} fails.`, result.all.trim())
  }
  await listens({ name: 'here' }, [process.execPath, command], root, process.env)
  const { platform, arch } = process
  console.log(`here: ${platform} ${arch}, Node ${process.version}: the README's example and recvmmsg listen`)
}

interruptible(main).catch(setup.giveUp)
