'use strict'

// What a soak measures of its own process, and what it makes of the measurements.

const fs = require('node:fs')

/** What may be added in the time that counts, be it a minute or an hour: the allocators take pages in steps. */
const MOST_KIB = 4096

/** How many standard errors the growth has to be above that, for chance not to be what broke it. */
const SIGMAS = 2

/** One sample, after a collection, so that what is left is what is held. */
function sampleOf(minute) {
  globalThis.gc()
  return {
    minute,
    rss: process.memoryUsage.rss(),
    heap: process.memoryUsage().heapUsed,
    fds: fs.readdirSync('/proc/self/fd').length,
    tasks: fs.readdirSync('/proc/self/task').length,
  }
}

/** Slope of the least-squares line through the points, and its standard error. */
function regression(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))]
  const sum = (of) => points.reduce((total, point) => total + of(point), 0)
  const spread = sum(([px]) => (px - x) ** 2)
  const slope = sum(([px, py]) => (px - x) * (py - y)) / spread
  const rest = sum(([px, py]) => (py - y - slope * (px - x)) ** 2)
  return { slope, error: Math.sqrt(rest / (points.length - 2) / spread) }
}

/** Lines that tell how the samples went, and a sentence for each bound they break. */
function verdict(samples) {
  const lines = []
  const broken = []
  for (const [name, key] of [
    ['RSS', 'rss'],
    ['heap', 'heap'],
  ]) {
    const points = samples.map((sample) => [sample.minute, sample[key] / 1024])
    const { slope, error } = regression(points)
    const minutes = samples.at(-1).minute - samples[0].minute
    const told = `${slope.toFixed(1)} ± ${error.toFixed(1)} KiB a minute`
    lines.push(`${name}: ${told}, ${samples.length} samples over ${minutes.toFixed(1)} minutes`)
    if ((slope - SIGMAS * error) * minutes > MOST_KIB) {
      broken.push(`${name} grows by ${told}, more than ${MOST_KIB} KiB altogether`)
    }
  }
  for (const [name, key] of [
    ['descriptors', 'fds'],
    ['threads', 'tasks'],
  ]) {
    const values = samples.map((sample) => sample[key])
    const [least, most] = [Math.min(...values), Math.max(...values)]
    lines.push(`${name}: ${least} to ${most}`)
    if (least !== most) broken.push(`the number of ${name} went from ${least} to ${most}`)
  }
  return { lines, broken }
}

module.exports = { regression, sampleOf, verdict }
