'use strict'

// The oldest glibc. What the addon for it asks for is read from its symbols; and as a symbol of an old version may still
// behave otherwise, it runs on the oldest C library that Node itself runs on, unpacked beside this machine's.

const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('../../lib/problem')
const { Lack, root } = require('../../sanitizers/common')
const { artifact } = require('../lib/artifacts')
const { unpacked } = require('../lib/debian')
const { PRINTS, example } = require('../lib/example')
const { RUNTIMES, install } = require('../lib/install')
const { output, smoke } = require('../lib/smoke')

const LIBRARIES = 'lib/x86_64-linux-gnu'

async function floor({ artifacts }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Lack('It takes Linux on x64.')
  const { file: addon, words } = artifact('linux-x64-gnu', artifacts)
  await install()
  const directory = await unpacked('glibc-old', ['libc6', 'libgcc-s1', 'libstdc++6'], { release: 'old' })
  const places = [LIBRARIES, `usr/${LIBRARIES}`].map((place) => path.join(directory, place))
  const loader = path.join(places[0], 'ld-linux-x86-64.so.2')
  const [node] = RUNTIMES.find(({ name }) => name === 'node20').command
  const command = [loader, '--library-path', places.join(path.delimiter), node]
  const run = { name: 'Node 20 on an old glibc', command, addon, arch: 'x64', libc: directory }
  const said = await smoke([run])
  // Inside of the package, where its name leads to itself.
  const program = path.join(root, '.build', 'example.mjs')
  fs.writeFileSync(program, example())
  const printed = await output(run, program)
  if (printed.trim() !== PRINTS) throw new Problem(`The README's example prints ${JSON.stringify(printed)}.`)
  const version = await output(
    { ...run, command: [...command, '-p'] },
    'process.report.getReport().header.glibcVersionRuntime',
  )
  return `${words}; ran on glibc ${version.trim()}: ${said}, and the README's example`
}

module.exports = { floor }
