'use strict'
// A syslog collector: what local programs log to a path (a Unix socket, as /dev/log is one) and other hosts to a UDP port
// goes into a SQLite database, a batch a transaction. Needs node:sqlite, so Node 22.5 or later.
//
//   node examples/syslog.js --path /tmp/log.sock --port 5514 --database /tmp/log.db
//   logger --socket /tmp/log.sock --tag example 'it works'
//
// Backpressure is the loop's own: while the database writes, nothing is received, and messages wait in the kernel. Local
// senders wait as well when that is full; what came by UDP is lost then, and counted: it is in the last line.

const { parseArgs } = require('node:util')
const { merge, PacketBatch, UdpSocket, UnixDatagramSocket } = require('recvmmsg')

const { values } = parseArgs({
  options: {
    path: { type: 'string' },
    port: { type: 'string' },
    address: { type: 'string', default: '127.0.0.1' },
    database: { type: 'string', default: ':memory:' },
  },
})
if (values.path === undefined && values.port === undefined) {
  console.error('usage: syslog.js [--path SOCKET] [--port PORT [--address ADDRESS]] [--database FILE]')
  process.exit(2)
}

const FACILITIES = 'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock'
const SEVERITIES = 'emerg alert crit err warning notice info debug'
const facilities = FACILITIES.split(' ')
const severities = SEVERITIES.split(' ')

/** `<34>1 TIME HOST APP PROCID MSGID SD MESSAGE`, RFC 5424, or `<34>TIME [HOST] TAG: MESSAGE`, RFC 3164. */
function parse(text) {
  const [, priority, content] = /^<(\d{1,3})>(.*)$/s.exec(text) ?? []
  // 191 is local7.debug. What has no priority is text, and user.notice: RFC 3164, 4.3.3.
  const [code, rest] = Number(priority) <= 191 ? [Number(priority), content] : [13, text]
  const facility = facilities[code >> 3] ?? `local${(code >> 3) - 16}`
  const known = { facility, severity: severities[code & 7] }
  const modern = /^1 (\S+) (\S+) (\S+) (\S+) (\S+) (-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?:\ufeff)?(.*)$/s.exec(
    rest,
  )
  if (modern !== null) {
    const [, , host, app, , , , message] = modern
    return { ...known, host: host === '-' ? null : host, tag: app === '-' ? null : app, message }
  }
  const old =
    /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?:(\S+) (?=[^\s:[]+(?:\[\d+\])?:))?)?([^\s:[]+)(?:\[\d+\])?: ?(.*)$/s
  const [, host = null, tag = null, message = rest] = old.exec(rest) ?? []
  return { ...known, host, tag, message: message.trimEnd() }
}

const sockets = []
if (values.path !== undefined) {
  // Everybody may log.
  sockets.push(
    UnixDatagramSocket.bind({ path: values.path, mode: 0o666, credentials: true, timestamps: true }),
  )
}
if (values.port !== undefined) {
  const { address } = values
  sockets.push(
    UdpSocket.bind({ port: values.port, address, recvBufferSize: 8 << 20, timestamps: true, drops: true }),
  )
}

const { DatabaseSync } = require('node:sqlite')
const database = new DatabaseSync(values.database)
database.exec('PRAGMA journal_mode = WAL')
database.exec(
  `CREATE TABLE IF NOT EXISTS log
   (received INTEGER, sender TEXT, pid INTEGER, facility TEXT, severity TEXT, host TEXT, tag TEXT, message TEXT)`,
)
const insert = database.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)')

let rows = 0
function store(batch) {
  database.exec('BEGIN')
  for (const packet of batch) {
    const { facility, severity, host, tag, message } = parse(packet.data.toString())
    // Microseconds: nanoseconds would be more than a JavaScript number holds, and reading the column would fail.
    const received = (packet.timestamp ?? BigInt(Date.now()) * 1_000_000n) / 1000n
    const sender = packet.address || packet.path
    insert.run(received, sender, packet.credentials?.pid ?? null, facility, severity, host, tag, message)
  }
  database.exec('COMMIT')
  rows += batch.length
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    // What the kernel still holds belongs to it as well: close() would lose it.
    for (const socket of sockets) socket.pause()
    const rest = new PacketBatch()
    for (const socket of sockets) {
      while (socket.recv(rest) > 0) store(rest)
      socket.close()
    }
  })
}

async function main() {
  const listening = sockets.map((socket) => socket.address().path ?? socket.address().port)
  console.log(JSON.stringify({ listening }))
  for await (const batch of merge(sockets)) store(batch)
  const dropped = sockets.map((socket) => socket.stats().kernelDrops)
  console.log(JSON.stringify({ rows, dropped }))
  database.close()
}

main()
