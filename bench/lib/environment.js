'use strict'

const fs = require('node:fs')
const os = require('node:os')

/** What the figures depend on, beside the code. */
function environment(peers, cpus) {
  const read = (name) => Number(fs.readFileSync(`/proc/sys/net/core/${name}`, 'utf8'))
  const versions = { recvmmsg: peers.recvmmsg.version, node: process.version }
  for (const name of ['c', 'go', 'bun', 'deno']) versions[name] = peers[name].version || peers[name].missing
  return {
    cpu: os.cpus()[0].model.trim(),
    cpus: os.cpus().length,
    kernel: `${os.type()} ${os.release()}`,
    arch: process.arch,
    pinned: cpus !== null,
    rmemMax: read('rmem_max'),
    versions,
  }
}

/** A sentence on where the processes ran. */
function placement({ pinned }) {
  return pinned
    ? 'The sender has one CPU and the receiver another.'
    : 'Sender and receiver could not be given a CPU each: they share, and everything costs more.'
}

module.exports = { environment, placement }
