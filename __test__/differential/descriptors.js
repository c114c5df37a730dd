'use strict'

// File descriptors for bind({ fd }): of every kind, good and bad.

const fs = require('node:fs')
const { testkit } = require('./settle')

const KINDS = {
  bound: (domain) => bound(domain),
  unbound: (domain) => testkit.makeSocket(domain, 'dgram'),
  tcp: () => testkit.makeSocket('inet', 'stream'),
  unix: () => testkit.makeSocket('unix', 'dgram'),
  file: () => fs.openSync(__filename, 'r'),
  'character device': () => fs.openSync('/dev/null', 'r'),
  directory: () => fs.openSync(__dirname, 'r'),
  /** Too high to be open. */
  none: () => 60_000,
}

function bound(domain) {
  const fd = testkit.makeSocket(domain, 'dgram')
  testkit.bindAny(fd)
  return fd
}

/** Those of a run. */
class Descriptors {
  #opened = []

  make(kind, family) {
    const fd = KINDS[kind](family === 'udp6' ? 'inet6' : 'inet')
    if (kind !== 'none') this.#opened.push({ fd, inode: fs.fstatSync(fd).ino })
    return fd
  }

  /** Closes those that no socket has taken over, and closed. */
  close() {
    for (const { fd, inode } of this.#opened) {
      try {
        if (fs.fstatSync(fd).ino === inode) testkit.closeFd(fd)
      } catch {
        // It is closed.
      }
    }
  }
}

module.exports = { Descriptors, KINDS: Object.keys(KINDS) }
