/** Values that the options of `UdpSocket.bind` and `UdpSocket.fromFd` refuse, and with which code. */

/** Refused with ERR_OUT_OF_RANGE (`range`), with ERR_INVALID_ARG_TYPE (`type`), or as `other` says. */
export interface Wrong {
  range?: unknown[]
  type?: unknown[]
  other?: Record<string, unknown[]>
}

const flag = { type: [0, 1, 'true', null, {}] }
const slots = { range: [0, -1, 1.5, Number.NaN], type: ['64', null, true, 64n] }
const size = { range: [0, -1, 1.5, Number.NaN, 2 ** 31], type: ['8', null, true] }

export const commonOptions: Record<string, Wrong> = {
  capacity: { ...slots, range: [...slots.range, 16_385] },
  packetSize: { ...slots, range: [...slots.range, 65_537] },
  gro: flag,
  backend: { other: { ERR_INVALID_ARG_VALUE: ['', 'recvmmsg', 'MMSG', null, 0] } },
  gso: flag,
  destinations: flag,
  coalesce: { range: [-1, 1.5, Number.NaN, 1001], type: ['1', null, true, 1n] },
  strict: flag,
  signal: { type: [null, 0, 'signal', {}, new AbortController(), { aborted: false }] },
}
export const onlyBindOptions: Record<string, Wrong> = {
  port: { other: { ERR_SOCKET_BAD_PORT: [-1, 65_536, 1.5, Number.NaN, '', 'x', '-1', null, true, {}, 80n] } },
  address: {
    type: [null, 0, {}, true],
    other: { ERR_INVALID_IP_ADDRESS: ['', 'localhost', '127.1', '::1::'] },
  },
  reuseAddr: flag,
  reusePort: flag,
  ipv6Only: flag,
  recvBufferSize: size,
  sendBufferSize: size,
  multicastAll: flag,
  dontFragment: flag,
  bindToDevice: { type: [null, 0, {}, true], other: { ERR_INVALID_ARG_VALUE: ['x'.repeat(16), 'lo\0'] } },
}

export const onlyFromFdOptions: Record<string, Wrong> = { dup: flag }

/** A row per option and code. */
export function rowsOf(table: Record<string, Wrong>): [name: string, code: string, values: unknown[]][] {
  return Object.entries(table).flatMap(([name, { range = [], type = [], other = {} }]) =>
    Object.entries({ ERR_OUT_OF_RANGE: range, ERR_INVALID_ARG_TYPE: type, ...other })
      .filter(([, values]) => values.length > 0)
      .map(([code, values]): [string, string, unknown[]] => [name, code, values]),
  )
}
