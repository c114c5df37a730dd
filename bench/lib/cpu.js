'use strict'

// CPUs to run on, and what a process has used of them, seen from outside and in the same way for all.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')

const TICK_NS = 10_000_000

/** The CPUs that this process may use: '0-3,8' in /proc. */
function allowedCpus() {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/**
 * Where the sender and the receiver run: apart. The harness itself stays beside the sender. `null` where they cannot be
 * pinned or there is one CPU only; then they share, and a datagram costs more.
 */
function assignCpus() {
  const pinned = spawnSync('taskset', ['-p', String(process.pid)]).status === 0
  const [first, second] = allowedCpus()
  if (!pinned || second === undefined) return null
  spawnSync('taskset', ['-a', '-c', '-p', String(first), String(process.pid)])
  return { sender: first, receiver: second }
}

/** `command` with its arguments, on that CPU. */
function pinned(cpu, command, args) {
  return cpu === undefined ? [command, args] : ['taskset', ['-c', String(cpu), command, ...args]]
}

/** Nanoseconds on CPU of each thread: the first number of its schedstat (Documentation/scheduler/sched-stats.rst). */
function threadTimes(pid) {
  const times = new Map()
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')
      times.set(thread, Number(stat.split(' ')[0]))
    } catch {
      // It has ended between the two calls.
    }
  }
  return times
}

/** User and system time of the whole process, ended threads included, in ns but no finer than ticks: proc_pid_stat(5). */
function ticks(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_NS
}

/** What a process has used so far, for `cpuBetween`. */
function cpuOf(pid) {
  return { threads: threadTimes(pid), ticks: ticks(pid) }
}

/** CPU nanoseconds that a process used between two readings. */
function cpuBetween(before, after) {
  // Without schedstat (CONFIG_SCHED_INFO), or when a thread took its time with it, the coarse figure has to do.
  const all =
    after.threads.size > 0 && [...before.threads.keys()].every((thread) => after.threads.has(thread))
  if (!all) return after.ticks - before.ticks
  let sum = 0
  for (const [thread, time] of after.threads) sum += time - (before.threads.get(thread) ?? 0)
  return sum > 0 ? sum : after.ticks - before.ticks
}

/** Resident memory of a process, in bytes. */
function residentBytes(pid) {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024
}

module.exports = { assignCpus, cpuBetween, cpuOf, pinned, residentBytes }
