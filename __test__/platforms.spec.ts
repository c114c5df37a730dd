// What sums up: a line for each part, and the exit code; and what the registry's report on packages says.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const scripts = join(__dirname, '../scripts')
const { Lack } = require('../scripts/sanitizers/common') as { Lack: ErrorConstructor }
const { verdict } = require('../scripts/audit') as { verdict(text: string): string }

const PREAMBLE = `
  const { inTurn } = require('./platforms/common')
  const { Problem } = require('./lib/problem')
  const { Lack } = require('./sanitizers/common')
  const well = ['well', async () => 'all of it']
  const lacking = ['lacking', async () => { throw new Lack('no such tool') }]
  const broken = ['broken', async () => { throw new Problem('it broke', 'its output') }]
`

function run(script: string) {
  const { status, stdout } = spawnSync(process.execPath, ['-e', PREAMBLE + script], {
    cwd: scripts,
    encoding: 'utf8',
  })
  return { status, lines: stdout.trim().split('\n') }
}

describe('of parts in turn', () => {
  test.each([
    ['what is well', '[well]', 0, ['ok       well: all of it']],
    ['a lack', '[lacking, well]', 0, ['skipped  lacking: no such tool', 'ok       well: all of it']],
    ['a failure', '[broken, well]', 1, ['FAILED   broken: it broke', 'ok       well: all of it']],
    ['a lack, strictly', '[lacking, well], { strict: true }', 1, ['FAILED   lacking: no such tool']],
  ])('%s is told', (_what, works, status, expected) => {
    const told = run(`inTurn(${works})`)
    expect(told.status).toBe(status)
    expect(told.lines).toEqual(expect.arrayContaining(expected))
  })

  test('an error that nobody foresaw ends it', () => {
    const told = run("inTurn([['x', async () => { throw new TypeError('x') }], well])")
    expect(told.status).not.toBe(0)
    expect(told.lines).not.toContainEqual(expect.stringMatching('well'))
  })
})

test.each(['nonsense', '--nonsense', 'floor nonsense'])(
  'npm run test:platforms -- %s tells the parts',
  (args) => {
    const { status, stderr } = spawnSync(process.execPath, ['platforms/test.js', ...args.split(' ')], {
      cwd: scripts,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^usage: npm run test:platforms -- \[runtimes\|installs\|.*types\]/),
    })
  },
)

describe('npm audit', () => {
  const report = (total: number, high: number) =>
    JSON.stringify({
      metadata: { vulnerabilities: { low: 0, high, total }, dependencies: { total: 300 } },
    })

  test('of nothing known is well', () => {
    expect(verdict(report(0, 0))).toBe('nothing known against 300 packages')
  })

  test('of something known fails, and counts it', () => {
    expect(() => verdict(report(2, 2))).toThrow(/^npm audit knows of 2 high\.$/)
    expect(() => verdict(report(2, 2))).not.toThrow(Lack)
  })

  test.each([
    ['an error', '{"message":"405 Method Not Allowed"}', /405 Method Not Allowed/],
    ['no JSON', 'npm error', /no report/],
    ['nothing', '', /no report/],
  ])('of %s says nothing about the packages', (_what, text, message) => {
    expect(() => verdict(text)).toThrow(message)
    expect(() => verdict(text)).toThrow(Lack)
  })
})
