/** The only file that makes errors. Codes and sentences are Node's own where Node has them. */

import { getSystemErrorMap, getSystemErrorName, inspect } from 'node:util'

type ErrorClass = new (message: string, options?: ErrorOptions) => Error

/** An error with Node's `code`. */
export interface CodedError extends Error {
  code: string
}

/** An error of a system call, as Node makes it. */
export interface SystemCallError extends CodedError {
  /** The negative error number, as in `os.constants.errno`. */
  errno: number
  /** 'recvmmsg', 'bind', 'send', … */
  syscall: string
  address?: string
  port?: number
}

function make(Base: ErrorClass, code: string, message: string, name = Base.name): CodedError {
  const error = new Base(message) as CodedError
  error.code = code
  // The code belongs into what an uncaught error prints, and not into `name`.
  error.name = `${name} [${code}]`
  void error.stack
  Reflect.deleteProperty(error, 'name')
  const text = () => `${error.name} [${code}]: ${error.message}`
  Object.defineProperty(error, 'toString', {
    value: text,
    enumerable: false,
    configurable: true,
    writable: true,
  })
  return error
}

/** What was received instead, in Node's words. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'object') {
    const name = value.constructor?.name
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 })
  }
  return `type ${typeof value} (${typeof value === 'string' ? quoted(value) : inspect(value)})`
}

function quoted(text: string): string {
  const cut = text.length > 28 ? `${text.slice(0, 25)}...` : text
  return cut.includes("'") ? JSON.stringify(cut) : `'${cut}'`
}

/** 'options.port' is a property, 'batch' an argument. */
function subject(name: string): string {
  return name.includes('.') ? 'property' : 'argument'
}

/** `must`: "of type number", "an instance of PacketBatch". */
export function invalidArgType(name: string, must: string, value: unknown): CodedError {
  const message = `The "${name}" ${subject(name)} must be ${must}. Received ${received(value)}`
  return make(TypeError, 'ERR_INVALID_ARG_TYPE', message)
}

