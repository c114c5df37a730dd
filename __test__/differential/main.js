'use strict'

// Runs programs with node:dgram and with this package until they differ, or enough has been done. The last line is JSON.
//
//     node __test__/differential/main.js --seed 5 --operations 10000 --readiness thread --backend portable --gro off
//
// `--program 37` runs only that one of them, `--places` goes on until bad arguments have been in nine in ten of the places there are,
// `--against node` compares node:dgram with itself, `--plant name` with itself and something planted, `--trace` prints each
// program's number before it runs.

const { createHash } = require('node:crypto')
const dgram = require('node:dgram')
const { writeSync } = require('node:fs')
const { parseArgs } = require('node:util')
const { PLACES } = require('./forms')
const { Generator } = require('./generate')
const { lock } = require('./lock')
const { node, ours } = require('./modules')
const { planted } = require('./plants')
const { Settler } = require('./settle')
const { showDifference, showProgram } = require('./show')
const { shrink } = require('./shrink')
const { Trial } = require('./trial')

/** Milliseconds, while a program that fails is made smaller. */
const SHORT_PATIENCE = 300

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: process.env.RECVMMSG_SEED ?? '1' },
    operations: { type: 'string', default: '10000' },
    program: { type: 'string' },
    places: { type: 'boolean', default: false },
    readiness: { type: 'string' },
    backend: { type: 'string' },
    gro: { type: 'string' },
    against: { type: 'string' },
    plant: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

function other() {
  if (options.plant !== undefined) return { dgram: planted(dgram, options.plant) }
  if (options.against === 'node') return node
  const { backend, gro } = options
  return ours({ ...(backend && { backend }), ...(gro && { gro: gro === 'on' }) })
}

async function families() {
  const socket = dgram.createSocket('udp6')
  const bound = await new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind(0, '::1', () => resolve(true))
  })
  socket.close()
  return bound ? ['udp4', 'udp6'] : ['udp4']
}

async function search() {
  const settler = await new Settler().open()
  const trial = new Trial(node, other(), settler)
  const immediates = options.readiness !== 'thread'
  const generator = new Generator(Number(options.seed), { families: await families(), immediates })
  const digest = createHash('sha256')
  let found = null
  const enough = () =>
    options.program === undefined
      ? trial.performed >= Number(options.operations) &&
        (!options.places || trial.tried.size >= 0.9 * PLACES.length)
      : generator.count >= Number(options.program)
  while (found === null && !enough()) {
    const program = generator.next()
    if (options.program !== undefined && generator.count !== Number(options.program)) continue
    digest.update(JSON.stringify(program))
    if (options.trace) writeSync(1, `${generator.count}\n`)
    const difference = await trial.run(program)
    if (difference !== null) found = await told(trial, program, difference, generator.count)
  }
  settler.close()
  const { performed: operations } = trial
  const { count: programs } = generator
  return {
    operations,
    programs,
    places: [trial.tried.size, PLACES.length],
    digest: digest.digest('hex'),
    found,
  }
}

/** The difference in a program as small as can be made, for people. */
async function told(trial, program, difference, number) {
  const { performed } = trial
  const small = await shrink(program, difference, (candidate) =>
    trial.run(candidate, SHORT_PATIENCE).catch(() => null),
  )
  trial.performed = performed
  return [
    `seed ${options.seed}, program ${number}, on Node ${process.versions.node}:`,
    showProgram(small.program),
    showDifference(small.found),
  ].join('\n')
}

async function main() {
  if (options.readiness !== undefined) process.env.RECVMMSG_READINESS = options.readiness
  await lock()
  const result = await search()
  if (result.found !== null) console.log(result.found)
  console.log(JSON.stringify({ seed: Number(options.seed), ...result }))
  // A socket that closes when it is bound, and never is, keeps nothing alive but what it is in.
  process.exit(result.found === null ? 0 : 1)
}

main()
