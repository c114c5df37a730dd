'use strict'

// Waiting until nothing more comes, without a clock where the system has a better answer.

const dgram = require('node:dgram')
const { once } = require('node:events')
const { join } = require('node:path')
const { performance } = require('node:perf_hooks')

const testkit = require(join(__dirname, '../../.build/testkit.node'))

/** Turns of the event loop without anything new. */
const QUIET = 2

const turn = () => new Promise((resolve) => setImmediate(resolve))

/**
 * Datagrams of this process reach the sockets of this host in the order they were sent in, mostly within the send. So
 * what was sent before a sentinel is there when the sentinel is.
 */
class Settler {
  #fd = testkit.makeSocket('inet', 'dgram')
  #receiver = dgram.createSocket('udp4')
  #arrived = 0
  #sent = 0

  async open() {
    testkit.bindAny(this.#fd)
    this.#receiver.on('message', (message) => {
      this.#arrived = message.readUInt32LE()
    })
    this.#receiver.bind(0, '127.0.0.1')
    await once(this.#receiver, 'listening')
    return this
  }

  /**
   * Until a sentinel has come, turns have passed with no more entries in `log`, and `wanted` are there. False where
   * those do not come before the deadline.
   */
  async settle(log, { wanted = 0, pending = () => false, patience = 5000 } = {}) {
    const deadline = performance.now() + patience
    await turn()
    for (;;) {
      const before = log.length
      await this.#sentinel()
      for (let quiet = 0; quiet < QUIET; quiet++) await turn()
      const done = log.length === before && log.length >= wanted && !pending()
      if (done) return true
      if (performance.now() > deadline) return false
    }
  }

  async #sentinel() {
    const { port } = this.#receiver.address()
    const data = Buffer.alloc(4)
    data.writeUInt32LE(++this.#sent)
    const resend = performance.now() + 1000
    testkit.sendTo(this.#fd, '127.0.0.1', port, data)
    while (this.#arrived !== this.#sent && performance.now() < resend) await turn()
  }

  close() {
    this.#receiver.close()
    testkit.closeFd(this.#fd)
  }
}

module.exports = { Settler, testkit }
