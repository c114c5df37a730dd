'use strict'

// Debian's second Rust compiler with the sources of its standard library, unpacked into .build/tools and not installed.
// For whoever has a compiler without sources and no rustup to get them with.

const fs = require('node:fs')
const path = require('node:path')
const { run } = require('../lib/run')
const { findCommand } = require('../lib/tools')
const { Lack, tools } = require('./common')

const WANTED = ['rustc-web', 'rust-web-src']

const directory = path.join(tools, 'debian-rust')
const unpacked = path.join(directory, 'root')
const wrapper = path.join(directory, 'rustc')

/** The path of a `rustc` whose sysroot has the standard library's sources. */
async function debianRustc(options) {
  if (fs.existsSync(wrapper)) return wrapper
  for (const program of ['apt-get', 'dpkg-deb', 'tar']) {
    if (!findCommand(program, process.env))
      throw new Lack(`There is no ${program} to get Debian's Rust with.`)
  }
  console.log(`unpacking Debian's ${WANTED.join(' and ')} into .build/tools…`)
  fs.rmSync(directory, { recursive: true, force: true })
  fs.mkdirSync(directory, { recursive: true })
  if (options.apt && process.getuid() === 0) await run('apt-get', ['update', '-qq'])
  await download(await missing())
  for (const name of fs.readdirSync(directory).filter((file) => file.endsWith('.deb'))) await unpack(name)
  writeWrapper()
  return wrapper
}

async function check(promise, doing) {
  const { code, stdout, all } = await promise
  if (code !== 0) {
    throw new Lack(
      `Debian's Rust could not be had: ${doing} failed (is \`apt-get update\` due?).`,
      all.trim(),
    )
  }
  return stdout
}

/** What would have to be installed for it to run, with versions. Asking needs no rights. */
async function missing() {
  const simulate = ['install', '--simulate', '--reinstall', '--no-install-recommends', ...WANTED]
  const plan = await check(
    run('apt-get', simulate, { env: { ...process.env, LC_ALL: 'C' } }),
    'apt-get --simulate',
  )
  return [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+)/gm)].map(
    ([, name, version]) => `${name}=${version}`,
  )
}

async function download(packages) {
  const args = ['download', '-qq', '-o', 'APT::Sandbox::User=root', ...packages]
  await check(run('apt-get', args, { cwd: directory }), 'apt-get download')
}

async function unpack(name) {
  const deb = path.join(directory, name)
  fs.mkdirSync(unpacked, { recursive: true })
  if (name.startsWith('rust-web-src_')) {
    // A sixth of it is the standard library, and the rest the compiler.
    const archive = path.join(directory, 'src.tar')
    await check(run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" >"$2"', 'sh', deb, archive]), 'dpkg-deb')
    const members = ['./usr/src/rustc-*/library', './usr/lib/rustlib/*']
    await check(run('tar', ['-xf', archive, '-C', unpacked, '--wildcards', ...members]), 'tar')
    fs.rmSync(archive)
  } else {
    await check(run('dpkg-deb', ['-x', deb, unpacked]), 'dpkg-deb')
  }
  fs.rmSync(deb)
}

/** The compiler finds its sysroot by where it is, and its libraries by being told. */
function writeWrapper() {
  const usr = path.join(unpacked, 'usr')
  const libraries = fs.readdirSync(path.join(usr, 'lib')).find((name) => name.includes('-linux-gnu'))
  const script = [
    '#!/bin/sh',
    `export LD_LIBRARY_PATH='${path.join(usr, 'lib', libraries)}'"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    `exec '${path.join(usr, 'bin', 'rustc')}' "$@"`,
  ]
  fs.writeFileSync(wrapper, `${script.join('\n')}\n`, { mode: 0o755 })
}

module.exports = { debianRustc }
