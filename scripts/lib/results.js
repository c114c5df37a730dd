'use strict'

// Reads what the two test runners report.

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const COLOUR = /\u001b\[[\d;]*m/g

/** Sums up the output of `cargo test`, which has a result line for each of its test programs. */
function cargoResults(output, exitCode) {
  const results = { passed: 0, failed: 0, skipped: [] }
  for (const line of output.replace(COLOUR, '').split(/\r?\n/)) {
    const sum = /^test result: \w+\. (\d+) passed; (\d+) failed;/.exec(line)
    if (sum) {
      results.passed += Number(sum[1])
      results.failed += Number(sum[2])
    }
    const ignored = /^test (.+) \.\.\. ignored(?:, (.*))?$/.exec(line)
    if (ignored) results.skipped.push({ name: ignored[1], reason: ignored[2] })
  }
  return withFailure(results, exitCode)
}

/**
 * Sums up the report of jest-reporter.js (nothing when it could not be read). A skipped test carries its reason in
 * its name: 'receives jumbo frames [skipped: no such interface]'.
 */
function jestResults(report, exitCode) {
  const { passed, failed, skipped } = report ?? { passed: 0, failed: 0, skipped: [] }
  const split = (fullName) => /^(?<name>.*?)(?: \[skipped: (?<reason>.*)\])?$/s.exec(fullName).groups
  return withFailure({ passed, failed, skipped: skipped.map(split) }, exitCode)
}

/** What did not even get as far as a failing test (it did not compile, it crashed) is one failure. */
function withFailure(results, exitCode) {
  if (exitCode !== 0 && results.failed === 0) results.failed = 1
  return results
}

/** The closing lines: every skipped test with its reason, and the sum. */
function summary(all) {
  const sum = (key) => all.reduce((total, results) => total + results[key], 0)
  const skipped = all.flatMap((results) => results.skipped)
  return [
    ...skipped.map(({ name, reason }) => `skipped: ${name}${reason ? ` (${reason})` : ''}`),
    `${sum('passed')} passed, ${sum('failed')} failed`,
  ].join('\n')
}

module.exports = { cargoResults, jestResults, summary }
