'use strict'

// What runs elsewhere and not here, with the reason: for a reader as much as for the run. A test that is listed is run
// all the same, and is an error when it passes: then its line goes.

const ORACLE = 'is compared with what the runtime itself says in the same case, which is not what Node says'

const HRTIME = 'process.hrtime() begins with the process, so the times of calls cannot be told'

/**
 * By runtime and spec: `tests` matches their full names. `ends` where the test would end the process, so that it is run
 * in one of its own.
 *
 * @type {Record<string, Record<string, { tests: RegExp, reason: string, ends?: boolean }[]>>}
 */
const LACKS = {
  bun: {
    address: [
      { tests: /is compressed as by Node$/, reason: 'net.SocketAddress does not compress' },
      { tests: /::.*, as Node has it$/, reason: 'net.SocketAddress does not compress' },
      {
        tests: / in the order of node:dgram$| with the port .* are refused$| refuses to send /,
        reason: ORACLE,
      },
      { tests: / fails as node:dgram does /, reason: ORACLE },
    ],
    'cli-pcap': [
      { tests: /^a FIFO that nobody reads /, reason: 'a write to a FIFO keeps the process from ending' },
    ],
    'cli-send': [
      { tests: /\.invalid:9"\] is one line/, reason: 'errors of node:dns have no number, so no words' },
    ],
    'cli-trace': [
      { tests: / with a C program tells what strace tells /, reason: HRTIME },
      { tests: / when it crashes$/, reason: 'an error that nobody caught is printed otherwise' },
    ],
    dgram: [{ tests: /^options without a type, or with another$/, reason: ORACLE }],
    'dgram-messages': [
      { tests: / of that, ticks run first$/, reason: 'promises run before ticks' },
      { tests: / are caught as node:dgram’s$/, reason: ORACLE },
    ],
    errors: [{ tests: /^are Node's own: (?!the name of every errno)/, reason: ORACLE }],
    events: [{ tests: / async scope, which has an id$/, reason: 'executionAsyncId() is 0' }],
    exports: [{ tests: / nothing from inside$/, reason: 'the code is MODULE_NOT_FOUND' }],
    socket: [
      { tests: /^is made by bind and fromFd only$|^bind throws what node:dgram emits: /, reason: ORACLE },
      { tests: /^buffer sizes: .* are refused when |, in the words of node:dgram,/, reason: ORACLE },
    ],
    validators: [{ tests: /^agree with Node on /, reason: ORACLE }],
  },
  deno: {
    address: [
      {
        tests: /is compressed as by Node$|::(192\.0\.2\.1|0\.1\.0\.2), as Node has it$/,
        reason: 'net.SocketAddress writes an IPv4 part otherwise',
      },
      {
        tests: / with the port .* are refused$| refuses to send | fails as node:dgram does without /,
        reason: ORACLE,
      },
    ],
    cli: [
      { tests: / when its output cannot be written$/, reason: 'process.stdout.write() throws it' },
      { tests: / into a pipe that nobody reads /, reason: 'process.stdout.write() waits for who reads' },
    ],
    'cli-pcap': [{ tests: /^a FIFO that nobody reads /, reason: 'a write to a FIFO waits for who reads' }],
    'cli-trace': [
      { tests: / with a C program tells what strace tells /, reason: HRTIME },
      { tests: / when nobody reads, /, reason: 'process.stdout.write() waits for who reads' },
      { tests: / when it crashes$/, reason: 'there is no --require' },
    ],
    dgram: [
      {
        tests: / the constructor works as it is, |^options without a type, or with another$/,
        reason: ORACLE,
      },
    ],
    'dgram-messages': [
      { tests: / and cannot be transferred$/, reason: 'there is no markAsUntransferable()' },
      { tests: / are caught as node:dgram’s$/, reason: ORACLE },
    ],
    errors: [
      {
        tests: /^are Node's own: ERR_(INVALID_(ARG|FD|STATE)|OUT_OF_RANGE|SOCKET_BAD|ILLEGAL)/,
        reason: ORACLE,
      },
    ],
    namespaces: [{ tests: /^an answer /, reason: 'the other end is node:dgram, which tells no scope' }],
    options: [{ tests: / asks for buffers as node:dgram does/, reason: ORACLE }],
    readiness: [
      { tests: / node:dgram's descriptor can be read beside it/, reason: 'node:dgram takes no descriptor' },
    ],
    socket: [
      { tests: /^is made by bind and fromFd only$/, reason: ORACLE },
      {
        tests: /^buffer sizes: .* are (refused when |set and told as by)|, in the words of node:dgram,/,
        reason: ORACLE,
      },
    ],
    validators: [{ tests: /^agree with Node on /, reason: ORACLE }],
    worker: [
      {
        tests: / workers that alone loaded the addon may end /,
        reason: 'what a worker throws is also printed, which the test takes for a failure',
      },
    ],
  },
}

/** Not run outside of Node. */
const LEFT_OUT = {
  specs: {
    'cli-bench': 'starts every runtime itself, and is of what Node starts',
    'dgram-differential': 'holds recvmmsg/dgram against the node:dgram of Node',
    demo: 'is of `npm start`, which Node runs',
    platforms: 'is of `npm run test:platforms` and `npm run audit`, which Node runs',
    programs: 'holds programs over recvmmsg/dgram against the same over the node:dgram of Node',
    setup: 'is of `npm test` and its kin, which Node runs',
  },
  tests: {
    docs: [
      { tests: /has a heading for every error code|only lib\/errors\.ts makes/, reason: 'read the sources' },
    ],
  },
}

module.exports = { LACKS, LEFT_OUT }
