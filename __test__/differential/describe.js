'use strict'

// Values as text, so that two runs can be compared: ports by the name of who was bound to them, sockets by theirs.

const MOST_DEPTH = 4
/** Ports below are said in programs, and not given by the system. */
const FIRST_PORT = 1024

class Describer {
  #ports = new Map()
  #sockets = new Map()
  /** A port that one socket had was given to another: what is said of the one would be read as said of the other. */
  ambiguous = false

  /** `name` is bound to `port`, which the program has `chosen`, or the system; `again`, after it had none. */
  port(port, name, { chosen, again }) {
    if (port < FIRST_PORT) return
    const known = this.#ports.get(port)
    if (known === undefined) this.#ports.set(port, name)
    else if (again || (known !== name && !chosen)) this.ambiguous = true
  }

  socket(socket, name) {
    this.#sockets.set(socket, name)
  }

  text(value, depth = 0) {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(this.ports(value))
      case 'number':
        return Object.is(value, -0) ? '-0' : this.ports(String(value))
      case 'bigint':
        return `${value}n`
      case 'function':
        return `function ${value.name}`
      case 'object':
        return value === null ? 'null' : this.#object(value, depth)
      default:
        return String(value)
    }
  }

  /** Numbers that are ports are names. */
  ports(text) {
    return text.replace(/(?<![\w.])\d{4,5}(?!\w)/g, (digits) => {
      const name = this.#ports.get(Number(digits))
      return name === undefined ? digits : `<port of ${name}>`
    })
  }

  #object(value, depth) {
    const name = this.#sockets.get(value)
    if (name !== undefined) return `<socket ${name}>`
    if (depth > MOST_DEPTH) return '…'
    if (ArrayBuffer.isView(value)) return bytes(value)
    if (Array.isArray(value)) return `[${value.map((item) => this.text(item, depth + 1)).join(', ')}]`
    if (value instanceof Error) return this.#error(value, depth)
    const proto = Object.getPrototypeOf(value)
    const kind = proto === Object.prototype ? '' : `${proto?.constructor?.name ?? 'null'} `
    return `${kind}${this.#properties(value, depth)}`
  }

  /** Enumerable ones, in order. */
  #properties(value, depth) {
    const shown = Object.keys(value).map((key) => `${key}: ${this.#property(value, key, depth)}`)
    return shown.length === 0 ? '{}' : `{ ${shown.join(', ')} }`
  }

  #property(value, key, depth) {
    try {
      return this.text(value[key], depth + 1)
    } catch (error) {
      return `throws ${error.message}`
    }
  }

  /** Its class, what a stack trace begins with, and what of it does not follow from that. */
  #error(error, depth) {
    const { name, message, stack } = error
    const head = String(stack).split('\n    at ')[0]
    const text = error.toString()
    const told = [className(error), head]
    if (!head.startsWith(name)) told.push(`name ${name}`)
    if (text !== head) told.push(`toString ${text}`)
    if (!head.endsWith(message)) told.push(`message ${message}`)
    return `${told.map((item) => this.ports(String(item))).join(' | ')} ${this.#properties(error, depth)}`
  }
}

/** The class as a user can name it: node:dgram has some of its own that inherit from these. */
function className(error) {
  let proto = Object.getPrototypeOf(error)
  while (proto.constructor !== globalThis[proto.constructor.name]) proto = Object.getPrototypeOf(proto)
  return proto.constructor.name
}

/** Their kind, how many, the first and the last few, and a sum of all. */
function bytes(view) {
  const all = Buffer.from(view.buffer, view.byteOffset, view.byteLength)
  let sum = 7
  for (const byte of all) sum = (Math.imul(sum, 31) + byte) | 0
  const shown =
    all.length <= 8
      ? all.toString('hex')
      : `${all.toString('hex', 0, 4)}…${all.toString('hex', all.length - 4)}`
  return `${view.constructor.name}(${all.length}: ${shown} ${(sum >>> 0).toString(16)})`
}

module.exports = { Describer }
