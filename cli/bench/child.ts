/** Child processes that tell in lines of JSON. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Failure } from '../problem'

/** How long an answer may take, in milliseconds, on a machine that has other things to do. */
const PATIENCE_MS = 20_000

export class Child {
  static readonly #running = new Set<Child>()
  readonly #process: ChildProcess
  readonly #lines: string[] = []
  readonly #closed: Promise<void>
  #errors = ''
  #over = false
  /** Called when there is something new. */
  #wake: () => void = () => {}

  constructor(command: string, args: string[]) {
    this.#process = spawn(command, args, { env: environment(), stdio: ['pipe', 'pipe', 'pipe'] })
    Child.#running.add(this)
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      this.#lines.push(line)
      this.#wake()
    })
    this.#process.stderr!.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-2000)
    })
    // It may end before it has read.
    this.#process.stdin!.on('error', () => {})
    this.#closed = new Promise((resolve) => {
      const over = (error?: unknown) => {
        if (error instanceof Error) this.#errors ||= error.message
        this.#over = true
        Child.#running.delete(this)
        this.#wake()
        resolve()
      }
      this.#process.on('error', over)
      this.#process.on('close', over)
    })
  }

  /** Ends all there are, at once. */
  static killAll(): void {
    for (const child of Child.#running) child.#process.kill('SIGKILL')
  }

  /** The next line. */
  async answer<T>(): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS
    while (this.#lines.length === 0) {
      const left = deadline - performance.now()
      if (this.#over || left <= 0) throw new Failure(this.#complaint())
      await this.#change(left)
    }
    return JSON.parse(this.#lines.shift()!)
  }

  /** Asks for a line. */
  ask<T>(): Promise<T> {
    this.#process.stdin!.write('\n')
    return this.answer()
  }

  /** The last line, once it has ended, which is to be within so long. */
  async last<T>(ms: number): Promise<T> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), ms + PATIENCE_MS)
    await this.#closed.finally(() => clearTimeout(timer))
    const line = this.#lines.at(-1)
    if (line === undefined) throw new Failure(this.#complaint())
    return JSON.parse(line)
  }

  async end(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#closed
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #complaint(): string {
    const lines = this.#errors.split('\n').map((line) => line.trim())
    return lines.find((line) => /error|recvmmsg:/i.test(line)) ?? lines.find(Boolean) ?? 'it gave no answer'
  }
}

/** Ours without what would change a receiver. */
function environment(): NodeJS.ProcessEnv {
  const {
    NODE_OPTIONS: _options,
    RECVMMSG_STRICT: _strict,
    RECVMMSG_READINESS: _readiness,
    ...rest
  } = process.env
  return rest
}
