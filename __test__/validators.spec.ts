// Checks of arguments: what they take and what they refuse, beside Node's own checks of the same values.

import crypto from 'node:crypto'
import dgram from 'node:dgram'
import dns from 'node:dns'
import { EventEmitter } from 'node:events'
import net from 'node:net'
import * as validators from '../lib/validators'
import { closeDgrams, shape, thrown, unboundDgram } from './support/net'

afterEach(closeDgrams)

type Check = (value: never) => unknown

/** What a check comes to: what it gives, or the error. */
function outcome(check: Check, value: unknown): unknown {
  try {
    return { given: check(value as never) }
  } catch (error) {
    return shape(error)
  }
}

describe('agree with Node', () => {
  test('on booleans', () => {
    const nodes = (captureRejections: boolean) => void new EventEmitter({ captureRejections })
    const ours = (value: unknown) => validators.validateBoolean(value, 'options.captureRejections')
    for (const value of [true, false, 1, 'true', {}]) {
      expect([value, outcome(ours, value)]).toEqual([value, outcome(nodes, value)])
    }
  })

  test('on integers with a range', () => {
    const nodes = (iterations: number) => void crypto.pbkdf2Sync('a', 'b', iterations, 1, 'sha1')
    const ours = (value: unknown) => validators.validateInteger(value, 'iterations', 1, 2 ** 31 - 1)
    const wrong = [
      0,
      -1,
      2 ** 31,
      1.5,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      '1',
      null,
      undefined,
      {},
      true,
      1n,
    ]
    for (const value of [1, 2, ...wrong]) {
      expect([value, outcome(ours, value)]).toEqual([value, outcome(nodes, value)])
    }
    expect(outcome(ours, 2 ** 31 - 1)).toEqual({ given: undefined })
  })

  test('on ports, numbers and strings', () => {
    const nodes = (port: number) => void unboundDgram({ family: 'udp4' }).connect(port)
    const ours = (value: unknown) => void validators.validatePort(value, 'Port', false)
    const right = [1, 80, 65_535, '80', ' 80 ', '0x50', '1e3', '80.0', '0b11']
    const wrong = [0, -1, 65_536, 1.5, Number.NaN, '', ' ', '-1', '65536', '80x', '8 0', '1.5', 'Infinity']
    for (const value of [...right, ...wrong, null, undefined, true, {}, [], [80], 80n, Symbol('80')]) {
      expect([value, outcome(ours, value)]).toEqual([value, outcome(nodes, value)])
    }
    for (const value of right) expect(validators.validatePort(value, 'Port', false)).toBe(Number(value))
  })

  test('on ports that may be 0', () => {
    const nodes = (port: number) => void new net.SocketAddress({ port })
    const ours = (value: unknown) => void validators.validatePort(value, 'options.port', true)
    for (const value of [0, 1, 65_535, -1, 65_536, '', ' ', '65536', null, {}]) {
      expect([value, outcome(ours, value)]).toEqual([value, outcome(nodes, value)])
    }
    expect(validators.validatePort('0', 'options.port', true)).toBe(0)
  })

  test('on one of several', () => {
    const nodes = dns.setDefaultResultOrder as Check
    const choices = String(thrown(() => dns.setDefaultResultOrder('' as never)).message).match(
      /(?<=')\w+(?=')/g,
    )!
    const known = choices.filter((choice) => choice !== 'dnsOrder')
    const ours = (value: unknown) => validators.validateOneOf(value, 'dnsOrder', known)
    for (const value of ['x', '', 'IPV4FIRST', 1, null, undefined, ['ipv4first']]) {
      expect([value, outcome(ours, value)]).toEqual([value, outcome(nodes, value)])
    }
    expect(outcome(ours, 'ipv4first')).toEqual({ given: undefined })
  })

  test('on abort signals', () => {
    const nodes = (signal: AbortSignal) => void dgram.createSocket({ type: 'udp4', signal }).close()
    const ours = (value: unknown) => validators.validateAbortSignal(value, 'options.signal')
    for (const value of [null, 5, 'signal', true, {}, [], new AbortController()]) {
      expect([value, outcome(ours, value)]).toEqual([value, outcome(nodes, value)])
    }
    expect(outcome(ours, new AbortController().signal)).toEqual({ given: undefined })
  })
})

