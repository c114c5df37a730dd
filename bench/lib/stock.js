'use strict'

const { cpuOf } = require('./cpu')
const { dropsAt, untilQuiet } = require('./kernel')

/** The receiver's own account, the kernel's, and the CPU used: of a receiver at rest. */
async function takeStock(receiver, ports, end = false) {
  await untilQuiet(ports)
  // Outside of the window on both sides: answering is not receiving.
  const cpu = end && cpuOf(receiver.pid)
  const told = await receiver.ask()
  return { told, drops: dropsAt(ports), cpu: cpu || cpuOf(receiver.pid) }
}

module.exports = { takeStock }
