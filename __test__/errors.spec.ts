// Errors: class, code and sentence are Node's own where Node has them. Its own are made here, at run time.

import crypto from 'node:crypto'
import dgram from 'node:dgram'
import dns from 'node:dns'
import { EventEmitter, once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { getSystemErrorName } from 'node:util'
import * as errors from '../lib/errors'
import { closeDgrams, dgramBindError, shape, thrown, unboundDgram } from './support/net'

afterEach(closeDgrams)

/** Values as they are named behind "Received", where the releases of Node agree. */
const values: unknown[] = [
  undefined,
  null,
  true,
  0,
  -0,
  1.5,
  Number.NaN,
  2 ** 40,
  10n,
  Symbol('s'),
  {},
  [],
  [1],
  Object.create(null),
  new Date(0),
  new Map(),
  Buffer.from('x'),
  new (class Mine {})(),
  function named() {},
  class Mine {},
  /a regular expression of some length/,
]

const closed = (call: (socket: dgram.Socket) => unknown) => {
  const socket = dgram.createSocket('udp4')
  socket.close()
  return thrown(() => call(socket))
}

const connecting = (call: (socket: dgram.Socket) => unknown) => {
  const socket = unboundDgram({ family: 'udp4' })
  socket.connect(9, '127.0.0.1')
  return thrown(() => call(socket))
}

describe("are Node's own:", () => {
  test.each(values.map((value) => [value]))('ERR_INVALID_ARG_TYPE for %p', (value) => {
    expect(shape(errors.invalidArgType('path', 'of type string', value))).toStrictEqual(
      thrown(() => path.join(value as string)),
    )
  })

  test.each(['short', '', "it's"])('ERR_INVALID_ARG_TYPE for the string %j', (value) => {
    expect(shape(errors.invalidArgType('offset', 'of type number', value))).toStrictEqual(
      thrown(() => Buffer.alloc(1).readUInt8(value as never)),
    )
  })

  test('ERR_INVALID_ARG_TYPE for a property', () => {
    const name = 'options.captureRejections'
    expect(shape(errors.invalidArgType(name, 'of type boolean', 1))).toStrictEqual(
      thrown(() => new EventEmitter({ captureRejections: 1 as never })),
    )
  })

  test.each(['bogus', 'x'.repeat(200), "it's"])('ERR_INVALID_ARG_VALUE for %j', (value) => {
    expect(shape(errors.invalidArgValue('flags', value))).toStrictEqual(
      thrown(() => fs.openSync('/', value as never)),
    )
  })

  test('ERR_INVALID_ARG_VALUE for a property', () => {
    const publicKeyEncoding = { type: 'x', format: 'pem' }
    const options = { modulusLength: 512, publicKeyEncoding } as never
    expect(shape(errors.invalidArgValue('options.publicKeyEncoding.type', 'x'))).toStrictEqual(
      thrown(() => crypto.generateKeyPairSync('rsa', options)),
    )
  })

  test('ERR_INVALID_ARG_VALUE with a reason', () => {
    const expected = thrown(() => dns.setDefaultResultOrder('x' as never))
    const choices = /must be one of: .*(?=\. Received)/.exec(String(expected.message))![0]
    expect(shape(errors.invalidArgValue('dnsOrder', 'x', choices))).toStrictEqual(expected)
  })

  test.each([0, -1, 2 ** 32, 2 ** 32 + 1, -(2 ** 33), Number.MAX_SAFE_INTEGER])(
    'ERR_OUT_OF_RANGE for %d',
    (value) => {
      expect(shape(errors.outOfRange('iterations', '>= 1 && <= 2147483647', value))).toStrictEqual(
        thrown(() => crypto.pbkdf2Sync('a', 'b', value, 1, 'sha1')),
      )
    },
  )

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 33 + 0.5])(
    'ERR_OUT_OF_RANGE for %d',
    (value) => {
      expect(shape(errors.outOfRange('iterations', 'an integer', value))).toStrictEqual(
        thrown(() => crypto.pbkdf2Sync('a', 'b', value, 1, 'sha1')),
      )
    },
  )

  test.each([0, 65_536, -1, 1.5, Number.NaN, '', 'x', null, undefined, {}, true])(
    'ERR_SOCKET_BAD_PORT for %p',
    (value) => {
      expect(shape(errors.badPort('Port', value, false))).toStrictEqual(
        thrown(() => unboundDgram({ family: 'udp4' }).connect(value as number)),
      )
    },
  )

  test.each([65_536, -1, 'x'])('ERR_SOCKET_BAD_PORT for %p where 0 is a port', (port) => {
    expect(shape(errors.badPort('options.port', port, true))).toStrictEqual(
      thrown(() => net.createServer().listen({ port: port as number })),
    )
  })

  test.each<[string, () => errors.CodedError, () => Record<string, unknown>]>([
    [
      'ERR_SOCKET_BAD_BUFFER_SIZE',
      errors.badBufferSize,
      () => thrown(() => unboundDgram({ family: 'udp4' }).setRecvBufferSize(-1)),
    ],
    [
      'ERR_INVALID_FD_TYPE',
      () => errors.invalidFdType('FILE'),
      () => {
        const fd = fs.openSync(__filename, 'r')
        try {
          return thrown(() => new net.Socket({ fd }))
        } finally {
          fs.closeSync(fd)
        }
      },
    ],
    ['ERR_SOCKET_DGRAM_NOT_RUNNING', errors.notRunning, () => closed((socket) => socket.address())],
    [
      'ERR_SOCKET_DGRAM_IS_CONNECTED',
      errors.alreadyConnected,
      () => connecting((socket) => socket.connect(9)),
    ],
    [
      'ERR_SOCKET_DGRAM_NOT_CONNECTED',
      errors.notConnected,
      () => thrown(() => unboundDgram({ family: 'udp4' }).disconnect()),
    ],
    ['ERR_ILLEGAL_CONSTRUCTOR', errors.illegalConstructor, () => thrown(() => new AbortSignal())],
  ])('%s', (code, ours, nodes) => {
    expect(shape(ours())).toStrictEqual(nodes())
    expect(ours().code).toBe(code)
  })

  test('ERR_INVALID_IP_ADDRESS, with what to do about a host name', () => {
    const expected = thrown(() => dns.setServers(['example']))
    const error = errors.invalidIpAddress('example')
    expect(shape(error)).toMatchObject({ name: expected.name, code: expected.code })
    expect(error.message.startsWith(`${expected.message} (`)).toBe(true)
    expect(error.message).toMatch(/resolve it first/)
  })

  test('ERR_INVALID_STATE', () => {
    const stream = new ReadableStream()
    stream.getReader()
    const expected = thrown(() => stream.getReader())
    const what = String(expected.message).replace('Invalid state: ', '')
    expect(errors.invalidState(what)).toMatchObject({ code: expected.code, message: expected.message })
  })

  test('AbortError, with its reason as cause', async () => {
    const signal = AbortSignal.abort(new Error('because'))
    const expected = await once(new EventEmitter(), 'x', { signal }).catch((error: Error) => error)
    const error = errors.abortError(signal)
    expect(shape(error)).toStrictEqual(shape(expected))
    expect(error.cause).toBe(signal.reason)
    expect(Object.keys(error).sort()).toEqual(['code', 'name'])
  })

  test('a failed system call', () => {
    const expected = thrown(() => process.kill(2 ** 30, 0))
    expect(shape(errors.systemError('kill', -os.constants.errno.ESRCH))).toStrictEqual(expected)
  })

  test('a failed system call with an address', async () => {
    const address = '198.51.100.7'
    for (const port of [9, 0]) {
      const expected = await dgramBindError({ family: 'udp4' }, port, address)
      const error = shape(errors.systemError('bind', -os.constants.errno.EADDRNOTAVAIL, address, port))
      expect(error).toStrictEqual(expected)
      expect(Object.keys(error)).toEqual(Object.keys(expected))
    }
  })

  test('the name of every errno', () => {
    for (const [name, errno] of Object.entries(os.constants.errno)) {
      expect([name, errors.errnoName(-errno)]).toEqual([name, getSystemErrorName(-errno)])
    }
  })
})

