'use strict'

// File descriptors for bind({ fd }): of every kind, good and bad.

const fs = require('node:fs')
const { testkit } = require('./settle')

/** Too high to be open. */
const NO_FD = 60_000

const KINDS = {
  bound: (domain) => bound(domain),
  unbound: (domain) => testkit.makeSocket(domain, 'dgram'),
  tcp: () => testkit.makeSocket('inet', 'stream'),
  unix: () => testkit.makeSocket('unix', 'dgram'),
  file: () => fs.openSync(__filename, 'r'),
  'character device': () => fs.openSync('/dev/null', 'r'),
  directory: () => fs.openSync(__dirname, 'r'),
  none: () => NO_FD,
}

function bound(domain) {
  const fd = testkit.makeSocket(domain, 'dgram')
  testkit.bindAny(fd)
  return fd
}

/** Still what it was: not closed, and its number not given to something else. */
function isOpen({ fd, inode }) {
  try {
    return fs.fstatSync(fd).ino === inode
  } catch {
    return false
  }
}

/** Those of a run. */
class Descriptors {
  #opened = []

  make(kind, family) {
    if (kind === 'again') return this.#opened.find(isOpen)?.fd ?? NO_FD
    const fd = KINDS[kind](family === 'udp6' ? 'inet6' : 'inet')
    if (kind !== 'none') this.#opened.push({ fd, inode: fs.fstatSync(fd).ino })
    return fd
  }

  /** Closes those that no socket has taken over, and closed. */
  close() {
    for (const opened of this.#opened.filter(isOpen)) testkit.closeFd(opened.fd)
  }
}

module.exports = { Descriptors, KINDS: [...Object.keys(KINDS), 'again', 'own'], NO_FD }
