'use strict'

// An agent, asked in all ways there are. A session knows of its own request once the callback of `send` was called: an
// answer that came before would not be one.

const assert = require('node:assert')
const { once } = require('node:events')
const snmp = require('net-snmp')
const { called, family, loopback, program } = require('./program')

const BASE = '1.3.6.1.4.1.8072.9999.9999'
const TABLE = `${BASE}.2`

function show({ oid, type, value }) {
  return { oid, type: snmp.ObjectType[type], value: Buffer.isBuffer(value) ? String(value) : value }
}

function fill(agent) {
  const scalar = { type: snmp.MibProviderType.Scalar, maxAccess: snmp.MaxAccess['read-write'] }
  const column = (number, name, type) => ({ number, name, type, maxAccess: snmp.MaxAccess['read-only'] })
  agent.registerProvider({
    ...scalar,
    name: 'text',
    oid: `${BASE}.1`,
    scalarType: snmp.ObjectType.OctetString,
  })
  agent.registerProvider({
    name: 'table',
    type: snmp.MibProviderType.Table,
    oid: TABLE,
    maxAccess: snmp.MaxAccess['not-accessible'],
    tableColumns: [
      column(1, 'index', snmp.ObjectType.Integer),
      column(2, 'name', snmp.ObjectType.OctetString),
    ],
    tableIndex: [{ columnName: 'index' }],
  })
  const mib = agent.getMib()
  mib.setScalarValue('text', 'a text')
  for (let row = 1; row <= 30; row++) mib.addTableRow('table', [row, `row ${row}`])
}

program(async () => {
  const user = { name: 'somebody', level: snmp.SecurityLevel.authNoPriv }
  const login = { ...user, authProtocol: snmp.AuthProtocols.sha256, authKey: 'not a secret' }
  // A number would have to be another one than 0, which is "the protocol's own" here.
  const agent = snmp.createAgent({ port: '0', address: loopback, transport: family }, (error) => {
    if (error) throw error
  })
  fill(agent)
  agent.getAuthorizer().addCommunity('private')
  agent.getAuthorizer().addUser(login)
  const [socket] = Object.values(agent.listener.sockets)
  await once(socket, 'listening')
  const { port } = socket.address()

  const options = { port, transport: family, timeout: 20_000 }
  const session = snmp.createSession(loopback, 'private', { ...options, version: snmp.Version2c })
  const v3 = snmp.createV3Session(loopback, login, options)
  const text = `${BASE}.1.0`
  const get = async (from, oids) => (await called((done) => from.get(oids, done)))[0].map(show)
  const answers = { get: await get(session, [text, `${TABLE}.2.1`]) }
  answers.next = (await called((done) => session.getNext([text], done)))[0].map(show)
  answers.bulk = (await called((done) => session.getBulk([TABLE], 0, 5, done)))[0][0].map(show)
  const change = [{ oid: text, type: snmp.ObjectType.OctetString, value: 'another text' }]
  answers.set = (await called((done) => session.set(change, done)))[0].map(show)
  answers.walk = []
  const walked = (varbinds) => {
    answers.walk.push(...varbinds.map(show))
  }
  await called((done) => session.subtree(TABLE, 10, walked, done))
  answers.together = await Promise.all(
    Array.from({ length: 20 }, (_, row) => get(session, [`${TABLE}.2.${row + 1}`])),
  )
  answers.v3 = await get(v3, [text])
  assert.deepStrictEqual([answers.get[1].value, answers.v3[0].value], ['row 1', 'another text'])
  assert.strictEqual(answers.walk.length, 60)

  const sessions = [session, v3]
  await Promise.all(
    sessions.map((each) => new Promise((resolve) => each.on('close', resolve) && each.close())),
  )
  const { port: closed, ...address } = await new Promise((resolve) => agent.close(resolve))
  return { ...answers, address, same: closed === port }
})
