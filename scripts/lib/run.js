'use strict'

// Runs the tools, and ends them with us.

const { spawn } = require('node:child_process')
const os = require('node:os')
const { Interrupted } = require('./problem')

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** How long a foreground child may take to end of the signal that its terminal sent, before we send it one. */
const GRACE_MS = 500

const running = new Set()
let stopping = null

function stop(signal) {
  // npm passes on a signal that the terminal has already sent to everybody: the first one counts.
  if (stopping) return
  stopping = signal
  for (const child of running) {
    if (!child.foreground) child.kill(signal)
    else setTimeout(child.kill, GRACE_MS, signal).unref()
  }
}

/** Throws once the process has been asked to stop; for loops that wait. */
function checkInterrupted() {
  if (stopping) throw new Interrupted(128 + os.constants.signals[stopping])
}

/**
 * Does `work` with SIGINT and the like kept from ending this process: they end the children, after which `run`
 * throws, so that locks are given back and temporary files removed on the way out.
 */
async function interruptible(work) {
  for (const signal of SIGNALS) process.on(signal, stop)
  try {
    return await work()
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

/**
 * Runs a tool to its end and returns its exit code and output.
 *
 * @param {object} options
 * @param {boolean} [options.foreground] the child has our terminal, nothing is captured
 * @param {boolean} [options.echo] show the output while it is captured
 * @param {number} [options.timeout] milliseconds after which it is killed
 */
function run(command, args, { cwd, env = process.env, foreground = false, echo = false, timeout } = {}) {
  return interruptible(async () => {
    checkInterrupted()
    const result = await new Promise((resolve, reject) => {
      // A captured child leads a process group of its own: what it has started itself then ends with it, and the
      // terminal's Ctrl-C reaches it through us only.
      const grouped = !foreground && process.platform !== 'win32'
      const stdio = foreground ? 'inherit' : ['ignore', 'pipe', 'pipe']
      const child = spawn(command, args, { cwd, env, stdio, detached: grouped })
      const entry = { foreground, kill: (signal) => kill(child, signal, grouped) }
      running.add(entry)
      const timer = timeout && setTimeout(entry.kill, timeout, 'SIGKILL')
      const output = { stdout: '', stderr: '', all: '' }
      for (const name of ['stdout', 'stderr']) {
        child[name]?.setEncoding('utf8').on('data', (text) => {
          output[name] += text
          output.all += text
          if (echo) process[name].write(text)
        })
      }
      child.on('error', (error) => {
        clearTimeout(timer)
        running.delete(entry)
        reject(error)
      })
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        running.delete(entry)
        resolve({ code: code ?? 128 + os.constants.signals[signal], ...output })
      })
    })
    // A child in the foreground answers a signal in its own way, and its exit code tells.
    if (!foreground) checkInterrupted()
    return result
  })
}

function kill(child, signal, grouped) {
  try {
    if (grouped) process.kill(-child.pid, signal)
    else child.kill(signal)
  } catch {
    // It has ended by itself.
  }
}

module.exports = { checkInterrupted, interruptible, run }
