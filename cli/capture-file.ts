/** Where a capture goes: a file, a FIFO, or standard output. */

import { createWriteStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { isNode } from '../lib/runtime'
import { Failure, reason } from './problem'
import { print } from './stdio'

export class CaptureFile {
  readonly #path: string
  /** `null`: standard output. */
  readonly #stream: Writable | null

  /** Opens it; `-` is standard output. A FIFO that nobody reads yet is waited for. */
  constructor(path: string) {
    this.#path = path
    if (path === '-' && process.stdout.isTTY) {
      throw new Failure('a capture is nothing for a terminal: name a file, or send standard output to one')
    }
    this.#stream = path === '-' ? null : open(path)
    // Without a listener it would end the process; who writes is told.
    this.#stream?.on('error', () => {})
  }

  /** Somebody reads it, or does not: it is no file on a disk. */
  get isRead(): boolean {
    return this.#stream === null || this.#stream instanceof Socket
  }

  /** Resolves when the system has taken all of it. */
  write(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream
    if (stream === null) return print(bytes)
    return this.#done((done) => void stream.write(bytes, done))
  }

  /** Closes it: some file systems tell only then that there is no space. */
  async end(): Promise<void> {
    const stream = this.#stream
    if (stream === null) return
    await this.#done((done) => {
      stream.once('error', done)
      stream.once('close', () => done())
      stream.end()
    })
  }

  #done(start: (done: (error?: unknown) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      start((error) => {
        if (error) reject(cannot(this.#path, error))
        else resolve()
      })
    })
  }
}

function open(path: string): Writable {
  try {
    const fd = openSync(path, 'w')
    // A write(2) to a full FIFO in a thread would keep the process from ending. But net.Socket is no way to one elsewhere.
    if (fstatSync(fd).isFIFO() && isNode) return new Socket({ fd, readable: false, writable: true })
    return createWriteStream('', { fd })
  } catch (error) {
    throw cannot(path, error)
  }
}

function cannot(path: string, error: unknown): Failure {
  return new Failure(`cannot write to ${path}: ${reason(error)}`)
}
