'use strict'

// Runs the specs without jest, each file in a process of its own, and holds what fails against the table of what the
// runtime lacks.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { LACKS, LEFT_OUT } = require('../lacks')
const { house } = require('./house')
const { place } = require('./install')

/** For one file. */
const DEADLINE_MS = 600_000
const MAIN = path.join(house, 'scripts', 'platforms', 'harness', 'main.js')

/** All tests of the last run, a line of JSON each. */
const reportOf = ({ name }) => path.join(place, `${name}.jsonl`)

/** What became of the tests of `spec` in a process that runs those of `choice`. */
async function execute({ name, command, children }, spec, choice) {
  const outside = children?.specs.includes(spec)
  const report = path.join(place, `report-${name}-${spec}-${process.pid}.jsonl`)
  fs.writeFileSync(report, '')
  const [program, ...first] = outside ? [process.execPath] : command
  const file = path.join(house, '__test__', `${spec}.spec.js`)
  const child = spawn(program, [...first, MAIN, file, report, JSON.stringify(choice)], {
    cwd: house,
    env: {
      ...process.env,
      CI: 'true',
      NO_COLOR: '1',
      RECVMMSG_CHILDREN: outside ? children.program : '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what a spec has started and left behind ends with it.
    detached: true,
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  })
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nothing is left of it.
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, end)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const ended = await new Promise((resolve, reject) => {
    child.on('error', reject)
    // When it has exited, and not when its output has closed: what it left behind may hold that.
    child.on('exit', end)
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  }).finally(() => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, end)
  })
  const events = fs
    .readFileSync(report, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  fs.rmSync(report)
  const tests = events.filter(({ status }) => ['passed', 'failed', 'skipped'].includes(status))
  if (events.at(-1)?.status === 'end') return tests
  // Of what it died: of the test that it was at, or before any.
  const last = events.at(-1)
  const at = last?.status === 'started' ? last.name : `(${last ? `after ${last.name}` : 'loading it'})`
  return [...tests, { name: at, status: 'failed', error: `the process ended: ${ended}\n${output}` }]
}

/** Runs specs; sums of their tests, and what is wrong in a line or more each. */
async function runSpecs(runtime, specs) {
  fs.rmSync(reportOf(runtime), { force: true })
  const sums = { passed: 0, failed: 0, skipped: 0, lacking: 0 }
  for (const spec of specs) {
    const begun = Date.now()
    const { counts, problems } = await runSpec(runtime, spec)
    for (const problem of problems) console.log(problem)
    const seconds = ((Date.now() - begun) / 1000).toFixed(1)
    console.log(`${runtime.name} ${spec}: ${inWords(counts)} (${seconds} s)`)
    for (const [name, count] of Object.entries(counts)) sums[name] += count
  }
  return sums
}

/** '3 passed, 0 failed, 1 skipped' */
function inWords(counts) {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
}

/**
 * Runs one spec: counts, and lines that tell what is wrong. What is listed as lacking is run, too, and is wrong when it
 * passes; what would end the process is run apart.
 */
async function runSpec(runtime, spec) {
  const listed = LACKS[runtime.name]?.[spec] ?? []
  const texts = listed.map(({ tests }) => tests.source)
  const apart = listed.filter(({ ends }) => ends).map(({ tests }) => tests.source)
  const leftOut = (LEFT_OUT.tests[spec] ?? []).map(({ tests }) => tests.source)
  const tests = await execute(runtime, spec, { without: [...apart, ...leftOut], short: texts })
  for (const text of apart) tests.push(...(await execute(runtime, spec, { only: [text], short: texts })))
  fs.appendFileSync(reportOf(runtime), tests.map((test) => `${JSON.stringify({ spec, ...test })}\n`).join(''))
  const counts = { passed: 0, failed: 0, skipped: 0, lacking: 0 }
  const problems = []
  for (const { name, status, error } of tests) {
    const lacking = texts.some((text) => new RegExp(text).test(name))
    if (lacking && status === 'failed') counts.lacking++
    else if (lacking && status === 'passed') {
      counts.failed++
      problems.push(`STALE ${spec}: ${name}\n  is listed in scripts/platforms/lacks.js, and passes`)
    } else {
      counts[status]++
      if (status === 'failed') problems.push(`FAILED ${spec}: ${name}\n${indented(error)}`)
    }
  }
  for (const text of texts) {
    if (tests.some(({ name }) => new RegExp(text).test(name))) continue
    counts.failed++
    problems.push(`STALE ${spec}: no test is called /${text}/`)
  }
  return { counts, problems }
}

function indented(text) {
  const lines = text.trimEnd().split('\n')
  return lines
    .slice(0, 40)
    .map((line) => `    ${line}`)
    .join('\n')
}

module.exports = { inWords, runSpecs }
