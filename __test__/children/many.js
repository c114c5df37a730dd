'use strict'

// 1,000 sockets with a reader each, half of them closed by it. What the process holds before, with them, and after.

const fs = require('node:fs')
const { bind, count, print, send, until } = require('./common')

const SOCKETS = 1000

/** Opens, reads and closes them all; with them open calls `during`. What the process holds when all have been read. */
async function turn(during = () => {}) {
  const given = new Set()
  const sockets = Array.from({ length: SOCKETS }, (_, index) =>
    bind({ capacity: 1 }).on('batch', ({ socket }) => {
      given.add(socket)
      if (index % 2 === 0) socket.close()
    }),
  )
  const silent = () => sockets.filter((socket) => !given.has(socket))
  for (const socket of sockets) send(socket, 'x')
  during()
  // A busy kernel drops what waits for its soft interrupts (net.core.netdev_max_backlog): send once more.
  for (let again = 0; again < 10 && silent().length > 0; again++) {
    await until(() => silent().length === 0, 1000).catch(() =>
      silent().forEach((socket) => void send(socket, 'x')),
    )
  }
  await until(() => silent().length === 0)
  const { rss } = now()
  for (const socket of sockets) socket.close()
  return rss
}

/** How many are ours: runtimes start and end others as they see fit. */
function threads() {
  const names = fs.readdirSync('/proc/self/task').map((id) => {
    try {
      return fs.readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()
    } catch {
      return null // it has ended
    }
  })
  return names.filter((name) => name === 'recvmmsg').length
}

function now() {
  global.gc()
  return { fd: count('fd'), task: threads(), rss: process.memoryUsage.rss() }
}

async function main() {
  const bare = now()
  // What stays for good once anything was read: the helper thread and its poller, the heap's pages. And what the allocator
  // keeps for a while: how much that is changes from time to time, its most does not.
  const first = []
  for (let time = 0; time < 5; time++) first.push(await turn())
  // Runtimes open a few of their own when they see fit.
  await until(() => count('fd') <= bare.fd + 8)
  const before = now()
  let during
  const last = []
  for (let time = 0; time < 10; time++) {
    last.push(
      await turn(() => {
        during = now()
      }),
    )
  }
  await until(() => count('fd') <= before.fd + 8)
  const after = now()
  print({ ...before, task: bare.task, rss: Math.max(...first) })
  print(during)
  print({ ...after, rss: Math.min(...last.slice(-3)) })
  process.exit()
}

main()
