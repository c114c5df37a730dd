'use strict'

// The receivers: what to start for each, or why it is not to be had, and its version.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

const bench = path.resolve(__dirname, '..')
const peers = path.join(bench, 'peers')
/** As the machine calls its architecture. */
const UNAME = { x64: 'x64', arm64: 'aarch64' }
/** Beside what npm installs, which git ignores. */
const built = path.join(bench, 'node_modules', '.cache', 'recvmmsg-bench')

/** Makes what has to be installed or compiled, as far as that goes, and tells what there is. */
function preparePeers(say) {
  installPackages(say)
  fs.mkdirSync(built, { recursive: true })
  const cc = process.env.CC || 'cc'
  const compiled = (name) =>
    compile(cc, ['-O2', '-o', output(name), path.join(peers, 'c', `${name}.c`)], name)
  const script = (name) => [process.execPath, [path.join(peers, `${name}.js`)]]
  const node = { version: process.version }
  return {
    c: { ...compiled('bare'), version: versionOf(cc, ['--version']) },
    buffer: compiled('buffer'),
    neighbour: compiled('neighbour'),
    go: go(),
    dgram: { ...node, start: script('dgram') },
    recvmmsg: { version: require('../../package.json').version, start: script('recvmmsg') },
    load: compiled('load'),
    'send-c': compiled('send'),
    'echo-c': compiled('echo'),
    ...Object.fromEntries(
      ['send', 'echo'].flatMap((task) => [
        [`${task}-dgram`, { start: script(`${task}/dgram`) }],
        [`${task}-bun`, bun(`${task}/bun`)],
        [`${task}-ours`, { start: script(`${task}/recvmmsg`) }],
      ]),
    ),
    busy: { ...node, start: script('busy') },
    idle: { ...node, start: script('idle') },
    bun: bun('bun'),
    deno: runtime('deno', `@deno/linux-${process.arch}-glibc/deno`, [
      ...['run', '-A', '--unstable-net'],
      path.join(peers, 'deno.mjs'),
    ]),
  }
}

/** Bun, Deno and the charting library; without them only their rows and the chart are missing. */
function installPackages(say) {
  const stamp = path.join(bench, 'node_modules', '.package-lock.json')
  const wanted = path.join(bench, 'package-lock.json')
  if (fs.existsSync(stamp) && fs.statSync(stamp).mtimeMs >= fs.statSync(wanted).mtimeMs) return
  say('installing the packages of bench/…')
  const args = ['ci', '--ignore-scripts', '--loglevel', 'error']
  const { status, stderr } = spawnSync('npm', args, { cwd: bench, encoding: 'utf8' })
  if (status !== 0)
    say(`that failed, so Bun and Deno are measured only where they are on PATH: ${lastLine(stderr)}`)
}

const output = (name) => path.join(built, name)

function compile(command, args, name) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (error) return { missing: `there is no ${command}` }
  if (status !== 0) return { missing: `it does not compile: ${lastLine(stderr) || `exit code ${status}`}` }
  return { start: [output(name), []] }
}

function go() {
  const cwd = path.join(peers, 'go')
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' }
  const { status, error, stderr } = spawnSync('go', ['build', '-o', output('go'), '.'], {
    cwd,
    env,
    encoding: 'utf8',
  })
  if (error) return { missing: 'there is no go' }
  if (status !== 0) return { missing: `it does not build: ${lastLine(stderr)}` }
  const library = /golang\.org\/x\/net (\S+)/.exec(fs.readFileSync(path.join(cwd, 'go.mod'), 'utf8'))[1]
  const version = versionOf('go', ['env', 'GOVERSION']).replace(/^go/, '')
  return { start: [output('go'), []], version: `${version}, golang.org/x/net ${library}` }
}

function bun(name) {
  const script = path.join(peers, `${name}.js`)
  return runtime('bun', `@oven/bun-linux-${UNAME[process.arch]}/bin/bun`, ['run', script])
}

/** A runtime from its package of this platform, which runs without an install script; or from PATH. */
function runtime(name, file, args) {
  for (const command of [path.join(bench, 'node_modules', file), name]) {
    const version = versionOf(command, ['--version'])
    if (version) return { start: [command, args], version: version.replace(/^deno | \(.*/g, '') }
  }
  return { missing: 'not installed, and not on PATH' }
}

function versionOf(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0].trim() : ''
}

function lastLine(text) {
  return text.trim().split('\n').pop().trim()
}

module.exports = { preparePeers }