export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): CodedError {
  const shown = inspect(value)
  const cut = shown.length > 128 ? `${shown.slice(0, 128)}...` : shown
  return make(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${subject(name)} '${name}' ${reason}. Received ${cut}`)
}

/** `range`: ">= 0 && <= 65535". */
export function outOfRange(name: string, range: string, value: unknown): CodedError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${grouped(value)}`
  return make(RangeError, 'ERR_OUT_OF_RANGE', message)
}

/** Large integers with a separator at each thousand, as Node shows them. */
function grouped(value: unknown): string {
  const large =
    (Number.isInteger(value) && Math.abs(value as number) > 2 ** 32) ||
    (typeof value === 'bigint' && (value > 2n ** 32n || value < -(2n ** 32n)))
  return large ? inspect(value, { numericSeparator: true }) : inspect(value)
}

export function badPort(name: string, value: unknown, allowZero: boolean): CodedError {
  const message = `${name} should be ${allowZero ? '>=' : '>'} 0 and < 65536. Received ${received(value)}.`
  return make(RangeError, 'ERR_SOCKET_BAD_PORT', message)
}

export function badBufferSize(): CodedError {
  return make(TypeError, 'ERR_SOCKET_BAD_BUFFER_SIZE', 'Buffer size must be a positive integer')
}

export function badSocketType(): CodedError {
  const message = 'Bad socket type specified. Valid types are: udp4, udp6'
  return make(TypeError, 'ERR_SOCKET_BAD_TYPE', message)
}

export function alreadyBound(): CodedError {
  return make(Error, 'ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound')
}

export function bufferOutOfBounds(name: string): CodedError {
  return make(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', `"${name}" is outside of buffer bounds`)
}

export function missingArgs(name: string): CodedError {
  return make(TypeError, 'ERR_MISSING_ARGS', `The "${name}" argument must be specified`)
}

export function ipBlocked(ip: string): CodedError {
  return make(Error, 'ERR_IP_BLOCKED', `IP(${ip}) is blocked by net.BlockList`)
}

export function invalidIpAddress(value: string): CodedError {
  const message = `Invalid IP address: ${value} (a host name? resolve it first, for example with dns.lookup)`
  return make(TypeError, 'ERR_INVALID_IP_ADDRESS', message)
}

export function invalidFdType(kind: string): CodedError {
  return make(TypeError, 'ERR_INVALID_FD_TYPE', `Unsupported fd type: ${kind}`)
}

export function notRunning(): CodedError {
  return make(Error, 'ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running')
}

export function alreadyConnected(): CodedError {
  return make(Error, 'ERR_SOCKET_DGRAM_IS_CONNECTED', 'Already connected')
}

export function notConnected(): CodedError {
  return make(Error, 'ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected')
}

export function invalidState(what: string): CodedError {
  return make(Error, 'ERR_INVALID_STATE', `Invalid state: ${what}`)
}

export function illegalConstructor(): CodedError {
  return make(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor')
}

export function unsupported(what: string): CodedError {
  return make(Error, 'ERR_RECVMMSG_UNSUPPORTED', what)
}

/** `cause`: what the loader threw. */
export function notLoaded(what: string, cause: unknown): CodedError {
  const error = make(Error, 'ERR_DLOPEN_FAILED', `The addon of recvmmsg cannot be loaded: ${what}`)
  return Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true })
}

export function batchNotEmpty(length: number): CodedError {
  const message = `The batch still holds ${length} datagrams: deal with them, then call batch.clear()`
  return make(Error, 'ERR_BATCH_NOT_EMPTY', message)
}

export function batchDetached(): CodedError {
  const message = "The batch's memory is detached: it was transferred away, so make a new PacketBatch"
  return make(Error, 'ERR_BATCH_DETACHED', message)
}

export function batchStale(): CodedError {
  const message =
    'The batch has been filled again since: what it showed was valid until then. Copy what has to live longer (packet.copy())'
  return make(Error, 'ERR_BATCH_STALE', message)
}

export function batchSlotTooSmall(packetSize: number): CodedError {
  const message =
    `The socket coalesces datagrams (UDP_GRO) and the batch has slots of ${packetSize} bytes, too small for that: ` +
    'give the batch a packetSize of 65536, or bind the socket with gro: false'
  return make(Error, 'ERR_BATCH_SLOT_TOO_SMALL', message)
}

export function abortError(signal: AbortSignal): CodedError {
  const error = new Error('The operation was aborted', { cause: signal.reason }) as CodedError
  error.name = 'AbortError'
  error.code = 'ABORT_ERR'
  return error
}

/** 'ECONNREFUSED' of -111. */
export function errnoName(errno: number): string {
  return getSystemErrorName(errno)
}

/** The error of a failed system call; `errno` is negative. */
export function systemError(
  syscall: string,
  errno: number,
  address?: string,
  port?: number,
): SystemCallError {
  const code = errnoName(errno)
  const where = address === undefined ? '' : port ? ` ${address}:${port}` : ` ${address}`
  const error = new Error(`${syscall} ${code}${where}`) as SystemCallError
  error.errno = errno
  error.code = code
  error.syscall = syscall
  if (address !== undefined) error.address = address
  if (port) error.port = port
  return error
}

/** What node:dgram tells of a datagram that was not sent: as `systemError`, with the address that was asked for, if any. */
export function sendError(errno: number, address: unknown, port: unknown): SystemCallError {
  return hostPortError('send', errno, address, port)
}

/** The error of a failed call that has an endpoint, as node:dgram makes it, whatever that is. */
export function hostPortError(
  syscall: string,
  errno: number,
  address: unknown,
  port: unknown,
): SystemCallError {
  const code = errnoName(errno)
  const where = (port as number) > 0 ? ` ${address}:${port}` : address ? ` ${address}` : ''
  const error = new Error(`${syscall} ${code}${where}`) as SystemCallError
  Object.assign(error, { errno, code, syscall, address })
  if (port) error.port = port as number
  return error
}

/** The buffer size could not be read or set; `call` is libuv's name for what failed. */
export function socketBufferSize(call: string, errno: number): Error {
  const code = errnoName(errno)
  const text = getSystemErrorMap().get(errno)?.[1] ?? 'unknown error'
  const message = `Could not get or set buffer size: ${call} returned ${code} (${text})`
  const error = make(Error, 'ERR_SOCKET_BUFFER_SIZE', message, 'SystemError')
  Object.defineProperty(error, 'name', { value: 'SystemError', configurable: true, writable: true })
  return Object.assign(error, { info: { errno, code, message: text, syscall: call }, errno, syscall: call })
}
