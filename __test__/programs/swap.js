'use strict'

// `node -r ./swap.js coap.js`: whoever requires or imports dgram, by either of its names, gets recvmmsg/dgram. The last
// line of the output tells how many sockets were made, and of which module.

const { subscribe } = require('node:diagnostics_channel')
const dgram = require('node:dgram')
const fs = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const ours = require('../../dgram.js')

/** What a program's sockets get besides the program's own options. */
const options = JSON.parse(process.env.RECVMMSG_SWAP_OPTIONS ?? '{}')

function withOptions(type) {
  return { ...(typeof type === 'string' ? { type } : type), ...options }
}

/** The same class, for those who construct, inherit from or compare with it. */
const Socket = new Proxy(ours.Socket, {
  apply: (target, self, [type, ...rest]) => Reflect.apply(target, self, [withOptions(type), ...rest]),
  construct: (target, [type, ...rest], newTarget) =>
    Reflect.construct(target, [withOptions(type), ...rest], newTarget),
})

const wrapped = { Socket, createSocket: (type, listener) => ours.createSocket(withOptions(type), listener) }
const swapped = Object.keys(options).length > 0 ? { ...ours, ...wrapped } : ours

// The module object is what `require` and the default import give. The named imports follow it once they are told to.
for (const name of Object.keys(dgram)) {
  if (swapped[name] === undefined) throw new Error(`recvmmsg/dgram has no ${name}`)
  dgram[name] = swapped[name]
}
syncBuiltinESMExports()

const sockets = { recvmmsg: 0, node: 0 }

// Both modules announce their sockets there.
subscribe('udp.socket', ({ socket }) => {
  sockets[socket instanceof ours.Socket ? 'recvmmsg' : 'node']++
})

process.on('exit', () => fs.writeSync(1, `${JSON.stringify({ sockets })}\n`))
