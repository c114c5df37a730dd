'use strict'

// The methods with arguments that are good, and the places where any argument can be a bad one instead.

const dgram = require('node:dgram')
const { isCompared } = require('./known')
const { BAD, NAMES } = require('./values')

/** What node:dgram of this version has. */
const source = String(dgram.Socket)
const HAS = {
  sync: typeof dgram.Socket.prototype.bindSync === 'function',
  blockLists: source.includes('receiveBlockList'),
  reusePort: source.includes('reusePort'),
  legacy: '_healthCheck' in dgram.Socket.prototype,
}

const bytes = (size) => ({ $: 'bytes', size })
const options = (entries) => ({ $: 'options', entries: Object.entries(entries) })
const callback = () => ({ $: 'callback' })

/**
 * `args` of a socket of `family`; `address` says which of them are resolved, `also` which properties can be bad, too.
 * One place more than there are arguments can be.
 */
const FORMS = [
  { method: 'bind', args: ({ loopback }) => [0, loopback, callback()], address: ['1'] },
  { method: 'bind', args: () => [0, callback()], address: ['1'] },
  {
    method: 'bind',
    args: ({ loopback }) => [options({ port: 0, address: loopback }), callback()],
    address: ['0.address'],
    also: ['0.port', '0.address', '0.exclusive', '0.fd', '0.recvStart'],
  },
  { method: 'connect', args: ({ port, loopback }) => [port, loopback, callback()], address: ['1'] },
  { method: 'connect', args: ({ port }) => [port, callback()], address: ['1'] },
  { method: 'disconnect', args: () => [] },
  {
    method: 'send',
    args: ({ port, loopback }) => [bytes(9), 2, 5, port, loopback, callback()],
    address: ['4'],
  },
  { method: 'send', args: ({ port }) => [bytes(9), 2, 5, port, callback()], address: ['4', '5'] },
  {
    method: 'send',
    args: ({ port, loopback }) => [bytes(9), port, loopback, callback()],
    address: ['2', '4', '5'],
  },
  { method: 'send', args: ({ port }) => [bytes(9), port, callback()], address: ['2', '4'] },
  { method: 'send', args: ({ port }) => [bytes(9), port], address: ['2', '4'] },
  {
    method: 'send',
    args: ({ port, loopback }) => [[bytes(3), bytes(4)], port, loopback, callback()],
    address: ['2', '4', '5'],
    also: ['0.0', '0.1'],
  },
  { method: 'send', args: () => [bytes(9), callback()], address: ['2', '4'] },
  { method: 'send', args: () => [bytes(9), 2, 5, callback()], address: ['2', '4', '5'] },
  { method: 'send', args: () => [bytes(9)], address: ['2', '4'] },
  {
    method: 'sendto',
    args: ({ port, loopback }) => [bytes(9), 2, 5, port, loopback, callback()],
    address: ['4'],
  },
  { method: 'close', args: () => [callback()] },
  { method: 'address', args: () => [] },
  { method: 'remoteAddress', args: () => [] },
  { method: 'setBroadcast', args: () => [true] },
  { method: 'setTTL', args: () => [64] },
  { method: 'setMulticastTTL', args: () => [2] },
  { method: 'setMulticastLoopback', args: () => [true] },
  { method: 'setMulticastInterface', args: ({ anywhere }) => [anywhere] },
  { method: 'addMembership', args: ({ group, local }) => [group, local] },
  { method: 'dropMembership', args: ({ group, local }) => [group, local] },
  { method: 'addSourceSpecificMembership', args: ({ group, loopback, local }) => [loopback, group, local] },
  { method: 'dropSourceSpecificMembership', args: ({ group, loopback, local }) => [loopback, group, local] },
  { method: 'ref', args: () => [] },
  { method: 'unref', args: () => [] },
  { method: 'setRecvBufferSize', args: () => [100_000], small: true },
  { method: 'setSendBufferSize', args: () => [100_000], small: true },
  { method: 'getRecvBufferSize', args: () => [] },
  { method: 'getSendBufferSize', args: () => [] },
  { method: 'getSendQueueSize', args: () => [] },
  { method: 'getSendQueueCount', args: () => [] },
  { create: true, args: ({ family }) => [family, callback()] },
  {
    create: true,
    args: ({ family }) => [options({ type: family }), callback()],
    also: [
      '0.type',
      '0.reuseAddr',
      '0.ipv6Only',
      '0.recvBufferSize',
      '0.sendBufferSize',
      '0.lookup',
      '0.signal',
      ...(HAS.reusePort ? ['0.reusePort'] : []),
      ...(HAS.blockLists ? ['0.receiveBlockList', '0.sendBlockList'] : []),
    ],
    small: true,
  },
  ...(HAS.sync
    ? [
        {
          method: 'bindSync',
          args: ({ loopback }) => [options({ port: 0, address: loopback })],
          also: ['0.port', '0.address'],
        },
        { method: 'connectSync', args: ({ port, loopback }) => [port, loopback] },
      ]
    : []),
]

const sample = { family: 'udp4', loopback: '', port: 0, anywhere: '', group: '', local: '' }

/** Each place with each bad argument that is not known to differ there: `{ form, path, name, index }`. */
const PLACES = FORMS.flatMap((form) => {
  const positions = Array.from({ length: form.args(sample).length + 1 }, (_, index) => String(index))
  const places = [...positions, ...(form.also ?? [])]
  return places.flatMap((path) => Object.keys(BAD).map((name) => ({ form, path, name }))).filter(isCompared)
}).map((place, index) => ({ ...place, index }))

/** Somebody would have to resolve it. */
function asksSomebody({ form, path, name }) {
  return NAMES.has(name) && (form.address ?? []).includes(path)
}

/** Arguments of which the one at `path` is `value`. */
function spoiled(args, path, value) {
  const [index, property] = path.split('.')
  const copy = [...args]
  while (copy.length < index) copy.push(undefined)
  copy[index] = property === undefined ? value : spoiledInside(copy[index], property, value)
  return copy
}

function spoiledInside(inside, property, value) {
  if (Array.isArray(inside)) return inside.map((item, index) => (String(index) === property ? value : item))
  const others = inside.entries.filter(([name]) => name !== property)
  return { ...inside, entries: [...others, [property, value]] }
}

module.exports = { FORMS, HAS, PLACES, asksSomebody, spoiled }
