'use strict'

// A device is searched for, and announces itself.

const assert = require('node:assert')
const { once } = require('node:events')
const os = require('node:os')

// It takes no interface that is the host's own, so that nobody hears it who has not asked to: here that is the point.
const { networkInterfaces } = os
os.networkInterfaces = () => {
  const all = Object.entries(networkInterfaces()).map(([name, addresses]) => [
    name,
    addresses.filter(({ address }) => address === '127.0.0.1').map((each) => ({ ...each, internal: false })),
  ])
  return Object.fromEntries(all)
}

const { Client, Server } = require('node-ssdp')
const { freePort, program, sender } = require('./program')

const DEVICE = 'urn:schemas-upnp-org:device:MediaServer:1'

/** It leaves to the system where a group is. */
async function start(ssdp) {
  await ssdp.start()
  for (const socket of Object.values(ssdp.sockets)) {
    socket.setMulticastInterface('127.0.0.1')
    socket.setMulticastTTL(0)
    socket.setMulticastLoopback(true)
  }
}

program(async () => {
  const port = await freePort()
  const location = 'http://192.0.2.1/device.xml'
  const server = new Server({ ssdpPort: port, sourcePort: port, location, udn: 'uuid:programs' })
  server.addUSN(DEVICE)
  const client = new Client({ ssdpPort: port })
  await start(server)
  await start(client)

  const tell = ([{ SERVER, DATE, HOST, ...headers }, ...rest]) => {
    const { size, ...from } = sender(rest.pop())
    return { headers, status: rest, from }
  }
  const found = once(client, 'response')
  client.search(DEVICE)
  const answers = [tell(await found)]
  for (const alive of [true, false]) {
    const heard = once(server, alive ? 'advertise-alive' : 'advertise-bye')
    server.advertise(alive)
    answers.push(tell(await heard))
  }
  assert.strictEqual(answers[0].headers.LOCATION, location)
  client.stop()
  // Its first announcement is three seconds after its start, for which its process waits.
  server.stop()
  return answers
})
