'use strict'

// Sockets that let the process end, each in its way; one that is bound would not.

const { address, backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const abort = new AbortController()
const socket = createSocket({ type: 'udp4', backend, signal: abort.signal })
const what = process.argv[2]

if (what !== 'unbound') {
  socket.bind(0, address, () => {
    if (what === 'unref') socket.unref()
    // Later than the loop would end by itself.
    else if (what === 'closed') setTimeout(() => socket.close(), 50).unref()
    else if (what === 'signal') setTimeout(() => abort.abort(), 50).unref()
  })
}
process.on('exit', () => print('end'))
