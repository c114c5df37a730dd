// The bind option `coalesce`: a socket that was empty is left alone for a while.

import { setTimeout as delay } from 'node:timers/promises'
import { describeModes, numbers, pair, rounds, take, texts, until } from './support/loop'

// Far longer than what a test does meanwhile.
const LONG = 1000
const SHORT = 30

describeModes((mode) => {
  /** A socket that was empty a moment ago. */
  async function left(coalesce: number) {
    const { socket, from } = pair(mode, { coalesce })
    const given: string[][] = []
    socket.on('batch', (batch) => given.push(texts(batch)))
    from.send(socket, 'first')
    await until(() => given.length === 1)
    return { socket, from, given }
  }

  test('what comes meanwhile arrives together', async () => {
    const { socket, from, given } = await left(LONG)
    for (const text of numbers(3)) {
      from.send(socket, text)
      await rounds(mode)
    }
    await until(() => given.flat().length === 4)
    // The machine may have been slow, but not so slow that each wake found one.
    expect(given.flat()).toEqual(['first', ...numbers(3)])
    expect(given.length).toBeLessThan(4)
    expect(socket.stats().batches).toBe(given.length)
  })

  test('so it does in a loop', async () => {
    const { socket, from } = pair(mode, { coalesce: SHORT })
    from.send(socket, 'first')
    const given: string[][] = []
    for await (const batch of socket) {
      given.push(texts(batch))
      if (given.flat().length === 4) break
      if (given.length === 1) from.send(socket, ...numbers(3))
    }
    expect(given).toEqual([['first'], numbers(3)])
  })

  test('recv and readable() do not wait', async () => {
    const { socket, from, given } = await left(LONG)
    from.send(socket, 'asked for')
    expect(await socket.readable()).toBe(true)
    expect(take(socket, 1)).toEqual(['asked for'])
    from.send(socket, 'by recv')
    expect(take(socket, 1)).toEqual(['by recv'])
    expect(given).toEqual([['first']])
  })

  test('pause(), resume() and a new listener do not shorten it, and close() ends it', async () => {
    const { socket, from, given } = await left(LONG)
    from.send(socket, 'second')
    socket.pause().resume()
    socket.removeAllListeners('batch').on('batch', () => given.push(['too early']))
    await rounds(mode)
    expect(given).toEqual([['first']])
    socket.close()
    await delay(SHORT)
    expect(given).toEqual([['first']])
  })

  test('full batches are taken one after the other', async () => {
    const { socket, from } = pair(mode, { coalesce: LONG, capacity: 1 })
    const given: string[] = []
    socket.pause().on('batch', (batch) => given.push(...texts(batch)))
    from.send(socket, ...numbers(5))
    const begun = performance.now()
    socket.resume()
    await until(() => given.length === 5)
    expect(performance.now() - begun).toBeLessThan(LONG)
  })
})
