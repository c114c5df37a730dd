/** The `recvmmsg` command as a child process. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const root = join(__dirname, '..', '..')
export const main = join(root, 'cli', 'main.js')

const DEADLINE = 15_000

const children = new Set<ChildProcess>()

export async function until<T>(
  what: string,
  find: () => T | null | undefined | false,
  patience: number = DEADLINE,
): Promise<T> {
  const deadline = Date.now() + patience
  for (;;) {
    const found = find()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** For `afterEach`: ends what still runs. */
export async function endAll(): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children.clear()
}

/** A running command, and what it writes. */
export class Running {
  readonly child: ChildProcess
  readonly #stdout: Buffer[] = []
  stderr = ''
  code: number | null | undefined

  constructor(args: string[], { env = {}, command = [process.execPath, main] } = {}) {
    const [program, ...first] = command
    this.child = spawn(program!, [...first, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(this.child)
    this.child.stdout!.on('data', (data) => this.#stdout.push(data))
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text
    })
    this.child.on('close', (code) => {
      this.code = code
    })
  }

  /** All of its standard output. */
  get bytes(): Buffer {
    return Buffer.concat(this.#stdout)
  }

  get stdout(): string {
    return this.bytes.toString()
  }

  /** The port it listens on. */
  async port(): Promise<number> {
    const find = () => /^listening on \S+:(\d+) /m.exec(this.stderr) ?? /"port":(\d+)/.exec(this.stderr)
    return Number((await until('it listens', find))[1])
  }

  /** Its exit code; `null` when a signal ended it. */
  async end(patience?: number): Promise<number | null> {
    const ended = await until('it ends', () => this.code !== undefined && { code: this.code }, patience)
    return ended.code
  }
}

/** Runs it to its end. */
export function run(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    timeout: DEADLINE,
  })
  return { code: status, stdout, stderr }
}
