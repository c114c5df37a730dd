'use strict'

// What a built addon says of itself: for which machine it is, the oldest C library it runs on, that it stays loaded.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const { Problem } = require('../lib/problem')
const { findCommand } = require('../lib/tools')
const { Lack } = require('../sanitizers/common')

/** `e_machine` of ELF and `cputype` of Mach-O. */
const ELF = { x86_64: 62, aarch64: 183 }
const MACH_O = { x86_64: 0x0100_0007, aarch64: 0x0100_000c }
const MACH_O_64 = 0xfeed_facf

/** @throws Problem where the file is not what it is to be; a few words on it otherwise. */
function examine(file, { triple, glibc }) {
  const [machine] = triple.split('-')
  if (triple.includes('apple')) {
    expectNumbers(file, [0, 4], [MACH_O_64, MACH_O[machine]])
    return 'Mach-O'
  }
  expectNumbers(file, [0, 16], [0x464c_457f, (ELF[machine] << 16) | 3])
  const dynamic = readelf('--dynamic', file)
  // An addon that is unloaded with the worker that has loaded it takes libuv's callbacks with it. musl unloads nothing.
  if (!triple.includes('musl') && !dynamic.includes('NODELETE')) {
    throw new Problem('It lacks the flag NODELETE, and would be unloaded with a worker.')
  }
  return `ELF${version(file, glibc)}`
}

function version(file, glibc) {
  const versions = [...readelf('--dyn-syms', file).matchAll(/@GLIBC_(\d+(?:\.\d+)+)/g)].map(
    ([, text]) => text,
  )
  const [newest] = versions.sort(byVersion).slice(-1)
  if (glibc === undefined) {
    if (newest !== undefined) throw new Problem(`It needs a symbol of glibc's, GLIBC_${newest}.`)
    return ''
  }
  if (newest === undefined) throw new Problem('It has no symbol of glibc, by which its age could be told.')
  if (byVersion(newest, glibc) > 0) throw new Problem(`It needs GLIBC_${newest}, and is to run on ${glibc}.`)
  return `, glibc ${newest} or later`
}

function byVersion(a, b) {
  return a.localeCompare(b, 'en', { numeric: true })
}

function readelf(what, file) {
  const program = ['readelf', 'llvm-readelf'].find((name) => findCommand(name, process.env))
  if (!program) throw new Lack('There is no readelf to look at what was built.')
  const env = { ...process.env, LC_ALL: 'C' }
  return execFileSync(program, ['--wide', what, file], { env, encoding: 'utf8', maxBuffer: 2 ** 28 })
}

/** Both formats begin with 32-bit numbers in the machine's order, which is little-endian for all of ours. */
function expectNumbers(file, offsets, expected) {
  const bytes = fs.readFileSync(file)
  const found = offsets.map((offset) => bytes.readUInt32LE(offset))
  if (found.some((number, index) => number !== expected[index])) {
    throw new Problem(`Its header is another platform's: ${found.map((number) => number.toString(16))}.`)
  }
}

module.exports = { examine }
