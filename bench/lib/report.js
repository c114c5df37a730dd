'use strict'

// docs/performance.md: its figures, between two comments, and its chart.

const fs = require('node:fs')
const path = require('node:path')
const { chart } = require('./chart')
const { asMarkdown } = require('./table')

const docs = path.resolve(__dirname, '..', '..', 'docs')
const page = path.join(docs, 'performance.md')
const BEGIN = '<!-- figures: written by npm run bench -- --write -->'
const END = '<!-- end of figures -->'

function writeReport({ conditions, options, results, targets }) {
  const text = fs.readFileSync(page, 'utf8')
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`docs/performance.md has no ${BEGIN} … ${END}`)
  const svg = chart(results)
  const figures = [
    facts(conditions, options),
    ...(svg ? ['![CPU nanoseconds per datagram of each receiver](performance.svg)'] : []),
    asMarkdown(results, targets),
  ].join('\n\n')
  fs.writeFileSync(page, `${text.slice(0, start)}${BEGIN}\n\n${figures}\n\n${text.slice(end)}`)
  if (svg) fs.writeFileSync(path.join(docs, 'performance.svg'), svg)
}

/** The machine and the versions, in a list. */
function facts({ cpu, cpus, kernel, arch, pinned, rmemMax, versions }, { rounds }) {
  const { recvmmsg, node, c, go, bun, deno } = versions
  const lines = [
    `${cpu}, ${cpus} CPUs, ${arch}; ${kernel}; net.core.rmem_max ${rmemMax.toLocaleString('en-US')}`,
    pinned ? 'sender on one CPU, receiver on another' : 'sender and receiver not pinned',
    `recvmmsg ${recvmmsg}; Node.js ${node}; Bun ${bun}; Deno ${deno}; Go ${go}; C compiled by ${c}`,
    `medians of ${rounds} rounds`,
  ]
  return lines.map((line) => `- ${line}`).join('\n')
}

module.exports = { writeReport }
