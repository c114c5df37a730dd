/** The programs of `examples/`, which print a line of JSON when they listen and others later. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from './loop'

const running = new Set<Example>()

/** For `afterEach`: kills what still runs. */
export async function endAll(): Promise<void> {
  await Promise.all(Array.from(running, (example) => example.end('SIGKILL')))
}

export type Line = Record<string, unknown>

/** A running example, and what it has printed. */
export class Example {
  readonly lines: Line[] = []
  readonly #child: ChildProcess

  constructor(name: string, ...args: string[]) {
    const file = join(__dirname, '../../examples', `${name}.js`)
    this.#child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line)))
    running.add(this)
  }

  async listening(): Promise<Line> {
    await until(() => this.lines.length > 0, 30_000)
    return this.lines[0]!
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    running.delete(this)
    if (this.#child.exitCode !== null) return this.#child.exitCode
    const closed = once(this.#child, 'close')
    this.#child.kill(signal)
    return (await closed)[0]
  }
}
