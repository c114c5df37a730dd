'use strict'

// Makes a failing program smaller as long as it fails.

const { performance } = require('node:perf_hooks')

/** Lists that operations are in: each program with one run of each list left out, long runs first. */
function* without(list) {
  for (let length = list.length; length >= 1; length = length >> 1) {
    for (let start = 0; start + length <= list.length; start += length) {
      yield [...list.slice(0, start), ...list.slice(start + length)]
    }
  }
}

/** The same value with something less inside: fewer operations or options, plainer arguments. */
function* smaller(value) {
  if (value === null || typeof value !== 'object') return
  for (const [key, inside] of Object.entries(value)) {
    const put = (other) => (Array.isArray(value) ? replaced(value, key, other) : { ...value, [key]: other })
    if (LISTS.has(key) && Array.isArray(inside)) for (const less of without(inside)) yield put(less)
    if (key === 'size' && inside > 1) yield put(1)
    if (key === 'salt' && inside > 0) yield put(0)
    if (key === 'throws' && inside) yield put(false)
    if (key === 'as' && inside !== 'Buffer') yield put('Buffer')
    if (key === 'how' && inside !== 'createSocket' && value.op === 'create') yield put('createSocket')
    for (const less of smaller(inside)) yield put(less)
  }
}

const LISTS = new Set(['steps', 'ops', 'entries'])

function replaced(list, index, item) {
  const copy = [...list]
  copy[index] = item
  return copy
}

/** Candidates: steps as lists of operations, and what is inside. */
function* candidates(program) {
  for (const steps of without(program.steps)) yield { ...program, steps }
  for (const [index, step] of program.steps.entries()) {
    for (const ops of without(step)) yield { ...program, steps: replaced(program.steps, index, ops) }
    const merged = program.steps[index + 1]
    if (merged !== undefined) {
      const rest = program.steps.slice(index + 2)
      yield { ...program, steps: [...program.steps.slice(0, index), [...step, ...merged], ...rest] }
    }
  }
  yield* smaller(program)
}

/** The smallest program found in `milliseconds` of which `fails` gives a difference, with it. */
async function shrink(program, found, fails, milliseconds = 10_000) {
  const deadline = performance.now() + milliseconds
  let best = { program, found }
  search: for (;;) {
    for (const candidate of candidates(best.program)) {
      if (performance.now() > deadline) return best
      const difference = await fails(candidate)
      if (difference === null) continue
      best = { program: candidate, found: difference }
      continue search
    }
    return best
  }
}

module.exports = { shrink }
