'use strict'

// What the addon does in its life, once over in short, for tools under which the test suite would take hours: every way
// of receiving over both backends and both readinesses, the errors, the ends of sockets and of workers.

const assert = require('node:assert')
const { once } = require('node:events')
const path = require('node:path')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const { PacketBatch, UdpSocket, capabilities, recvMmsg } = require('../../index.js')

const testkit = require(path.join(__dirname, '..', '..', '.build', 'testkit.node'))

const { gro, gso, recvmmsg, uvPoll } = capabilities()
const backends = recvmmsg ? ['mmsg', 'portable'] : ['portable']
const readinesses = uvPoll ? ['uv', 'thread'] : ['thread']
const PATIENCE = { timeout: 60_000 }

/** Sends `count` numbered datagrams: as one coalesced message where the kernel has such, else singly. */
function send(sender, to, count) {
  const { address, port } = to.address()
  const payloads = Array.from({ length: count }, (_, index) => Buffer.alloc(100, index))
  if (gso && count > 1) testkit.sendGso(sender.fd, address, port, Buffer.concat(payloads), 100)
  else for (const payload of payloads) sender.send(payload, port, address)
}

/** Reads all that a batch shows, in every way it can be read. */
function look(batch) {
  for (const packet of batch) {
    assert.equal(packet.size, 100)
    assert.equal(packet.data[0], packet.copy().data[99])
    assert.ok(packet.port > 0 && packet.address.length > 0)
  }
  batch.copy()
  batch.bytes.subarray(0, batch.offsetAt(batch.length - 1) + batch.sizeAt(batch.length - 1)).toString('hex')
}

function synchronous(socket, sender) {
  // One that is larger than those before has the socket's headers grow.
  const batches = [1, 4, 64].map((capacity) => new PacketBatch({ capacity }))
  assert.equal(socket.recv(batches[0]), 0)
  assert.equal(socket.recv(batches[0], { timeout: 5 }), 0)
  for (const receive of [socket.recv.bind(socket), recvMmsg.bind(null, socket)]) {
    for (const batch of batches) {
      send(sender, socket, 12)
      let received = 0
      while (received < 12) {
        received += receive(batch, PATIENCE)
        look(batch)
        batch.clear()
      }
    }
  }
}

async function events(socket, sender) {
  const all = { received: 0 }
  const done = new Promise((resolve) => {
    socket.on('batch', function listen(batch) {
      look(batch)
      all.received += batch.length
      if (all.received < 24) return
      socket.off('batch', listen)
      resolve()
    })
  })
  send(sender, socket, 12)
  socket.pause()
  send(sender, socket, 12)
  socket.resume()
  await done
}

async function loop(socket, sender) {
  let received = 0
  send(sender, socket, 12)
  for await (const batch of socket) {
    look(batch)
    received += batch.length
    if (received === 12) send(sender, socket, 12)
    if (received === 24) break
  }
}

/** A small slot cuts a datagram, a refused one is told, a foreign descriptor is noticed, closing ends what waits. */
async function edges(backend) {
  const address = '127.0.0.1'
  const small = UdpSocket.bind({ address, backend, packetSize: 10, strict: true })
  const sender = UdpSocket.bind({ address })
  const batch = new PacketBatch({ capacity: 1, packetSize: 10 })
  sender.send(Buffer.alloc(64), small.address())
  assert.equal(small.recv(batch, PATIENCE), 1)
  assert.ok(batch.at(0).truncated)

  const gone = UdpSocket.bind({ address })
  sender.connect(gone.address().port, address)
  gone.close()
  sender.send('to nobody')
  await sender.readable()
  assert.throws(() => sender.recv(new PacketBatch({ capacity: 1 })), { code: 'ECONNREFUSED' })

  const copy = UdpSocket.fromFd(small.fd, { dup: true, packetSize: 10, backend })
  assert.equal(
    await copy.readable({ signal: AbortSignal.timeout(5) }).catch(({ name }) => name),
    'AbortError',
  )
  const turns = (async () => {
    for await (const _ of copy);
  })()
  await new Promise(setImmediate)
  copy.close()
  await turns

  const lost = UdpSocket.bind({ address, backend }).on('batch', () => {})
  const { fd } = lost
  testkit.dup2(small.fd, fd)
  assert.throws(() => lost.pause().resume(), { code: 'EBADF' })
  lost.close()
  testkit.closeFd(fd)
  for (const socket of [small, sender]) socket.close()
}

async function everything() {
  for (const backend of backends) {
    for (const readiness of readinesses) {
      process.env.RECVMMSG_READINESS = readiness
      for (const address of ['127.0.0.1', '::1']) {
        for (const strict of [false, true]) {
          const open = (options) => UdpSocket.bind({ address, ...options })
          const socket = open({ backend, strict, gro, capacity: 4 })
          const sender = open({ gro: false, packetSize: 2048 })
          synchronous(socket, sender)
          await events(socket, sender)
          await loop(socket, sender)
          socket.stats()
          await socket[Symbol.asyncDispose]()
          sender.close()
        }
      }
      await edges(backend)
    }
  }
}

/** A worker that does it all and ends in one of three ways, each with sockets open and watched. */
async function worker(ending) {
  const child = new Worker(__filename, { workerData: ending })
  const [said] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  assert.equal(said, 'ready')
  if (ending === 'terminate' || ending === 'blocked') await child.terminate()
  else await once(child, 'exit')
}

async function inWorker(ending) {
  await everything()
  const sockets = readinesses.map((readiness) => {
    process.env.RECVMMSG_READINESS = readiness
    return UdpSocket.bind({ address: '127.0.0.1' }).on('batch', () => {})
  })
  parentPort.postMessage('ready')
  if (ending === 'blocked') sockets[0].recv(new PacketBatch(), { timeout: Number.POSITIVE_INFINITY })
  if (ending === 'exit') process.exit()
}

async function main() {
  await everything()
  for (const ending of ['exit', 'terminate', 'blocked']) await worker(ending)
  console.log('exercise: done')
}

if (isMainThread) main()
else inWorker(workerData)
