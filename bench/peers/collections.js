'use strict'

const { PerformanceObserver, constants } = require('node:perf_hooks')

/** Counts minor garbage collections from now on; the result tells how many there were. */
function countMinor() {
  let count = 0
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) {
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) count++
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => count
}

module.exports = { countMinor }
