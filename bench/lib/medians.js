'use strict'

/** The middle one; of an even number, the mean of the middle two. */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The median of each number that the rounds of one row gave, and of lists of numbers place by place. */
function mediansOf(rounds) {
  const medians = {}
  for (const [key, value] of Object.entries(rounds[0] ?? {})) {
    const values = rounds.map((round) => round[key])
    if (typeof value === 'number') medians[key] = median(values)
    else if (typeof value?.[0] === 'number') {
      medians[key] = value.map((_, index) => median(values.map((list) => list[index])))
    }
  }
  return medians
}

/** What the harness gives of a row: all its rounds, their medians, and what did not come out. */
function summary(row, measured) {
  const { name, section, gro = false, gso = false, base, ours = false, givenBuffer = false } = row
  const rounds = measured.filter((round) => !round.missing)
  const missing = rounds.length === 0 ? (measured[0]?.missing ?? 'not measured') : undefined
  const problems = [...new Set(measured.flatMap((round) => round.problems ?? [round.missing]))]
  // Bun and Deno cannot ask for a buffer, and without the right to trace them nobody can for them.
  const small = givenBuffer && rounds.some((round) => !round.bufferBytes)
  return {
    name,
    section,
    label: small ? `${row.label}, with the system's small buffer` : row.label,
    gro,
    gso,
    base,
    ours,
    ...(missing && { missing }),
    problems: missing ? [] : problems,
    median: rounds.length > 0 ? mediansOf(rounds) : null,
    rounds,
  }
}

module.exports = { summary }
