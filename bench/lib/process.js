'use strict'

// Child processes: lines out of them, and their end whatever happens.

const { spawn } = require('node:child_process')
const { createInterface } = require('node:readline')
const { pinned } = require('./cpu')

const ANSWER_MS = 20_000
const running = new Set()
let stopped = null

class Child {
  #lines = []
  #waiting = null
  #ended = null
  #errors = ''

  constructor(command, args, { cpu, env } = {}) {
    if (stopped) throw stopped
    const [file, all] = pinned(cpu, command, args)
    this.process = spawn(file, all, { env: env ?? childEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(this)
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#settle()
    })
    this.process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-2000)
    })
    this.closed = new Promise((resolve) => {
      const end = (reason) => {
        running.delete(this)
        this.#ended ??= reason
        this.#settle()
        resolve()
      }
      this.process.on('error', (error) => end(error.message))
      this.process.on('close', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  /** taskset(1) executes the command in its own place: the number is the command's. */
  get pid() {
    return this.process.pid
  }

  /** The next line of its output, as JSON. */
  async answer(patience = ANSWER_MS) {
    const line = await this.#line(patience)
    if (line === null) {
      if (stopped) throw stopped
      throw new Error(`${this.#ended ?? 'no answer'}${this.#errors && `: ${firstLine(this.#errors)}`}`)
    }
    return JSON.parse(line)
  }

  /** Asks a receiver what it has received so far. */
  ask() {
    this.process.kill('SIGUSR2')
    return this.answer()
  }

  async end() {
    this.process.kill('SIGKILL')
    await this.closed
  }

  #line(patience) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = null
        resolve(null)
      }, patience)
      this.#waiting = (line) => {
        clearTimeout(timer)
        resolve(line)
      }
      this.#settle()
    })
  }

  #settle() {
    if (this.#waiting === null || (this.#lines.length === 0 && this.#ended === null)) return
    const waiting = this.#waiting
    this.#waiting = null
    waiting(this.#lines.shift() ?? null)
  }
}

/** What a runtime says first when it fails is the source line; the sentence has a word with a colon in front. */
function firstLine(text) {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.find((line) => /^\S*(error|panic|buffer|poll|socket)\S*:/i.test(line)) ?? lines[0]
}

/** Ours without what would change a receiver. */
function childEnvironment(more = {}) {
  const { NODE_OPTIONS, RECVMMSG_STRICT, RECVMMSG_READINESS, ...rest } = process.env
  return { ...rest, ...more }
}

/** Ends all children, and every wait for one of them, with `reason`. */
function stopAll(reason) {
  stopped ??= reason
  for (const child of running) child.process.kill('SIGKILL')
}

/** Throws once all was stopped. */
function checkStopped() {
  if (stopped) throw stopped
}

module.exports = { Child, checkStopped, childEnvironment, stopAll }
