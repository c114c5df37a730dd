'use strict'

// A listener that throws, in each position among three; what the others see, and whether it spins afterwards.

const { bind, idleTurns, print, send, until } = require('./common')

const boom = () => {
  throw new Error('boom')
}

/** What the listener in `position` does with a bad datagram. */
const throwing = {
  first: boom,
  middle: boom,
  last: boom,
  tick: () => process.nextTick(boom),
  job: () => void Promise.resolve().then(boom),
  async: async () => boom(),
}

const uncaught = []
// Rejections are told by an event of their own where somebody listens, and in Bun only by that.
for (const event of ['uncaughtException', 'unhandledRejection'])
  process.on(event, (error) => uncaught.push(error.message))

async function run(position) {
  const socket = bind({ capacity: 1 })
  const seen = { first: [], middle: [], last: [] }
  for (const name of ['first', 'middle', 'last']) {
    if (position === 'once' && name === 'first') socket.once('batch', boom)
    socket.on('batch', (batch) => {
      const text = batch.at(0).data.toString()
      seen[name].push(text)
      const here = name in throwing && position in seen ? position : 'middle'
      if (text === 'bad' && name === here && position !== 'once') return throwing[position]()
    })
  }
  socket.pause()
  send(socket, 'bad', 'good', 'bad', 'good')
  socket.resume()
  const times = position === 'once' ? 1 : 2
  await until(() => seen.last.filter((text) => text === 'good').length === 2 && uncaught.length === times)
  print({ position, uncaught: uncaught.splice(0), ...seen, turns: await idleTurns() })
  socket.close()
}

async function main() {
  for (const position of [...Object.keys(throwing), 'once']) await run(position)
}

main()
