'use strict'

// A compiler that has the sources of its standard library: the usual one, the nightly, or Debian's second Rust compiler,
// unpacked into .build/tools and not installed, for whoever has no rustup to get them with.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { run } = require('../lib/run')
const { findCommand } = require('../lib/tools')
const { Lack, root, tools } = require('./common')

const WANTED = ['rustc-web', 'rust-web-src', 'rust-web-clippy']

const directory = path.join(tools, 'debian-rust')
const unpacked = path.join(directory, 'root')
const wrapper = path.join(directory, 'rustc')
const clippy = path.join(directory, 'clippy-driver')

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
  writeWrapper(clippy)
  writeWrapper(wrapper)
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
function writeWrapper(file) {
  const usr = path.join(unpacked, 'usr')
  const libraries = fs.readdirSync(path.join(usr, 'lib')).find((name) => name.includes('-linux-gnu'))
  const script = [
    '#!/bin/sh',
    `export LD_LIBRARY_PATH='${path.join(usr, 'lib', libraries)}'"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    `exec '${path.join(usr, 'bin', path.basename(file))}' "$@"`,
  ]
  fs.writeFileSync(file, `${script.join('\n')}\n`, { mode: 0o755 })
}

/** What a compiler says when asked with `--print`. */
function ask(env, ...args) {
  const { status, stdout } = spawnSync(env.RUSTC || 'rustc', args, { cwd: root, env, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/**
 * The environment of a compiler with sources. `debian`: it is Debian's, which leaves some things out; `clippy`: the path of
 * its clippy-driver, where cargo does not find it by itself.
 */
async function compilerWithSources(options) {
  // rustup is asked what is there, and not to fetch it.
  const nightly = { ...process.env, RUSTUP_TOOLCHAIN: 'nightly', RUSTUP_AUTO_INSTALL: '0' }
  const found = [process.env, nightly].find((env) => {
    const sysroot = ask(env, '--print', 'sysroot')
    return sysroot && fs.existsSync(path.join(sysroot, 'lib/rustlib/src/rust/library/Cargo.lock'))
  })
  if (found) return { env: found, debian: false }
  return { env: { ...process.env, RUSTC: await debianRustc(options) }, debian: true, clippy }
}

module.exports = { ask, compilerWithSources }
