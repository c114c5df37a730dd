// What is said of recvmmsg(2): the example shows what docs/monitoring.md says.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { capabilities } from '../index'

const can = capabilities().recvmmsg ? test : test.skip

can(
  `the claims are as wrong as documented${capabilities().recvmmsg ? '' : ' [skipped: no recvmmsg(2)]'}`,
  () => {
    const file = join(__dirname, '../examples/claims.js')
    const lines = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
      .trim()
      .split('\n')
    const [sockets, fewer, small] = lines.map((line) => JSON.parse(line))
    expect(sockets).toMatchObject({ sent: 4, received: 2, rest: 2 })
    expect(fewer).toMatchObject({ asked: 64, received: 3, again: 0 })
    for (const size of [small.bytes64, small.bytes8000]) {
      // A call of the one is many of the other. What that costs is measured, and not asserted.
      expect(size.recvmsg.calls).toBeGreaterThan(12 * size.recvmmsg.calls)
      expect(size.recvmmsg.ns).toBeGreaterThan(0)
    }
  },
)
