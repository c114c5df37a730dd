'use strict'

// 1,000 sockets with a reader each, half of them closed by it. What the process holds before, with them, and after.

const { bind, count, print, send, until } = require('./common')

const SOCKETS = 1000

/** Opens, reads and closes them all; with them open calls `during`. */
async function turn(during = () => {}) {
  let given = 0
  const sockets = Array.from({ length: SOCKETS }, (_, index) =>
    bind({ capacity: 1 }).on('batch', ({ socket }) => {
      given++
      if (index % 2 === 0) socket.close()
    }),
  )
  for (const socket of sockets) send(socket, 'x')
  during()
  await until(() => given === SOCKETS)
  for (const socket of sockets) socket.close()
}

function now() {
  global.gc()
  return { fd: count('fd'), task: count('task'), rss: process.memoryUsage.rss() }
}

/** The same when nothing is left to be freed: V8 frees what was collected on another thread, when that has its turn. */
async function settled() {
  let least = now()
  for (let time = 0; time < 20; time++) {
    await new Promise((resolve) => setTimeout(resolve, 25))
    const { rss } = now()
    least = { ...now(), rss: Math.min(rss, least.rss) }
  }
  return least
}

async function main() {
  const bare = now()
  // What stays for good once anything was read: the helper thread and its poller, the heap's pages.
  for (let time = 0; time < 5; time++) await turn()
  await until(() => count('fd') <= bare.fd + 8)
  const before = await settled()
  let during
  for (let time = 0; time < 3; time++) {
    await turn(() => {
      during = now()
    })
  }
  await until(() => count('fd') <= before.fd)
  const after = await settled()
  print({ ...before, task: bare.task })
  print(during)
  print(after)
  process.exit()
}

main()
