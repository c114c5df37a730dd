'use strict'

// A program and the package in one file, made by esbuild: all but the addon, which no bundler can take in. It is found
// beside the file, or as the platform's package.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const { createRequire } = require('node:module')
const path = require('node:path')
const { house } = require('./house')
const { place } = require('./install')

const folder = path.join(place, 'bundle')
const EXPECTED = 'engine ERR_INVALID_IP_ADDRESS dgram'

const FORMATS = {
  cjs: {},
  // `require` is not there in a module, and the addon comes by no other way.
  mjs: {
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  },
}

/** Where the addon is: `put` takes its file's name. */
const PLACES = {
  'beside the bundle': (addon, target) => path.join(target, addon),
  "as the platform's package": (addon, target) =>
    path.join(target, 'node_modules', '@recvmmsg', addon.split('.')[1], addon),
}

/** Makes one bundle, and gives its file. */
function bundle(format, where) {
  const esbuild = createRequire(path.join(place, 'x.js'))('esbuild')
  const target = path.join(folder, `${format}-${Object.keys(PLACES).indexOf(where)}`)
  const packages = path.join(folder, 'node_modules')
  fs.mkdirSync(packages, { recursive: true })
  if (!fs.existsSync(path.join(packages, 'recvmmsg'))) fs.symlinkSync(house, path.join(packages, 'recvmmsg'))
  fs.copyFileSync(
    path.join(house, 'scripts', 'platforms', 'programs', 'bundled.mjs'),
    path.join(folder, 'bundled.mjs'),
  )
  const outfile = path.join(target, `app.${format}`)
  const { warnings } = esbuild.buildSync({
    entryPoints: [path.join(folder, 'bundled.mjs')],
    bundle: true,
    platform: 'node',
    format: format === 'mjs' ? 'esm' : 'cjs',
    external: ['*.node', '@recvmmsg/*'],
    outfile,
    logLevel: 'silent',
    ...FORMATS[format],
  })
  const [addon] = fs.readdirSync(house).filter((name) => name.endsWith('.node'))
  const file = PLACES[where](addon, target)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.copyFileSync(path.join(house, addon), file)
  if (path.dirname(file) !== target) {
    const { version } = JSON.parse(fs.readFileSync(path.join(house, 'package.json'), 'utf8'))
    const manifest = { name: `@recvmmsg/${addon.split('.')[1]}`, version, main: addon }
    fs.writeFileSync(path.join(path.dirname(file), 'package.json'), JSON.stringify(manifest))
  }
  return { outfile, warnings: warnings.map(({ text }) => text) }
}

/** What is not as it should be when `runtime` runs a bundle of each kind. */
async function bundles({ name, command: [program, ...first] }) {
  fs.rmSync(folder, { recursive: true, force: true })
  const problems = []
  for (const format of Object.keys(FORMATS)) {
    for (const where of Object.keys(PLACES)) {
      const { outfile, warnings } = bundle(format, where)
      const options = { encoding: 'utf8', timeout: 20_000, cwd: path.dirname(outfile) }
      const { stdout, stderr } = spawnSync(program, [...first, outfile], options)
      const title = `${name} a bundle as ${format}, the addon ${where}`
      const well = stdout.trim() === EXPECTED && warnings.length === 0
      console.log(`${title}: ${well ? 'runs' : 'FAILED'}`)
      if (!well) problems.push(`${title}: ${[...warnings, stdout, stderr].join('\n')}`)
    }
  }
  return problems
}

module.exports = { bundles }
