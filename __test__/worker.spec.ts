// Workers and the end of them, of the process, and of what is garbage.

import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describeModes, expectWell, ipv4Modes, numbers, runChild } from './support/loop'

// Dozens of processes, on a machine that may have other things to do.
jest.setTimeout(90_000)

describeModes((mode) => {
  const child = (name: string, ...args: string[]) => runChild(name, mode, args)

  test('terminate() ends a worker that waits a minute in recv', async () => {
    const env = { ...process.env, CHILD_BACKEND: mode.backend, CHILD_ADDRESS: mode.loopback }
    const worker = new Worker(join(__dirname, 'children', 'waits.js'), { env })
    await once(worker, 'message')
    await delay(100) // nothing outside of it tells that it sits in the call by now
    const begun = performance.now()
    expect(await worker.terminate()).toBe(1)
    expect(performance.now() - begun).toBeLessThan(1000)
  })

  test('process.exit() does not wait for a worker that waits a minute in recv', async () => {
    const ended = await child('exits')
    expect(ended).toMatchObject({ code: 7, signal: null, stderr: '', lines: ['exiting'] })
    expect(ended.lingered).toBeLessThan(1000)
  })

  test('a signal neither shortens nor fails a blocking recv', async () => {
    const [alone, fed] = expectWell(await child('interrupted')) as { count: number; elapsed: number }[]
    expect(alone!.count).toBe(0)
    expect(alone!.elapsed).toBeGreaterThanOrEqual(300)
    expect(alone!.elapsed).toBeLessThan(2000)
    expect(fed!.count).toBe(1)
  })

  // Both of these two hundred times, over all modes.
  test('workers that alone loaded the addon may end with open readers, in each way', async () => {
    expect(expectWell(await child('workers'))).toEqual([{ terminate: 13, exit: 13, throw: 12, end: 12 }])
  })

  test.each(['terminate', 'exit', 'end'])('a worker’s sockets end with it: %s', async (how) => {
    const [[before, during, after]] = expectWell(await child('left', how)) as [[number, number, number]]
    expect(during).toBeGreaterThanOrEqual(before + 50)
    expect(after).toBeLessThan(before + 10)
  })

  test('process.exit() under traffic, again and again', async () => {
    for (const _time of numbers(10)) {
      const ended = await Promise.all(numbers(5).map(() => child('traffic')))
      for (const each of ended) expect(each).toMatchObject({ code: 7, signal: null, stderr: '' })
    }
  })

  test('sockets that nobody holds are collected, with their descriptors', async () => {
    const ended = await runChild('garbage', mode, [], { nodeArgs: ['--expose-gc'] })
    const [before, during, after] = expectWell(ended) as [number, number, number]
    expect(during).toBeGreaterThanOrEqual(before + 50)
    expect(after).toBeLessThanOrEqual(before + 8)
  })

  test('sockets that are read are not collected', async () => {
    const ended = await runChild('garbage', mode, ['read'], { nodeArgs: ['--expose-gc'] })
    expect(expectWell(ended)).toEqual(numbers(20))
  })
}, ipv4Modes)
