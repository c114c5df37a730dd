'use strict'

// Packages of the distribution, unpacked into .build/tools and installed nowhere. Those of another release or processor
// come from the same mirror, by an apt with lists and settings of its own: nothing of it needs any rights.

const fs = require('node:fs')
const path = require('node:path')
const { fingerprint, readJson } = require('../../lib/fingerprint')
const { run } = require('../../lib/run')
const { findCommand } = require('../../lib/tools')
const { Lack, root, tools } = require('../../sanitizers/common')

/**
 * Releases by what they are wanted for. `old` has the oldest C library that Node 20 runs on (2.28) and that mirrors still
 * have: 2.31. `musl` has one that knows relative relocations (1.2.4): the libraries that Node for musl brings have such.
 */
const RELEASES = {
  Debian: { old: 'bullseye', musl: 'trixie', keys: '/usr/share/keyrings/debian-archive-keyring.gpg' },
  Ubuntu: { old: 'focal', musl: 'noble', keys: '/usr/share/keyrings/ubuntu-archive-keyring.gpg' },
}

/**
 * The directory .build/tools/NAME with all of the packages in it.
 *
 * @param {string} [options.release] one of RELEASES; without it, it is what apt is set up for
 * @param {string} [options.architecture] Debian's name for a processor, with `release`
 */
async function unpacked(name, packages, { release, architecture = 'amd64' } = {}) {
  const directory = path.join(tools, name)
  const note = path.join(directory, '.unpacked.json')
  const hash = fingerprint(root, [], [RELEASES, packages, release, architecture])
  if (readJson(note)?.hash === hash) return directory
  for (const program of ['apt-get', 'dpkg-deb'])
    if (!findCommand(program, process.env))
      throw new Lack(`There is no ${program} to get ${packages[0]} with.`)
  console.log(`unpacking ${packages.join(', ')} into .build/tools/${name}…`)
  fs.rmSync(directory, { recursive: true, force: true })
  fs.mkdirSync(directory, { recursive: true })
  const settings = release ? await other(path.join(directory, 'apt'), release, architecture) : []
  const sandbox = ['-o', 'APT::Sandbox::User=root']
  const download = ['download', '-qq', ...sandbox, ...settings, ...packages]
  await check(run('apt-get', download, { cwd: directory }), `downloading ${packages.join(', ')}`)
  for (const file of fs.readdirSync(directory).filter((each) => each.endsWith('.deb'))) {
    await check(run('dpkg-deb', ['-x', path.join(directory, file), directory]), `unpacking ${file}`)
    fs.rmSync(path.join(directory, file))
  }
  fs.rmSync(path.join(directory, 'apt'), { recursive: true, force: true })
  fs.writeFileSync(note, JSON.stringify({ hash }))
  return directory
}

/** Settings of apt for another release: everything in `directory`, nothing of this machine's but the mirror and the keys. */
async function other(directory, wanted, architecture) {
  const format = '$(ORIGIN) $(COMPONENT) $(REPO_URI)'
  const targets = ['indextargets', '--format', format, 'Created-By: Packages']
  const known = await check(run('apt-get', targets), 'asking apt for its mirror')
  const [, origin, mirror] = /^(Debian|Ubuntu) main (\S+)$/m.exec(known) ?? []
  if (!mirror) throw new Lack("apt knows of no mirror of Debian's or Ubuntu's (is `apt-get update` due?).")
  const { [wanted]: release, keys } = RELEASES[origin]
  for (const each of ['state/lists/partial', 'cache/archives/partial'])
    fs.mkdirSync(path.join(directory, each), { recursive: true })
  const list = path.join(directory, 'sources.list')
  const trust = fs.existsSync(keys) ? ` signed-by=${keys}` : ''
  fs.writeFileSync(list, `deb [arch=${architecture}${trust}] ${mirror} ${release} main\n`)
  const settings = Object.entries({
    'Dir::State': path.join(directory, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': path.join(directory, 'cache'),
    'Dir::Etc::SourceList': list,
    'Dir::Etc::SourceParts': '/dev/null',
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
  }).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  await check(run('apt-get', ['update', '-qq', ...settings]), `reading what ${origin}'s ${release} has`)
  return settings
}

async function check(promise, doing) {
  const { code, stdout, all } = await promise
  if (code !== 0)
    throw new Lack(`${doing[0].toUpperCase()}${doing.slice(1)} has failed; is there a network?`, all.trim())
  return stdout
}

module.exports = { unpacked }
