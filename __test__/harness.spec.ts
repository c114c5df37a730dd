// What runs the specs on Bun and Deno: it must not find a failing test well.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const main = join(__dirname, '../scripts/platforms/harness/main.js')

interface Event {
  name?: string
  status: string
  error?: string
}

/** Runs a spec; what is told of its tests, but that they start. */
function run(spec: string, choice: object = {}): { status: number | null; events: Event[] } {
  const folder = mkdtempSync(join(tmpdir(), 'recvmmsg-harness-'))
  try {
    const [file, report] = [join(folder, 'a.spec.cjs'), join(folder, 'report.jsonl')]
    writeFileSync(file, spec)
    writeFileSync(report, '')
    const { status } = spawnSync(process.execPath, [main, file, report, JSON.stringify(choice)])
    const lines = readFileSync(report, 'utf8').split('\n').filter(Boolean)
    const events = lines.map((line): Event => JSON.parse(line))
    return { status, events: events.filter((event) => event.status !== 'started') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** 'name: status' of each test. */
const outcomes = (spec: string, choice?: object) =>
  run(spec, choice)
    .events.filter(({ name }) => name !== undefined)
    .map(({ name, status }) => `${name}: ${status}`)

test.each([
  ['a failed expectation', "test('x', () => expect(1).toBe(2))"],
  ['an exception', "test('x', () => { throw new Error('thrown') })"],
  ['a rejection', "test('x', async () => { throw new Error('thrown') })"],
  ['what nobody catches', "test('x', () => new Promise(() => setImmediate(() => { throw new Error('x') })))"],
  ['what nobody awaits', "test('x', () => new Promise(() => void Promise.reject(new Error('x'))))"],
  ['a test that does not end', "test('x', () => new Promise(() => {}), 50)"],
  ['a beforeEach', "beforeEach(() => { throw new Error('x') }); test('x', () => {})"],
  ['an afterEach', "afterEach(() => expect(1).toBe(2)); test('x', () => {})"],
  ['a beforeAll', "beforeAll(() => { throw new Error('x') }); test('x', () => {})"],
  ['a row of a table', "test.each([['x', 1]])('%s', (_, n) => expect(n).toBe(2))"],
])('%s fails', (_what, spec) => {
  expect(outcomes(spec)).toEqual(['x: failed'])
})

test('an afterAll fails for its block', () => {
  const spec = "describe('b', () => { afterAll(() => expect(1).toBe(2)); test('x', () => {}) })"
  expect(outcomes(spec)).toEqual(['b x: passed', 'b afterAll: failed'])
})

test('a process that ends has no end in its report', () => {
  const { status, events } = run("test('x', () => {}); test('y', () => process.exit(3))")
  expect(status).toBe(3)
  expect(events).toEqual([{ name: 'x', status: 'passed' }])
  expect(run("test('x', () => {})").events.at(-1)).toEqual({ status: 'end' })
  expect(run('nonsense(').status).toBe(1)
})

test('hooks run from the outside in and back, once for a block or each', () => {
  const spec = `
    const log = []
    const note = (text) => () => void log.push(text)
    beforeAll(note('A')); afterAll(note('a')); beforeEach(note('E')); afterEach(note('e'))
    describe('inner', () => {
      beforeAll(note('B')); afterAll(note('b')); beforeEach(note('F')); afterEach(note('f'))
      test('one', note('1'))
      test.skip('none', note('0'))
      test('two', note('2'))
    })
    describe.skip('skipped', () => { beforeAll(note('S')); test('x', note('x')) })
    test('last', () => expect(log.join('')).toBe('ABEF1feEF2febE'))`
  expect(outcomes(spec)).toEqual([
    'inner one: passed',
    'inner none: skipped',
    'inner two: passed',
    'skipped x: skipped',
    'last: passed',
  ])
})

test('choices are by name', () => {
  const spec = "for (const name of ['ab', 'bc', 'cd']) test(name, () => {})"
  expect(outcomes(spec, { only: ['b'] })).toEqual(['ab: passed', 'bc: passed'])
  expect(outcomes(spec, { without: ['^b'] })).toEqual(['ab: passed', 'cd: passed'])
})

test('modules are replaced for a block, and mocks take notes', () => {
  const spec = `
    const path = require('node:path')
    test('x', () => {
      const spy = jest.spyOn(path, 'basename').mockReturnValue('mocked')
      expect(path.basename('/a')).toBe('mocked')
      spy.mockRestore()
      expect(path.basename('/a')).toBe('a')
      const called = jest.fn()
      called(1)
      expect(called).toHaveBeenCalledWith(1)
      require('node:fs').writeFileSync(path.join(__dirname, 'b.cjs'), 'exports.value = 1')
      expect(require('./b.cjs').value).toBe(1)
      jest.isolateModules(() => {
        jest.doMock('./b.cjs', () => ({ value: jest.requireActual('./b.cjs').value + 1 }))
        expect(require('./b.cjs').value).toBe(2)
      })
      expect(require('./b.cjs').value).toBe(1)
    })`
  expect(outcomes(spec)).toEqual(['x: passed'])
})
