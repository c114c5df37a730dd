'use strict'

// Busy processes on the receiver's CPU, which leave it a share that the sender can saturate (peers/c/neighbour.c).

const { Child } = require('./process')

/** With so many the receiver has a fifth of its CPU: less than a bare loop with UDP_GRO needs to keep up. */
const COUNT = 4

class Neighbours {
  #children = []

  /** Starts them, stopped. Without a CPU for the receiver there are none: the sender is its neighbour. */
  static async start({ peers, cpus }) {
    const neighbours = new Neighbours()
    if (cpus === null || peers.neighbour.missing) return neighbours
    const [command, args] = peers.neighbour.start
    for (let index = 0; index < COUNT; index++) {
      const child = new Child(command, args, { cpu: cpus.receiver })
      await child.answer()
      child.process.kill('SIGSTOP')
      neighbours.#children.push(child)
    }
    return neighbours
  }

  /** Does `work` beside them. */
  async beside(work) {
    this.#signal('SIGCONT')
    try {
      return await work()
    } finally {
      this.#signal('SIGSTOP')
    }
  }

  end() {
    return Promise.all(this.#children.map((child) => child.end()))
  }

  #signal(name) {
    for (const child of this.#children) child.process.kill(name)
  }
}

module.exports = { Neighbours }
