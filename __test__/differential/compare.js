'use strict'

/** The first difference between two runs' logs, `null` where there is none: the step, the lane and both's entries. */
function difference(expected, actual) {
  for (const [step, lanes] of expected.entries()) {
    const others = actual[step] ?? {}
    for (const lane of new Set([...Object.keys(lanes), ...Object.keys(others)])) {
      const found = differenceInLane(lanes[lane] ?? [], others[lane] ?? [])
      if (found !== null) return { step, lane, ...found }
    }
  }
  return null
}

/** How many entries before the difference are shown. */
const CONTEXT = 2

function differenceInLane(expected, actual) {
  const length = Math.max(expected.length, actual.length)
  for (let index = 0; index < length; index++) {
    if (expected[index] === actual[index]) continue
    const first = Math.max(0, index - CONTEXT)
    return { expected: expected.slice(first, index + 3), actual: actual.slice(first, index + 3) }
  }
  return null
}

module.exports = { difference }
