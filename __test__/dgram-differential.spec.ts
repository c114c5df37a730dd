// Seeded programs run with node:dgram and with recvmmsg/dgram: results, errors, events and their order are the same, but
// for what `differential/known.js` lists. RECVMMSG_SEED=n repeats a run, `differential/main.js` a program.

import { randomInt } from 'node:crypto'
import { capabilities } from '../index'
import { differ, type Outcome } from './differential/child'

const PLANTS: string[] = require('./differential/plants').PLANTS

// In CI always the same programs: a change is to be judged, and not the luck of the day.
const seed = Number(process.env.RECVMMSG_SEED || (process.env.CI ? 83 : randomInt(2 ** 31)))
process.stdout.write(`dgram-differential: RECVMMSG_SEED=${seed}\n`)

/** Operations with each way of setting a socket up. */
const OPERATIONS = 10_000
const FEWER = 1000

const { recvmmsg, uvPoll } = capabilities()
const rows = ['uv', 'thread'].flatMap((readiness) =>
  ['mmsg', 'portable'].flatMap((backend) => ['on', 'off'].map((gro) => ({ readiness, backend, gro }))),
)
const [usual, ...others] = rows.filter(
  ({ readiness, backend }) => (uvPoll || readiness === 'thread') && (recvmmsg || backend === 'portable'),
)

/** Shows what was found as it is, and not as a value. */
function expectNothingFound({ found }: Outcome): void {
  if (found !== null) throw new Error(found)
}

describe(`programs of RECVMMSG_SEED=${seed}`, () => {
  test('bad arguments in nine of ten places, and more', async () => {
    const outcome = await differ(seed, { operations: OPERATIONS, places: true, readiness: usual!.readiness })
    expectNothingFound(outcome)
    expect(outcome.operations).toBeGreaterThanOrEqual(OPERATIONS)
    const [tried, all] = outcome.places
    expect(tried / all).toBeGreaterThan(0.9)
  }, 180_000)

  test.each(others)(
    '$readiness $backend, gro $gro',
    async (row) => {
      const outcome = await differ(seed + 1, { operations: FEWER, ...row })
      expectNothingFound(outcome)
      expect(outcome.operations).toBeGreaterThanOrEqual(FEWER)
    },
    60_000,
  )

  test('node:dgram does not differ from itself', async () => {
    expectNothingFound(await differ(seed + 2, { operations: FEWER, against: 'node' }))
  }, 60_000)
})

/** What the report has to show of each. */
const SHOWN: Record<string, RegExp> = {
  'a word of an error message': /must be of type Number/,
  'an error without its port': /'error'/,
  'a byte of a message': /Buffer\(\d{4,}: /,
  'a message that is no Buffer': /Uint8Array\(\d+: /,
  'the properties of rinfo in another order': /{ size: \d+, address/,
  'a callback without its second argument': /callback \S+\(undefined, null\)/,
  'a callback a tick later': /callback/,
  "'close' a tick earlier": /'close'/,
  "'connect' and what follows it swapped": /'connect'/,
  'a method that returns nothing': /bind gives\(undefined\)/,
  'a listener that stays': /listening 2/,
}

describe('something planted in node:dgram is found', () => {
  test.each(PLANTS)(
    '%s',
    async (plant) => {
      const { found } = await differ(1, { operations: 3 * OPERATIONS, plant })
      expect(found).toMatch(SHOWN[plant]!)
      expect(found).toMatch(/^seed 1, program \d+, /)
    },
    60_000,
  )
})

test('a seed is always the same programs', async () => {
  const some = (number: number) => differ(number, { operations: 500, against: 'node' })
  const first = await some(5)
  expect(await some(5)).toEqual(first)
  expect((await some(6)).digest).not.toBe(first.digest)
}, 60_000)
