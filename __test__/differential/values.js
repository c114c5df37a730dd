'use strict'

// What an argument can be. Programs hold no values but how each is made: every run makes its own.

/**
 * Arguments of every type. `name` marks text that somebody would have to resolve: where it is an address, only a program
 * whose resolver is a stub may use it, as no test asks a name server.
 */
const BAD = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  NaN: () => Number.NaN,
  '-1': () => -1,
  '-0': () => -0,
  0: () => 0,
  1: () => 1,
  1.5: () => 1.5,
  256: () => 256,
  65536: () => 65_536,
  '2**31': () => 2 ** 31,
  '-2**31-1': () => -(2 ** 31) - 1,
  '2**32': () => 2 ** 32,
  '2**32+1': () => 2 ** 32 + 1,
  '2**53': () => 2 ** 53,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-Infinity': () => Number.NEGATIVE_INFINITY,
  '0n': () => 0n,
  '5n': () => 5n,
  '2n**64n': () => 2n ** 64n,
  "''": () => '',
  "' '": () => ' ',
  "'0'": () => '0',
  "'12'": () => '12',
  "'0x10'": () => '0x10',
  "'-1'": () => '-1',
  "'x'": () => 'x',
  "'it\\'s\\n\"'": () => 'it\'s\n"',
  'long text': () => 'long '.repeat(60),
  "'127.0.0.1'": () => '127.0.0.1',
  "'::1'": () => '::1',
  "'127.0.0.1\\0'": () => '127.0.0.1\0',
  "'300.1.1.1'": () => '300.1.1.1',
  "'::1%nowhere'": () => '::1%nowhere',
  "'udp4'": () => 'udp4',
  'Symbol()': () => Symbol('s'),
  '{}': () => ({}),
  '{ type }': () => ({ type: 'udp5', port: -1, address: 5 }),
  '[]': () => [],
  '[1]': () => [1],
  "['a', 5]": () => ['a', 5],
  '[[bytes]]': () => [[Buffer.from('nested')]],
  '[hole]': () => new Array(1),
  'function f': () => function f() {},
  'arrow function': () => (() => () => {})(),
  'class C': () => class C {},
  Date: () => new Date(0),
  RegExp: () => /x/,
  Map: () => new Map([['port', 1]]),
  Error: () => new RangeError('as an argument'),
  Promise: () => Promise.resolve(5),
  Proxy: () => new Proxy({}, {}),
  'new Number': () => new Number(5),
  'new String': () => new String('x'),
  'no prototype': () => Object.assign(Object.create(null), { port: 1 }),
  'no constructor': () => ({ constructor: undefined }),
  'nameless class': () => new (class {})(),
  Buffer: () => Buffer.from('abc'),
  'empty Buffer': () => Buffer.alloc(0),
  Uint16Array: () => new Uint16Array([1, 2]),
  DataView: () => new DataView(new ArrayBuffer(3)),
  ArrayBuffer: () => new ArrayBuffer(3),
  SharedArrayBuffer: () => new SharedArrayBuffer(3),
  'shared Uint8Array': () => new Uint8Array(new SharedArrayBuffer(3)),
  'detached Uint8Array': detached,
  AbortSignal: () => new AbortController().signal,
  'throwing valueOf': () => ({ valueOf: planned('valueOf') }),
  'throwing toString': () => ({ toString: planned('toString') }),
  'throwing toPrimitive': () => ({ [Symbol.toPrimitive]: planned('toPrimitive') }),
  'throwing getters': () => throwing(),
  'throwing Proxy': () => new Proxy({}, { get: planned('get'), has: planned('has') }),
}

/** Text among them that is no IP literal. */
const NAMES = new Set([
  "' '",
  "'0'",
  "'12'",
  "'0x10'",
  "'-1'",
  "'x'",
  "'it\\'s\\n\"'",
  'long text',
  "'300.1.1.1'",
  "'127.0.0.1\\0'",
  "'udp4'",
])

function planned(what) {
  return () => {
    throw new Error(`planned: ${what}`)
  }
}

function detached() {
  const view = new Uint8Array(3)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  return view
}

/** Every option that is read says which was the first. */
function throwing() {
  const object = {}
  for (const name of [
    'type',
    'lookup',
    'signal',
    'recvBufferSize',
    'sendBufferSize',
    'reuseAddr',
    'ipv6Only',
    'port',
    'address',
    'fd',
    'exclusive',
    'recvStart',
    'aborted',
    'length',
    'byteLength',
  ]) {
    Object.defineProperty(object, name, { get: planned(name), enumerable: true })
  }
  return object
}

/** An object that tells each time it is converted. */
function loud(value, tell) {
  return {
    [Symbol.toPrimitive](hint) {
      tell(hint)
      return value
    },
  }
}

const TEXT = 'zażółć gęślą 🦆 \ud800 '

/** The payload of `size` bytes that follows from `salt`; as text, of as many code units. */
function payload({ size, salt = 0, as = 'Buffer' }) {
  if (as === 'string') return TEXT.repeat(Math.ceil(size / TEXT.length)).slice(0, size)
  const bytes = Buffer.alloc(size)
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + salt * 7 + (index >> 8)) & 255
  return shaped(bytes, as)
}

/** The same bytes as another kind of view, with an offset of its own where it has one. */
function shaped(bytes, as) {
  if (as === 'Buffer') return bytes
  const memory = new ArrayBuffer(bytes.length + 16)
  new Uint8Array(memory).set(bytes, 8)
  if (as === 'DataView') return new DataView(memory, 8, bytes.length)
  if (as === 'Uint8Array') return new Uint8Array(memory, 8, bytes.length)
  if (as === 'Float64Array') return new Float64Array(memory, 8, bytes.length >> 3)
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return shared
}

const SHAPES = ['Buffer', 'Uint8Array', 'DataView', 'Float64Array', 'string', 'shared']

module.exports = { BAD, NAMES, SHAPES, loud, payload }
