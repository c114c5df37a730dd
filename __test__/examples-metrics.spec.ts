// The program that serves the figures of its sockets: they are those of what was sent to it.

import { PacketBatch } from '../index'
import { Example, endAll } from './support/example'
import { bind, closeAll } from './support/matrix'
import { collect, describeRows } from './support/net'

jest.setTimeout(60_000)
afterEach(async () => {
  closeAll()
  await endAll()
})

describeRows('metrics', (row) => {
  test('tells calls, datagrams, bytes and time, by system call', async () => {
    const example = new Example('metrics', '0', row.loopback, '0')
    const { udp, http } = (await example.listening()) as { udp: number; http: number }
    const socket = bind(row)
    // An echo of each before the next: what is sent at once may be lost where buffers are small.
    for (let size = 1; size <= 20; size++) {
      socket.send('x'.repeat(size), udp, row.loopback)
      collect(socket, new PacketBatch(), 1)
    }
    // What its wake has received and sent is published before it answers.
    const text = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
    const figures = text.split('\n').map((line) => line.split(' ') as [string, string])
    const sum = (name: string, calls = '') =>
      figures
        .filter(([key]) => key.startsWith(name) && key.includes(calls))
        .reduce((total, [, value]) => total + Number(value), 0)
    expect(sum('udp_datagrams_total', 'recv')).toBe(20)
    expect([sum('udp_datagrams_total', 'send'), sum('udp_bytes_total')]).toEqual([20, 420])
    expect(sum('udp_calls_total', 'result="ok"')).toBeGreaterThanOrEqual(40)
    expect(sum('udp_call_seconds_total')).toBeGreaterThan(0)
  })
})
