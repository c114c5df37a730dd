/** Datagrams as text: what the listener writes to standard output. */

import { plain, quote } from './escape'
import { endpoint } from './report'
import type { ListenBatch } from './sink'

/** The lines for datagram `index` of `batch`, which was read at `arrival` (milliseconds since the epoch). */
export type Formatter = (batch: ListenBatch, index: number, arrival: number) => string

/** Bytes in a line of a hex dump. */
const ROW = 16

/** Texts of the sender last seen: in a flood it is mostly the same again. */
let sender = { address: '', json: '' }

export const json: Formatter = (batch, index, arrival) =>
  `${jsonHead(batch, index, arrival)},"data":"${payload(batch, index, 'base64')}"}\n`

export const jsonText: Formatter = (batch, index, arrival) =>
  `${jsonHead(batch, index, arrival)},"text":${quote(payload(batch, index, 'utf8'))}}\n`

export const text: Formatter = (batch, index) =>
  `${from(batch, index)} ${plain(payload(batch, index, 'utf8'))}\n`

export const hex: Formatter = (batch, index) => {
  const size = batch.sizeAt(index)
  return `${from(batch, index)} ${size} ${size === 1 ? 'byte' : 'bytes'}\n${hexDump(batch.dataAt(index))}`
}

/** As `hexdump -C`: offset, bytes, and those of them that are ASCII. */
export function hexDump(data: Buffer): string {
  let dump = ''
  for (let start = 0; start < data.length; start += ROW) {
    const row = data.subarray(start, start + ROW)
    const bytes = row.toString('hex').replace(/../g, ' $&')
    // A space more after the eighth byte.
    const columns = `${bytes.slice(0, 24)} ${bytes.slice(24)}`.padEnd(ROW * 3 + 1)
    const ascii = row.toString('latin1').replace(/[^ -~]/g, '.')
    dump += `${start.toString(16).padStart(8, '0')} ${columns}  |${ascii}|\n`
  }
  return dump
}

/** Nanoseconds as milliseconds with all their digits, which a `number` has no room for. */
export function milliseconds(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000n}.${String(nanoseconds % 1_000_000n).padStart(6, '0')}`
}

function jsonHead(batch: ListenBatch, index: number, arrival: number): string {
  const packet = batch.at(index)!
  const { timestamp, address, port, family, size } = packet
  const time = timestamp === null ? arrival.toFixed(3) : milliseconds(timestamp)
  if (address === '') {
    const path = packet.path === null ? 'null' : quote(packet.path)
    return `{"timestamp":${time},"path":${path},"size":${size}`
  }
  if (sender.address !== address) sender = { address, json: quote(address) }
  return `{"timestamp":${time},"address":${sender.json},"port":${port},"family":"${family}","size":${size}`
}

function payload(batch: ListenBatch, index: number, encoding: BufferEncoding): string {
  const start = batch.offsetAt(index)
  return batch.bytes.toString(encoding, start, start + batch.sizeAt(index))
}

/** An interface's name, part of a link-local address, may hold anything, and so may a path. */
function from(batch: ListenBatch, index: number): string {
  const address = batch.addressAt(index)
  return plain(address === '' ? nameOf(batch.pathAt(index)) : endpoint(address, batch.portAt(index)))
}

/** A Unix socket's name, an abstract one with `@` in front; `-` for none. */
export function nameOf(path: string | null): string {
  return path === null ? '-' : path.replace(/^\0/, '@')
}
