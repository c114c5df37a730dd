import { systemCapabilities } from '../binding'
import { invalidArgValue, unsupported } from './errors'
import {
  bufferSize,
  COMMON_OPTIONS,
  commonSettings,
  flag,
  type ReceiveOptions,
  type ReceiveSettings,
} from './options'
import { validateInteger, validateOptions } from './validators'

/** Options of `UnixDatagramSocket.fromFd`. */
export interface UnixFromFdOptions
  extends Pick<
    ReceiveOptions,
    'backend' | 'capacity' | 'coalesce' | 'packetSize' | 'signal' | 'strict' | 'timestamps' | 'timing'
  > {
  /** Leave the descriptor the caller's and use a duplicate of it. @defaultValue false */
  dup?: boolean
  /** SO_PASSCRED: the kernel tells with each datagram who sent it, `packet.credentials`. Linux. @defaultValue false */
  credentials?: boolean
}

/** Options of `UnixDatagramSocket.bind`. */
export interface UnixDatagramSocketOptions extends Omit<UnixFromFdOptions, 'dup'> {
  /**
   * Path to bind, of at most 107 bytes (103 on the BSDs and macOS), or behind a NUL an abstract name (Linux).
   * @defaultValue an abstract name that the kernel chooses (Linux), or none: who sends needs no name
   */
  path?: string
  /**
   * Permissions of the file, 0 to 0o777, whatever the umask. Who may write to it may send.
   * @defaultValue what the umask leaves of 0o777
   */
  mode?: number
  /** Send buffer to ask for, in bytes. It bounds the size of a datagram, and what waits at receivers. */
  sendBufferSize?: number
  /** Receive buffer to ask for, in bytes. On Linux net.unix.max_dgram_qlen messages wait, whatever this is. */
  recvBufferSize?: number
}

const UNIX_OPTIONS = ['credentials', 'timestamps', ...COMMON_OPTIONS] as const
const UNIX_BIND_OPTIONS = ['path', 'mode', 'recvBufferSize', 'sendBufferSize', ...UNIX_OPTIONS] as const

export interface UnixSettings extends ReceiveSettings {
  credentials: boolean
  timestamps: boolean
  recvBufferSize: number
  sendBufferSize: number
  mode: number | undefined
}

export function unixBindSettings(value: unknown): UnixSettings & { path: unknown } {
  const options = validateOptions(value, UNIX_BIND_OPTIONS)
  const { path, mode } = options
  if (mode !== undefined) validateInteger(mode, 'options.mode', 0, 0o777)
  if (mode !== undefined && (typeof path !== 'string' || path.startsWith('\0'))) {
    throw invalidArgValue('options.mode', mode, 'is for the file of a path')
  }
  return { path, ...unixSettings(options), mode }
}

export function unixFromFdSettings(value: unknown): UnixSettings & { dup: boolean } {
  const options = validateOptions(value, ['dup', ...UNIX_OPTIONS])
  return { dup: flag(options, 'dup'), ...unixSettings(options) }
}

function unixSettings(options: Record<string, unknown>): UnixSettings {
  if (process.platform === 'win32') throw unsupported('Windows has no datagram sockets of Unix domain')
  const credentials = flag(options, 'credentials')
  if (credentials && !systemCapabilities().credentials) {
    throw unsupported(
      'options.credentials: this system does not tell who sends to a Unix socket (SO_PASSCRED)',
    )
  }
  return {
    ...commonSettings(options),
    gro: false,
    gso: false,
    destinations: undefined,
    telling: 0,
    errorQueue: false,
    credentials,
    timestamps: flag(options, 'timestamps'),
    recvBufferSize: bufferSize(options, 'recvBufferSize'),
    sendBufferSize: bufferSize(options, 'sendBufferSize'),
    mode: undefined,
  }
}
