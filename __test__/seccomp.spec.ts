// A sandbox takes recvmmsg(2) away in mid-life: the socket goes on with the loop, nothing is lost or merged.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { capabilities, type SocketStats } from '../index'

const { recvmmsg, gro, gso } = capabilities()
const possible = recvmmsg && gro && gso
const suite = possible ? describe : describe.skip
const reason = possible ? '' : ' [skipped: needs recvmmsg, UDP_GRO and UDP_SEGMENT]'

/** What the child tells. */
interface Result {
  sent: number
  received: number[]
  backends: string[]
  stats: SocketStats
  recvmmsg: boolean
  refused: string | null
  later: string
}

/** What the child that sends tells. */
interface Sent {
  sent: number
  received: number[]
  messages: number
}

function run<T = Result>(child: string, ...argv: string[]): Promise<T> {
  const script = join(__dirname, `children/${child}.js`)
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, ...argv], { timeout: 15_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(JSON.parse(stdout))
    })
  })
}

const table = ['before', 'after'].flatMap((when) =>
  ['recv', 'events'].flatMap((how) => ['ENOSYS', 'EPERM', 'EACCES'].map((errno) => ({ when, how, errno }))),
)

suite(`a seccomp filter${reason}`, () => {
  test.each(table)('$when the first batch, $errno, read by $how: goes on with the loop', async (row) => {
    const result = await run('seccomp', row.when, row.errno, row.how, 'auto')
    expect(result.received).toEqual(Array.from({ length: result.sent }, (_, index) => index))
    expect(result.backends).toEqual(['mmsg', 'portable'])
    expect(result.stats).toMatchObject({ datagrams: result.sent, errors: {}, overflow: 0, truncated: 0 })
    // Still one message per forty datagrams: the loop reads the kernel's control messages too.
    expect(result.stats).toMatchObject({ messages: result.sent / 40 })
    expect(result.recvmmsg).toBe(false)
  })

  test('forbids backend mmsg from then on, and auto takes the loop', async () => {
    const result = await run('seccomp', 'before', 'EPERM', 'recv', 'mmsg')
    expect(result.refused).toBe('ERR_RECVMMSG_UNSUPPORTED')
    expect(result.later).toBe('portable')
    expect(result.received).toHaveLength(result.sent)
  })

  const sending = ['before', 'after'].flatMap((when) =>
    ['ENOSYS', 'EPERM', 'EACCES'].map((errno) => ({ when, errno })),
  )
  test.each(sending)(
    'of sendmmsg, $when the first batch, $errno: sends with the loop',
    async ({ when, errno }) => {
      const told = await run<Sent>('seccomp-send', when, errno)
      expect(told.received).toEqual(Array.from({ length: told.sent }, (_, index) => index))
      expect(told).toMatchObject({ refused: 0, unfit: 'EINVAL', errors: { EINVAL: 1 } })
      // Receiving is another call; and segments are still segments.
      expect(told).toMatchObject({ sendmmsg: false, recvmmsg: true, backend: 'mmsg' })
      expect(told.messages).toBeLessThan(told.sent / 40)
    },
  )
})
