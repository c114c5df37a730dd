'use strict'

// What a platform is tried with where the specs cannot run: under emulation, and on another C library than this machine's.
// Each way of receiving and sending once, over both backends, and the end of a worker. It prints what it was and on what.

const assert = require('node:assert')
const { once } = require('node:events')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Worker, isMainThread, parentPort } = require('node:worker_threads')
const dgram = require('../../../dgram.js')
const recvmmsg = require('../../../index.js')

const { PacketBatch, UdpSocket, UnixDatagramSocket, capabilities, merge, recvMmsg, sendMmsg } = recvmmsg

const address = '127.0.0.1'
const COUNT = 12
const PATIENCE = { timeout: 60_000 }

const able = capabilities()
const backends = able.recvmmsg ? ['mmsg', 'portable'] : ['portable']
const readinesses = able.uvPoll ? ['uv', 'thread'] : ['thread']
const numbered = () => Array.from({ length: COUNT }, (_, index) => ({ data: Buffer.alloc(100, index) }))

/** Looks at the packets, which go on from number `from`, and gives the number of the next. */
function look(packets, from = 0) {
  let number = from
  for (const { data } of packets) assert.deepEqual(data, Buffer.alloc(100, number++))
  return number
}

/** Receives all of them by `receive`. */
function take(receive) {
  const batch = new PacketBatch()
  let number = 0
  while (number < COUNT) {
    assert.ok(receive(batch, PATIENCE) > 0)
    number = look(batch, number)
    batch.clear()
  }
}

function synchronous(socket, sender) {
  for (const receive of [socket.recv.bind(socket), recvMmsg.bind(null, socket)]) {
    assert.equal(sender.sendBatch(numbered(), { to: socket.address() }).sent, COUNT)
    take(receive)
  }
  assert.equal(socket.recv(new PacketBatch()), 0)
  const batch = new PacketBatch()
  assert.equal(sender.send('question', socket.address()), true)
  assert.equal(socket.recv(batch, PATIENCE), 1)
  assert.equal(sendMmsg(socket, batch).sent, 1)
  assert.equal(sender.recv(batch, PATIENCE), 1)
  assert.equal(String(batch.at(0).data), 'question')
  assert.equal(batch.at(0).port, socket.address().port)
}

async function asynchronous(socket, sender) {
  sender.sendBatch(numbered(), { to: socket.address() })
  let number = 0
  for await (const batch of socket) {
    number = look(batch, number)
    if (number === COUNT) break
  }
  const heard = once(socket, 'batch')
  sender.send('event', socket.address())
  const [batch] = await heard
  assert.equal(String(batch.at(0).data), 'event')
}

/** Control messages are laid out by the C library and the processor. */
function control(backend) {
  const wanted = ['timestamps', 'destinations', 'recvTtl', 'recvTos'].filter((name) => able[name])
  const options = Object.fromEntries(wanted.map((name) => [name, true]))
  const socket = UdpSocket.bind({ address, backend, ...options })
  const batch = new PacketBatch()
  socket.send('self', socket.address())
  assert.equal(socket.recv(batch, PATIENCE), 1)
  const { destination, ttl, tos } = batch.at(0)
  if (able.destinations) assert.equal(destination, address)
  if (able.recvTtl) assert.equal(ttl, 64)
  if (able.recvTos) assert.equal(tos, 0)
  socket.close()
}

function errors(backend) {
  const socket = UdpSocket.bind({ address, backend })
  const { port } = socket.address()
  assert.throws(() => UdpSocket.bind({ address, port }), { code: 'EADDRINUSE', syscall: 'bind' })
  const peer = UdpSocket.bind({ address })
  socket.connect(peer.address().port, address)
  peer.close()
  socket.send('to nobody')
  assert.throws(() => socket.recv(new PacketBatch(), PATIENCE), { code: 'ECONNREFUSED' })
  socket.close()
}

function merged(backend) {
  const sockets = ['127.0.0.1', '127.0.0.2'].map((each) => UdpSocket.bind({ address: each, backend }))
  const both = merge(sockets)
  const batch = new PacketBatch()
  for (const socket of sockets) sockets[0].send('merged', socket.address())
  const from = sockets.map(() => both.recv(batch, PATIENCE) && batch.socket)
  assert.deepEqual(new Set(from), new Set(sockets))
  for (const socket of sockets) socket.close()
}

function unix(backend) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'recvmmsg-smoke-'))
  const options = { path: path.join(directory, 'socket'), mode: 0o600, credentials: true, backend }
  const socket = UnixDatagramSocket.bind(options)
  const sender = UnixDatagramSocket.bind({ path: path.join(directory, 'sender'), backend })
  const batch = new PacketBatch()
  assert.equal(sender.sendBatch(numbered().slice(0, 5), { to: { path: options.path } }).sent, 5)
  let number = 0
  while (number < 5) {
    socket.recv(batch, PATIENCE)
    number = look(batch, number)
    assert.equal(batch.at(0).path, path.join(directory, 'sender'))
    assert.equal(batch.at(0).credentials.pid, process.pid)
  }
  for (const each of [socket, sender]) each.close()
  assert.deepEqual(fs.readdirSync(directory), [])
  fs.rmdirSync(directory)
}

async function likeNode(backend) {
  const socket = dgram.createSocket({ type: 'udp4', backend })
  socket.bind(0, address)
  await once(socket, 'listening')
  const heard = once(socket, 'message')
  socket.send('message', socket.address().port, address)
  const [message, { port }] = await heard
  assert.equal(String(message), 'message')
  assert.equal(port, socket.address().port)
  await new Promise((resolve) => socket.close(resolve))
}

/** A worker that ends with a socket that is being watched. */
async function worker() {
  const child = new Worker(__filename)
  assert.deepEqual(await once(child, 'message'), ['ready'])
  await child.terminate()
}

async function main() {
  for (const backend of backends) {
    for (const readiness of readinesses) {
      process.env.RECVMMSG_READINESS = readiness
      const socket = UdpSocket.bind({ address, backend })
      const sender = UdpSocket.bind({ address, backend })
      assert.equal(socket.backend, backend)
      synchronous(socket, sender)
      await asynchronous(socket, sender)
      for (const each of [socket, sender]) each.close()
    }
    control(backend)
    errors(backend)
    merged(backend)
    unix(backend)
    await likeNode(backend)
  }
  await worker()
  console.log(JSON.stringify({ ...surroundings(), backends, readinesses, able }))
}

/** What this is run by, and which files are mapped: an addon and a C library. */
function surroundings() {
  const { bun, deno, node } = process.versions
  const runtime = bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`
  const mapped = fs.readFileSync('/proc/self/maps', 'utf8').match(/\/.*$/gm)
  const find = (pattern) => [...new Set(mapped.filter((file) => pattern.test(file)))]
  return { runtime, arch: process.arch, addons: find(/\.node$/), libc: find(/\/(libc[.-]|ld-musl)[^/]*$/) }
}

if (isMainThread) {
  main().catch((error) => {
    console.error(error)
    process.exit(1)
  })
} else {
  UdpSocket.bind({ address }).on('batch', () => {})
  parentPort.postMessage('ready')
}
