'use strict'

// Programs of arm64 on this processor: qemu's emulation of a process, which translates system calls, recvmmsg(2) among
// them. It is not installed, and nothing is registered with the kernel.

const fs = require('node:fs')
const path = require('node:path')
const { findCommand } = require('../../lib/tools')
const { Lack } = require('../../sanitizers/common')
const { unpacked } = require('./debian')

const NAMES = ['qemu-aarch64-static', 'qemu-aarch64']
/** Where the first is; newer releases have moved it into the second. */
const PACKAGES = ['qemu-user-static', 'qemu-user']

/** What a command begins with that runs a program of arm64. */
async function qemu() {
  if (process.arch === 'arm64') return []
  const installed = NAMES.map((name) => findCommand(name, process.env)).find(Boolean)
  if (installed) return [installed]
  for (const name of PACKAGES) {
    const directory = await unpacked(name, [name])
    // The first is but a link where it has moved.
    const found = NAMES.map((each) => path.join(directory, 'usr', 'bin', each)).find(fs.existsSync)
    if (found) return [found]
  }
  throw new Lack(`There is no ${NAMES[0]}, and the package ${PACKAGES[0]} has none.`)
}

module.exports = { qemu }
