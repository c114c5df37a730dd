'use strict'

// Programs and differences for people to read.

function value(made) {
  if (made === undefined) return 'undefined'
  if (made === null || typeof made !== 'object') return JSON.stringify(made)
  if (Array.isArray(made)) return `[${made.map(value).join(', ')}]`
  return SHOWN[made.$](made)
}

const SHOWN = {
  bad: ({ name }) => `<${name}>`,
  loud: ({ value: inside }) => `<converted to ${value(inside)}>`,
  bytes: ({ size, as = 'Buffer' }) => `<${as} of ${size}>`,
  port: ({ of, text }) => (text ? `String(<port of ${of}>)` : `<port of ${of}>`),
  callback: ({ ops = [], throws }) => `() => {${inside(ops, throws)}}`,
  options: ({ entries }) => `{ ${entries.map(([name, made]) => `${name}: ${value(made)}`).join(', ')} }`,
  fd: ({ kind, of }) => `<fd: ${kind}${kind === 'own' ? ` of ${of}` : ''}>`,
  lookup: ({ when, what }) => `<lookup: ${when}, ${what}>`,
  signal: ({ name, aborted }) => `<signal ${name}${aborted ? ', aborted' : ''}>`,
  blocks: ({ address }) => `<BlockList of ${address}>`,
}

function inside(ops, throws) {
  const shown = [...ops.map(operation), ...(throws ? ['throw'] : [])]
  return shown.length === 0 ? '' : ` ${shown.join('; ')} `
}

const OPERATIONS = {
  create: ({ socket, how, args }) => `${socket} = ${how}(${args.map(value).join(', ')})`,
  call: ({ socket, method, args }) => `${socket}.${method}(${args.map(value).join(', ')})`,
  mark: ({ how }) => (how === 'tick' ? 'nextTick(log)' : 'promise.then(log)'),
  after: ({ how, ops }) => `${how === 'tick' ? 'nextTick' : 'promise.then'}(() => {${inside(ops)}})`,
  on: ({ socket, how, event, ops, throws }) => `${socket}.${how}('${event}', () => {${inside(ops, throws)}})`,
  off: ({ socket, event, all }) => `${socket}.${all ? 'removeAllListeners' : 'removeListener'}('${event}')`,
  scribble: () => 'overwrite what was sent last',
  abort: ({ signal }) => `abort signal ${signal}`,
  get: ({ socket, property }) => `${socket}.${property}`,
}

function operation(op) {
  return OPERATIONS[op.op](op)
}

/** One operation a line; those of a step together, with their number. */
function showProgram({ resolver, steps }) {
  const lines = steps.flatMap((ops, step) => ops.map((op, index) => `  ${step}.${index}  ${operation(op)}`))
  return [...(resolver === 'stub' ? ['  (dns.lookup is a stub)'] : []), ...lines].join('\n')
}

function showDifference({ step, lane, expected, actual }) {
  const list = (entries) =>
    entries.length === 0 ? '    nothing' : entries.map((entry) => `    ${entry}`).join('\n')
  return `step ${step}, ${lane}\n  node:dgram:\n${list(expected)}\n  recvmmsg/dgram:\n${list(actual)}`
}

module.exports = { showDifference, showProgram }
