'use strict'

// Fifty workers, one after the other, that end with open readers. The main thread does not load the addon.

const fs = require('node:fs')
const path = require('node:path')
const { once } = require('node:events')
const { Worker } = require('node:worker_threads')

const ways = ['terminate', 'exit', 'throw', 'end']

async function main() {
  const ended = Object.fromEntries(ways.map((way) => [way, 0]))
  for (let index = 0; index < 50; index++) {
    const way = ways[index % ways.length]
    const worker = new Worker(path.join(__dirname, 'readers.js'), { workerData: way })
    const errors = []
    worker.on('error', (error) => errors.push(error.message))
    const exit = new Promise((resolve) => worker.once('exit', resolve))
    if (way === 'terminate') {
      await once(worker, 'message')
      worker.terminate()
    }
    await exit
    if (errors.join() === (way === 'throw' ? 'thrown' : '')) ended[way]++
  }
  fs.writeSync(1, `${JSON.stringify(ended)}\n`)
}

main()