describe('where 0 is no port', () => {
  test.each([0, '0', -0, '0x0'])('%p is refused', (value) => {
    const { code, message } = thrown(() => validators.validatePort(value, 'Port', false))
    expect(code).toBe('ERR_SOCKET_BAD_PORT')
    expect(message).toMatch(/^Port should be > 0 and < 65536\./)
  })
})

describe('addresses', () => {
  const check = (value: unknown) => validators.validateAddress(value, 'options.address')

  test.each([
    '127.0.0.1',
    '0.0.0.0',
    '::',
    '::1',
    '::ffff:192.0.2.1',
    'fe80::1%lo',
    'FE80::1%2',
    '2001:db8::1',
  ])('take the literal %s', (value) => {
    expect(check(value)).toBeUndefined()
  })

  test.each([
    'localhost',
    'example.com',
    '',
    ' ',
    '1.2.3',
    '127.1',
    '1.2.3.4 ',
    '[::1]',
    '1.2.3.4:80',
    ':::',
    '256.0.0.1',
  ])('refuse %j, which is none, and say what to do', (value) => {
    expect(thrown(() => check(value))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_IP_ADDRESS',
      message: expect.stringContaining('resolve it first'),
    })
  })

  test.each([null, undefined, 0, 2_130_706_433, {}, ['127.0.0.1'], new String('::1')])(
    'refuse %p, which is no string',
    (value) => {
      expect(thrown(() => check(value))).toMatchObject({
        code: 'ERR_INVALID_ARG_TYPE',
        message: expect.stringMatching(/^The "options\.address" property must be of type string\. Received /),
      })
    },
  )
})

describe('timeouts', () => {
  const check = (value: unknown) => validators.validateTimeout(value, 'options.timeout')

  test.each([0, -0, 0.1, 1, 2 ** 40, Number.MAX_VALUE, Number.POSITIVE_INFINITY])(
    'of %d are taken',
    (value) => {
      expect(check(value)).toBeUndefined()
    },
  )

  test.each([-1, -0.001, Number.NaN, Number.NEGATIVE_INFINITY])('of %d are refused', (value) => {
    expect(thrown(() => check(value)).code).toBe('ERR_OUT_OF_RANGE')
  })

  test.each([undefined, null, '1', 1n, {}, new Date(1)])('that are no numbers (%p) are refused', (value) => {
    expect(thrown(() => check(value)).code).toBe('ERR_INVALID_ARG_TYPE')
  })
})

describe('options', () => {
  const known = ['port', 'address', 'reuseAddr', 'reusePort', 'recvBufferSize', 'dup']
  const check = (value: unknown) => validators.validateOptions(value, known)

  test('are what was given, or nothing', () => {
    const options = { port: 1, dup: true }
    expect(check(options)).toBe(options)
    expect(check(undefined)).toEqual({})
    expect(check(Object.create(null))).toEqual({})
  })

  test.each([null, 0, '', 'port', true, [], () => {}])('are refused when they are %p', (value) => {
    expect(thrown(() => check(value)).code).toBe('ERR_INVALID_ARG_TYPE')
  })

  test.each([
    ['prot', 'port'],
    ['Port', 'port'],
    ['PORT', 'port'],
    ['REUSEADDR', 'reuseAddr'],
    ['ports', 'port'],
    ['adress', 'address'],
    ['addres', 'address'],
    ['reuseadr', 'reuseAddr'],
    ['reuse_port', 'reusePort'],
    ['reuseprot', 'reusePort'],
    ['recvBuffersize', 'recvBufferSize'],
    ['recvBuferSize', 'recvBufferSize'],
    ['dub', 'dup'],
  ])('%s is answered with %s', (name, meant) => {
    expect(thrown(() => check({ [name]: 1 }))).toMatchObject({
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: expect.stringMatching(
        `^The property 'options\\.${name}' is not an option.*did you mean '${meant}'.*Received 1$`,
      ),
    })
  })

  test.each(['x', 'host', 'verbose', 'xyzzy', '', '__proto__', 'constructor', 'toString'])(
    '%j is like none of them',
    (name) => {
      const options = JSON.parse(`{ ${JSON.stringify(name)}: 1 }`)
      expect(thrown(() => check(options)).message).toBe(
        `The property 'options.${name}' is not an option. Received 1`,
      )
    },
  )

  test('with a name that is none are refused even where nothing is behind it', () => {
    expect(thrown(() => check({ port: 1, prot: undefined })).code).toBe('ERR_INVALID_ARG_VALUE')
  })
})
