'use strict'

// Runs what a spec has declared, in jest's order, one test after the other.

const { fullName } = require('./tree')
const { settings } = require('./mocks')

/** What nobody has caught belongs to the test that runs. */
let blame = null
for (const event of ['uncaughtException', 'unhandledRejection']) {
  process.on(event, (error) => {
    if (blame) blame(error)
    else throw error
  })
}

/** Does one thing, within its time; rejects with what went wrong. */
function within(milliseconds, run) {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`it has taken more than ${milliseconds} ms`))
    const timer = setTimeout(late, milliseconds)
    blame = reject
    Promise.resolve()
      .then(run)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  }).finally(() => {
    blame = null
  })
}

/** Runs hooks, all of them; the first error. */
async function runHooks(hooks) {
  let first
  for (const { run, timeout } of hooks) {
    try {
      await within(timeout ?? settings.timeout, run)
    } catch (error) {
      first ??= { error }
    }
  }
  return first
}

function outwards(block, name) {
  const own = block.hooks[name]
  const ordered = name === 'beforeEach' ? own : [...own].reverse()
  if (!block.parent) return ordered
  const outer = outwards(block.parent, name)
  return name === 'beforeEach' ? [...outer, ...ordered] : [...ordered, ...outer]
}

/** The error of a test, if any. `limit` shortens its time. */
async function runTest({ parent, run, timeout }, limit) {
  let failure = await runHooks(outwards(parent, 'beforeEach'))
  if (!failure) {
    try {
      await within(Math.min(timeout ?? settings.timeout, limit), run)
    } catch (error) {
      failure = { error }
    }
  }
  const after = await runHooks(outwards(parent, 'afterEach'))
  return failure ?? after
}

/** Whether a block, or a test, has something to run. */
function hasTests(node, wanted) {
  if (node.children) return node.children.some((child) => hasTests(child, wanted))
  return !node.skip && wanted(fullName(node))
}

/**
 * Runs a block.
 *
 * @param {(name: string) => boolean} options.wanted which tests
 * @param {(name: string) => number} options.limit the most time that a test gets, in milliseconds
 * @param {(event: object) => void} options.tell is told of each test's start and end
 */
async function execute(node, options, failed) {
  const { wanted, limit, tell } = options
  if (!node.children) {
    const name = fullName(node)
    if (!wanted(name)) return
    if (node.skip) return tell({ name, status: 'skipped' })
    tell({ name, status: 'started' })
    const failure = failed ?? (await runTest(node, limit(name)))
    return tell({
      name,
      ...(failure ? { status: 'failed', error: shown(failure.error) } : { status: 'passed' }),
    })
  }
  const busy = hasTests(node, wanted)
  const failure = failed ?? (busy ? await runHooks(node.hooks.beforeAll) : undefined)
  for (const child of node.children) await execute(child, options, failure)
  const after = busy ? await runHooks([...node.hooks.afterAll].reverse()) : undefined
  if (after) tell({ name: `${fullName(node)} afterAll`.trim(), status: 'failed', error: shown(after.error) })
}

function shown(error) {
  const text = String(error?.stack || error)
  const message = String(error?.message ?? '')
  const whole = text.includes(message) ? text : `${message}\n${text}`
  return whole.replace(/^ +at .*(harness|node_modules|node:|ext:|\(native).*\n?/gm, '')
}

module.exports = { execute }
