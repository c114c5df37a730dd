'use strict'

// 200 sockets with a reader each, half of them closed by it. What the process holds before, with them, and after.

const { bind, count, print, send, until } = require('./common')

async function main() {
  const any = bind()
  send(any, 'x') // the peer, too, is there before
  any.close()
  const now = () => ({ fd: count('fd'), task: count('task') })
  print(now())
  // What stays for good once anything was read: the helper thread and its poller.
  const first = bind().on('batch', () => {})
  send(first, 'x')
  await until(() => first.stats().batches === 1)
  first.close()
  const warm = count('fd')
  let given = 0
  const sockets = Array.from({ length: 200 }, (_, index) =>
    bind({ capacity: 1 }).on('batch', ({ socket }) => {
      given++
      if (index % 2 === 0) socket.close()
    }),
  )
  for (const socket of sockets) send(socket, 'x')
  print(now())
  await until(() => given === 200)
  for (const socket of sockets) socket.close()
  await until(() => count('fd') <= warm)
  print({ ...now(), warm })
  process.exit()
}

main()
