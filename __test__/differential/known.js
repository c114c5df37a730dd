'use strict'

// Differences from node:dgram that are meant, each with its reason, and what keeps programs or logs clear of it.

const dgram = require('node:dgram')

const major = Number.parseInt(process.versions.node, 10)

/** Before Node 26 node:dgram has an 'error' listener while bind(callback) is underway; since then, one of errorMonitor. */
const LISTENS_FOR_ERRORS = major < 26

/** Before Node 26 node:dgram has dns.lookup() look at IP literals, too. */
const ASKS_FOR_LITERALS = major < 26

/** Before Node 22 the promise of asyncDispose resolves some turns of the microtask queue later than since. */
const DISPOSES_LATER = !String(dgram.Socket.prototype[Symbol.asyncDispose]).includes('await')

/** Arguments that cannot be converted to text. */
const UNWRITABLE = /^(throwing (?!getters)|no prototype|detached|Symbol)/

/** `care` is what keeps clear of it; `places` are those of bad arguments that programs do not have. */
const KNOWN = [
  {
    what: 'setRecvBufferSize(-0) and setSendBufferSize(-0) give the size, as those of 0',
    reason: 'In node:dgram an assertion fails, and the process ends.',
    care: 'programs do not do it',
    places: ({ form, path, name }) => /^set\w+BufferSize$/.test(form.method) && path === '0' && name === '-0',
  },
  {
    what: 'a lookup that answers with no text: EINVAL of a send or a connect',
    reason: 'In node:dgram an assertion fails, and the process ends.',
    care: 'such lookups answer only for bind(), see `answering`',
  },
  {
    what: 'when the error of a connected socket is told whose peer is gone (ECONNREFUSED)',
    reason: 'ICMP: by whatever is done next, which is batches here; the system has no rule either.',
    care: 'a connected socket sends only to a peer that is there, see `reaches`',
  },
  {
    what: 'the promise of asyncDispose resolves as early as it does since Node 22',
    reason: 'What comes after it is none of its business.',
    care: 'before Node 22, its order is not compared',
  },
  {
    what: "while bind(callback) is underway the socket has no 'error' listener of the module's own",
    reason: "As Node 26: before, an error of bind(callback) that nobody listened for was nobody's.",
    care: "before Node 26, listeners of 'error' and errorMonitor are counted together",
  },
  {
    what: "where a listener of 'error' is called for an error of bind(callback), the callback is already forgotten",
    reason: 'As Node 26, see above.',
    care: "before Node 26, listeners of 'error' neither bind nor throw",
  },
  {
    what: 'the AsyncLocalStorage of a process.on("uncaughtException") listener, for what a listener has thrown',
    reason: "node:dgram's callback is still there when it is called.",
    care: 'it is not compared',
  },
  {
    what: 'addMembership() and others with an interface that cannot be text throw and do nothing',
    reason: 'node:dgram throws, but has done it before.',
    care: 'programs have no such interface',
    places: ({ form, name }) => form.method?.endsWith('Membership') && UNWRITABLE.test(name),
  },
  {
    what: 'errors of binding a socket that has joined a group before, and of joining one of the other family before',
    reason:
      "libuv binds the socket when it joins, as one of the group's family; the kernel's errors then differ.",
    care: 'programs do not do it, see `Unbound`',
  },
  {
    what: 'bind({ recvStart }), a handle of libuv or what looks like one, throws ERR_INVALID_ARG_VALUE',
    reason: 'node:dgram uses the handle; this engine cannot.',
    care: 'programs have no such argument',
    places: ({ path, name }) => path === '0.recvStart' && /function|class C/.test(name),
  },
  {
    what: 'datagrams of one tick leave together, when the first is due: before what is done, or sent at once, in between',
    reason: 'Batches: node:dgram sends each in a tick of its own.',
    care: 'what would change things between these ticks is not done, see `Early`',
  },
  {
    what: "getSendQueueSize() and getSendQueueCount() count a connected socket's datagrams until the end of the tick",
    reason: 'Batches: node:dgram has sent them by then.',
    care: 'the numbers are not compared',
  },
  {
    what: 'a bind that failed leaves no descriptor: setTTL() and others say EBADF, as before it',
    reason: "node:dgram's socket has one since, that is not bound.",
    care: 'nothing that tells is done between a failed bind and one that works, see `Unbound`',
  },
  {
    what: 'a datagram for which the kernel has no memory (ENOBUFS) is an error',
    reason: 'libuv tries again whenever the socket is writable, which it is: the process is busy for ever.',
    care: 'a socket that was given a small send buffer is given a large one at once',
  },
  {
    what: 'which datagrams a small receive buffer holds',
    reason: 'The kernel counts what is coalesced (UDP_SEGMENT, UDP_GRO) by another measure.',
    care: 'a socket that was given a small receive buffer is given a large one at once',
  },
  {
    what: "the port '0', as text, is no port",
    reason: "node:dgram's check of a port misses it, and the failure comes later.",
    care: 'programs do not send or connect to it',
    places: ({ form, name }) => name === "'0'" && /^(send|connect)/.test(form.method),
  },
  {
    what: "'Received …' in the message of an error, for an instance of a class without a name",
    reason: 'As Node 26, which shows the object; before, it said "an instance of ".',
    care: 'before Node 26, programs have no such argument',
    places: ({ name }) => name === 'nameless class' && major < 26,
  },
  {
    what: 'bind() to the text of a negative number is bind() to the number, -1 as 65535',
    reason: 'To node:dgram it is 0; neither is documented.',
    care: 'programs have no such argument',
    places: ({ form, name }) => name === "'-1'" && form.method === 'bind',
  },
  {
    what: 'a signal that cannot be listened to is ERR_INVALID_ARG_TYPE',
    reason: 'node:dgram asks for the property `aborted` only, and fails when the socket is made.',
    care: 'programs have no such signal',
    places: ({ path, name }) => path === '0.signal' && name.startsWith('throwing'),
  },
  {
    what: 'an IP address with a NUL character and something behind it is none',
    reason: 'To libuv the text ends there.',
    care: 'programs have no such multicast address or interface',
    places: ({ form, name }) => name === "'127.0.0.1\\0'" && /Multicast|Membership/.test(form.method),
  },
  {
    what: 'a descriptor that is bound has SO_REUSEADDR only if it had it',
    reason: 'libuv sets it in all that it opens (uv_udp_open).',
    care: 'programs bind nothing else to the port of one',
  },
  {
    what: 'a descriptor of the other family: errors of connect and send are those of their arguments',
    reason: 'node:dgram hands them to the kernel (EAFNOSUPPORT).',
    care: 'programs bind descriptors of their own family only',
  },
]

/** A bad argument is in no place that a difference is known of. */
function isCompared(place) {
  return !KNOWN.some(({ places }) => places?.(place))
}

module.exports = { ASKS_FOR_LITERALS, DISPOSES_LATER, KNOWN, LISTENS_FOR_ERRORS, isCompared }
