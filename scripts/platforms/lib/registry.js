'use strict'

// A registry of our own, on loopback: verdaccio, which knows nothing but what is published to it.

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const fs = require('node:fs')
const net = require('node:net')
const path = require('node:path')
const { Problem } = require('../../lib/problem')

const CONFIG = `storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
    max_users: -1
packages:
  '**':
    access: $all
    publish: $all
    unpublish: $all
uplinks: {}
log: { type: stdout, format: json, level: warn }
`
const PATIENCE_MS = 30_000

/** A port that is free now. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Starts one that keeps its packages in `directory`.
 *
 * @param {string} node runs it: it needs Node 22
 * @param {string} modules where verdaccio is installed
 * @returns its URL, settings that make npm publish there, and how to end it
 */
async function startRegistry({ directory, node, modules }) {
  fs.mkdirSync(directory, { recursive: true })
  const config = path.join(directory, 'config.yaml')
  fs.writeFileSync(config, CONFIG)
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const program = path.join(modules, 'verdaccio', 'bin', 'verdaccio')
  const child = spawn(node, [program, '--config', config, '--listen', address], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text
    })
  }
  const url = `http://${address}/`
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const close = async () => {
    if (hasEnded()) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  try {
    await answers(url, () => hasEnded() && said)
  } catch (error) {
    await close()
    throw error
  }
  // npm wants a token to publish with; this registry takes anybody's.
  const userconfig = path.join(directory, 'npmrc')
  fs.writeFileSync(userconfig, `registry=${url}\n//${address}/:_authToken=anybody\n`)
  return { url, userconfig, close }
}

/** Asks until there is an answer. */
async function answers(url, hasEnded) {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const ended = hasEnded()
    if (ended !== false) throw new Problem('The registry has ended.', ended)
    try {
      const { ok } = await fetch(`${url}-/ping`)
      if (ok) return
    } catch {
      // Not yet.
    }
    if (Date.now() > end) throw new Problem('The registry does not answer.')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

module.exports = { startRegistry }
