'use strict'

// node:dgram with one small thing that is different: the test of the test.

/** Makes one of `socket`'s methods another, given what it was. */
function replace(socket, name, make) {
  const value = make(socket[name].bind(socket))
  Object.defineProperty(socket, name, { value, configurable: true, writable: true })
}

/** Has `change` have a look at an event's arguments first. */
function onEmit(socket, event, change) {
  replace(socket, 'emit', (emit) => (name, ...args) => {
    if (name === event) change(args)
    return emit(name, ...args)
  })
}

function onThrow(call, change) {
  return (...args) => {
    try {
      return call(...args)
    } catch (error) {
      change(error)
      throw error
    }
  }
}

/** The callback of `send`, by another function of the same name. */
function withCallback(send, wrap) {
  const wrapped = (callback) => Object.defineProperty(wrap(callback), 'name', { value: callback.name })
  return (...args) => send(...args.map((arg) => (typeof arg === 'function' ? wrapped(arg) : arg)))
}

const PLANTS = {
  'a word of an error message': (socket) =>
    replace(socket, 'setTTL', (setTTL) =>
      onThrow(setTTL, (error) => {
        error.message = error.message.replace('number', 'Number')
      }),
    ),
  'an error without its port': (socket) => onEmit(socket, 'error', ([error]) => delete error?.port),
  'a byte of a message': (socket) =>
    onEmit(socket, 'message', ([message]) => {
      if (message.length > 1000) message[500] ^= 1
    }),
  'a message that is no Buffer': (socket) =>
    onEmit(socket, 'message', (args) => {
      args[0] = new Uint8Array(args[0])
    }),
  'the properties of rinfo in another order': (socket) =>
    onEmit(socket, 'message', (args) => {
      const { size, ...rest } = args[1]
      args[1] = { size, ...rest }
    }),
  'a callback without its second argument': (socket) =>
    replace(socket, 'send', (send) => withCallback(send, (callback) => (error) => callback(error))),
  'a callback a tick later': (socket) =>
    replace(socket, 'send', (send) =>
      withCallback(
        send,
        (callback) =>
          (...args) =>
            process.nextTick(callback, ...args),
      ),
    ),
  "'close' a tick earlier": (socket) =>
    replace(socket, 'close', (close) => (...args) => {
      const { nextTick } = process
      process.nextTick = (call, ...rest) => call(...rest)
      try {
        return close(...args)
      } finally {
        process.nextTick = nextTick
      }
    }),
  "'connect' and what follows it swapped": (socket) => {
    const { emit } = socket
    replace(socket, 'emit', () => (name, ...args) => {
      if (name !== 'connect') return emit.call(socket, name, ...args)
      process.nextTick(() => emit.call(socket, name, ...args))
      return true
    })
  },
  'a method that returns nothing': (socket) =>
    replace(socket, 'bind', (bind) => (...args) => {
      bind(...args)
    }),
  'a listener that stays': (socket) =>
    replace(socket, 'bind', (bind) => (...args) => {
      socket.on('listening', () => {})
      return bind(...args)
    }),
}

/** node:dgram with one of them in all sockets that createSocket() makes. */
function planted(dgram, name) {
  return {
    ...dgram,
    createSocket(...args) {
      const socket = dgram.createSocket(...args)
      PLANTS[name](socket)
      return socket
    },
  }
}

module.exports = { PLANTS: Object.keys(PLANTS), planted }
