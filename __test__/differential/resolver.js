'use strict'

// Functions in the place of dns.lookup(), which answer when and what they are told to.

const dns = require('node:dns')
const { isIP } = require('node:net')

/** When the answer comes. */
const WHEN = {
  sync: (_run, answer) => answer(),
  tick(run, answer) {
    process.nextTick(run.early.resolving(answer))
  },
  promise(run, answer) {
    Promise.resolve().then(run.early.resolving(answer))
  },
  immediate(run, answer) {
    run.pending++
    setImmediate(() => {
      run.pending--
      run.lane = 'later'
      answer()
    })
  },
  never() {},
}

function right(address, family, callback) {
  const loopback = family === 6 ? '::1' : '127.0.0.1'
  if (address === 'localhost') return callback(null, loopback, family)
  if (typeof address === 'string' && isIP(address) !== 0) return callback(null, address, isIP(address))
  const error = new Error(`getaddrinfo ENOTFOUND ${typeof address}`)
  callback(
    Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: address }),
  )
}

const WHAT = {
  right,
  error: (_address, _family, callback) => callback(new Error('planned: lookup')),
  'no Error': (_address, _family, callback) => callback('an error that is text'),
  'wrong family': (_address, family, callback) => callback(null, family === 6 ? '127.0.0.1' : '::1', family),
  nothing: (_address, _family, callback) => callback(),
  null: (_address, _family, callback) => callback(null, null, 4),
  number: (_address, _family, callback) => callback(null, 5, 4),
  name: (_address, _family, callback) => callback(null, 'localhost', 4),
  empty: (_address, _family, callback) => callback(null, '', 4),
  all: (_address, family, callback) => callback(null, [{ address: '127.0.0.1', family }]),
  throws() {
    throw new Error('planned: lookup throws')
  },
  twice(address, family, callback) {
    right(address, family, callback)
    right(address, family, callback)
  },
}

/** No text: of a send or a connect node:dgram makes an assertion that fails of it, and the process ends. */
const NO_TEXT = new Set(['nothing', 'null', 'number', 'all'])

/** A lookup function; `name` is what the log calls it. */
function answering(run, when, what, name = 'lookup') {
  return function lookup(...args) {
    const [address, family, callback] = args
    run.log(name, [this === undefined || this === dns, ...args.slice(0, 2), typeof callback, args.length])
    const said = NO_TEXT.has(what) && run.method !== 'bind' ? 'right' : what
    WHEN[when](run, () => WHAT[said](address, family, callback))
  }
}

module.exports = { WHAT: Object.keys(WHAT), WHEN: Object.keys(WHEN), answering }
