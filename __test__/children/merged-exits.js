'use strict'

// Exits while a worker waits a minute for either of two sockets.

const path = require('node:path')
const { Worker } = require('node:worker_threads')
const { print } = require('./common')

new Worker(path.join(__dirname, 'merged-waits.js')).once('message', () => {
  // Nothing outside of it tells that it sits in the call by now.
  setTimeout(() => {
    print('exiting')
    process.exit(7)
  }, 100)
})
