'use strict'

// One set-up at a time: `npm ci` deletes node_modules, which nobody else may be using or filling meanwhile.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const { setTimeout: sleep } = require('node:timers/promises')
const { checkInterrupted, interruptible } = require('./run')

const POLL_MS = 100

/** After this long an empty file is not a lock that is just being written, but one whose writer died doing so. */
const UNWRITTEN_MS = 2000

/**
 * Does `work` while this process holds the lock `file`. Waits for whoever holds it, telling `onWait` about it once,
 * and takes it over from a process that no longer exists.
 */
function withLock(file, onWait, work) {
  return interruptible(async () => {
    await acquire(file, onWait)
    const release = () => fs.rmSync(file, { force: true })
    process.on('exit', release)
    try {
      return await work()
    } finally {
      process.off('exit', release)
      release()
    }
  })
}

async function acquire(file, onWait) {
  const mine = JSON.stringify({ pid: process.pid, started: startTime(process.pid) })
  let told = false
  while (!create(file, mine)) {
    if (isStale(file)) {
      removeStale(file)
      continue
    }
    if (!told) onWait(read(file)?.pid)
    told = true
    await sleep(POLL_MS)
    checkInterrupted()
  }
}

function create(file, content) {
  try {
    fs.writeFileSync(file, content, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** Who holds the lock. Nothing when it is gone, or not yet written. */
function read(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function isStale(file) {
  const holder = read(file)
  if (!holder) return ageOf(file) > UNWRITTEN_MS
  // A pid alone says little: after a restart, above all of a container, it is soon somebody else's.
  return !isAlive(holder.pid) || startTime(holder.pid) !== holder.started
}

/**
 * Two that wait may find the same dead holder. Unless they take turns, the slower one removes the lock that the
 * faster one has made in the meantime.
 */
function removeStale(file) {
  const turn = `${file}.turn`
  if (!create(turn, '')) {
    if (ageOf(turn) > UNWRITTEN_MS) fs.rmSync(turn, { force: true })
    return
  }
  try {
    if (isStale(file)) fs.rmSync(file, { force: true })
  } finally {
    fs.rmSync(turn, { force: true })
  }
}

function ageOf(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  return stat ? Date.now() - stat.mtimeMs : 0
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** When a process started, in whatever unit the system has: it is only ever compared. Null when there is no telling. */
function startTime(pid) {
  if (process.platform === 'linux') {
    try {
      // The second field is the program's name in brackets, which may itself contain blanks and brackets.
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' ? 'ended' : fields[19]
    } catch {
      return null
    }
  }
  if (process.platform === 'win32') return null
  return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() || null
}

module.exports = { withLock }