describe("are of the project's own code:", () => {
  test.each<[string, errors.CodedError, RegExp]>([
    ['ERR_BATCH_NOT_EMPTY', errors.batchNotEmpty(3), /holds 3 datagrams.*batch\.clear\(\)/],
    ['ERR_BATCH_DETACHED', errors.batchDetached(), /new PacketBatch/],
    ['ERR_BATCH_STALE', errors.batchStale(), /packet\.copy\(\)/],
    ['ERR_BATCH_SLOT_TOO_SMALL', errors.batchSlotTooSmall(2048), /2048 bytes.*65536.*gro: false/],
    ['ERR_RECVMMSG_UNSUPPORTED', errors.unsupported('what to do'), /^what to do$/],
  ])('%s, with its remedy', (code, error, remedy) => {
    expect(error).toMatchObject({ code, name: 'Error' })
    expect(error.message).toMatch(remedy)
  })
})

/** They have more than a code. */
const MADE_BY_SYSTEM = ['abortError', 'systemError', 'sendError', 'hostPortError', 'socketBufferSize']

test.each(['Recv', 'Send'] as const)('socketBufferSize is node:dgram’s error: %s', (which) => {
  const socket = dgram.createSocket('udp4')
  const theirs = (() => {
    try {
      return socket[`get${which}BufferSize`]()
    } catch (error) {
      return error
    }
  })() as Error
  socket.close()
  const call = `uv_${which.toLowerCase()}_buffer_size`
  const ours = errors.socketBufferSize(call, -os.constants.errno.EBADF)
  expect({ ...ours }).toEqual({ ...theirs })
  expect([ours.name, ours.message, String(ours)]).toEqual([theirs.name, theirs.message, String(theirs)])
})

test('every coded error keeps the name of its class, and has nothing enumerable but its code', () => {
  const all = [
    errors.invalidArgType('x', 'of type string', 1),
    errors.invalidArgValue('x', 1),
    errors.outOfRange('x', '> 1', 1),
    errors.badPort('Port', 0, false),
    errors.badBufferSize(),
    errors.invalidIpAddress('x'),
    errors.invalidFdType('FILE'),
    errors.notRunning(),
    errors.alreadyConnected(),
    errors.notConnected(),
    errors.invalidState('x'),
    errors.illegalConstructor(),
    errors.unsupported('x'),
    errors.notLoaded('x', new Error('y')),
    errors.batchNotEmpty(1),
    errors.batchDetached(),
    errors.batchStale(),
    errors.batchSlotTooSmall(1),
    errors.badSocketType(),
    errors.alreadyBound(),
    errors.bufferOutOfBounds('offset'),
    errors.missingArgs('x'),
    errors.ipBlocked('x'),
  ]
  for (const error of all) {
    expect(error).toBeInstanceOf(Error)
    expect(Object.keys(error)).toEqual(['code'])
    expect(Object.hasOwn(error, 'name')).toBe(false)
    expect(error.name).toBe(error.constructor.name)
    expect(error.stack).toContain(`${error.name} [${error.code}]: ${error.message}\n`)
  }
  // Every factory is in the list above, or above that.
  const factories = Object.keys(errors).filter((name) => !['received', 'errnoName'].includes(name))
  expect(factories.length).toBe(all.length + MADE_BY_SYSTEM.length)
})
