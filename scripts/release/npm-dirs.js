'use strict'

// npm/: a package of each platform, as `napi create-npm-dirs` makes it, by the name that binding.js asks for. With
// --check nothing is written: what would change is an error.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { readJson } = require('../lib/fingerprint')
const { binOf } = require('../lib/packages')
const { Problem } = require('../lib/problem')
const setup = require('../setup')

const root = path.resolve(__dirname, '..', '..')
const TARGET = path.join(root, 'npm')
const NOTE = 'Installed with `recvmmsg` where it fits; nothing asks for it by its name.'

/** What is to be in npm/: a path below it, and its content. */
function wanted() {
  // napi takes the directory as one below the package's.
  const relative = path.join('.build', 'npm-dirs')
  const made = path.join(root, relative)
  fs.rmSync(made, { recursive: true, force: true })
  const napi = binOf(root, '@napi-rs/cli', 'napi')
  execFileSync(process.execPath, [napi, 'create-npm-dirs', '--npm-dir', relative], {
    cwd: root,
    stdio: 'pipe',
  })
  const { description, keywords } = readJson(path.join(root, 'package.json'))
  const files = new Map()
  for (const platform of fs.readdirSync(made).sort()) {
    const manifest = readJson(path.join(made, platform, 'package.json'))
    const triple = /\*\*(.+?)\*\*/.exec(fs.readFileSync(path.join(made, platform, 'README.md'), 'utf8'))[1]
    manifest.name = nameOf(platform)
    manifest.description = `The addon of recvmmsg for ${triple}`
    // A search is to find the one to install.
    if (JSON.stringify(manifest.keywords) === JSON.stringify(keywords)) delete manifest.keywords
    if (description === manifest.description) throw new Problem('npm/ would describe the package itself.')
    files.set(`${platform}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`)
    files.set(`${platform}/README.md`, `# \`${manifest.name}\`\n\n${manifest.description}. ${NOTE}\n`)
  }
  fs.rmSync(made, { recursive: true })
  return files
}

/** The package of a platform, as scripts/lib/loader.js has the loader ask for it. */
function nameOf(platform) {
  return `@recvmmsg/${platform}`
}

/** What differs from `files`, a line each. */
function drift(files) {
  const there = fs.existsSync(TARGET) ? fs.readdirSync(TARGET, { recursive: true }) : []
  const found = there.filter((name) => fs.statSync(path.join(TARGET, name)).isFile())
  const surplus = found.filter((name) => !files.has(name)).map((name) => `npm/${name} belongs to no target`)
  const stale = [...files].flatMap(([name, text]) => {
    const file = path.join(TARGET, name)
    if (!fs.existsSync(file)) return [`npm/${name} is missing`]
    return fs.readFileSync(file, 'utf8') === text ? [] : [`npm/${name} is not what package.json makes of it`]
  })
  return [...surplus, ...stale]
}

function main(args) {
  const files = wanted()
  if (args.includes('--check')) {
    const problems = drift(files)
    for (const problem of problems) console.error(`npm-dirs: ${problem}`)
    if (problems.length > 0) throw new Problem('npm/ has drifted: run `npm run release:dirs` and commit it.')
    console.log(`npm-dirs: ${files.size / 2} platforms, all as they should be`)
    return
  }
  fs.rmSync(TARGET, { recursive: true, force: true })
  for (const [name, text] of files) {
    fs.mkdirSync(path.dirname(path.join(TARGET, name)), { recursive: true })
    fs.writeFileSync(path.join(TARGET, name), text)
  }
}

module.exports = { nameOf }

if (require.main === module) {
  try {
    main(process.argv.slice(2))
  } catch (error) {
    setup.giveUp(error)
  }
}
