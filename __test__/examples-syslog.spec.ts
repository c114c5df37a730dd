// The syslog collector: what logger(1) and a UDP sender log is in the database.

import { execFileSync, spawnSync } from 'node:child_process'
import { isBuiltin } from 'node:module'
import { PacketBatch, UdpSocket, UnixDatagramSocket } from '../index'
import { Example, endAll } from './support/example'
import { closeAll, newPath, removeAll, track } from './support/unix'

jest.setTimeout(60_000)
afterEach(async () => {
  closeAll()
  await endAll()
})
afterAll(removeAll)

const logger = spawnSync('logger', ['--version']).error === undefined
const sqlite = isBuiltin('node:sqlite')
const lacking = !sqlite ? 'node:sqlite needs Node 22.5' : logger ? null : 'no logger(1)'
const collect = lacking === null ? test : test.skip
const receive = logger ? test : test.skip

receive(`a path is what logger(1) logs to${logger ? '' : ' [skipped: no logger(1)]'}`, () => {
  const path = newPath()
  const socket = track(
    UnixDatagramSocket.bind({ path, mode: 0o666, credentials: process.platform === 'linux' }),
  )
  execFileSync('logger', ['--socket', path, '--tag', 'ours', '--priority', 'local3.warning', 'it works'])
  const batch = new PacketBatch()
  expect(socket.recv(batch, { timeout: 5000 })).toBe(1)
  const [packet] = batch
  expect(packet?.data.toString()).toMatch(/^<156>.*ours: it works/)
  expect(packet?.path).toBeNull()
  if (process.platform === 'linux') expect(packet?.credentials?.uid).toBe(process.getuid?.())
})

collect(
  `a collector has it all in its database${lacking === null ? '' : ` [skipped: ${lacking}]`}`,
  async () => {
    const [path, file] = [newPath(), newPath()]
    const probe = UdpSocket.bind({ address: '127.0.0.1' })
    const { port } = probe.address()
    probe.close()
    const example = new Example('syslog', '--path', path, '--port', String(port), '--database', file)
    expect(await example.listening()).toEqual({ listening: [path, port] })

    const say = (...args: string[]) => execFileSync('logger', ['--socket', path, ...args])
    say('--tag', 'old', '--priority', 'auth.err', 'as RFC 3164 has it: yes')
    say('--tag', 'new', '--priority', 'cron.debug', '--rfc5424', '--msgid', 'M1', 'as RFC 5424 has it: yes')
    const sender = UdpSocket.bind({ address: '127.0.0.1' })
    const far = "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"
    sender.send(far, port, '127.0.0.1')
    sender.send('no syslog at all', port, '127.0.0.1')
    sender.send('<192>odd: no priority', port, '127.0.0.1')
    const burst = Array.from({ length: 2000 }, (_, index) => ({ data: `<13>many: ${index}`, path }))
    const many = track(UnixDatagramSocket.bind())
    // Faster than a database: the queue's length is what keeps the sender from losing anything.
    expect(await many.sendAll(burst)).toMatchObject({ sent: 2000, failed: 0 })
    sender.close()
    expect(await example.end()).toBe(0)
    expect(example.lines.at(-1)).toEqual({ rows: 2005, dropped: [0, 0] })

    const { DatabaseSync } = require('node:sqlite')
    const database = new DatabaseSync(file)
    const rows = database.prepare('SELECT * FROM log ORDER BY received').all()
    const row = (tag: string | null) => rows.find((each: { tag: string | null }) => each.tag === tag)
    expect(row('old')).toMatchObject({
      facility: 'auth',
      severity: 'err',
      message: 'as RFC 3164 has it: yes',
      pid: expect.any(Number),
    })
    expect(row('new')).toMatchObject({
      facility: 'cron',
      severity: 'debug',
      host: expect.any(String),
      message: 'as RFC 5424 has it: yes',
    })
    expect(row('su')).toMatchObject({
      sender: '127.0.0.1',
      facility: 'auth',
      severity: 'crit',
      host: 'mymachine',
      message: "'su root' failed for lonvick on /dev/pts/8",
    })
    expect(row(null)).toMatchObject({ facility: 'user', severity: 'notice', message: 'no syslog at all' })
    const odd = rows.find((each: { message: string }) => each.message.includes('no priority'))
    expect(odd).toMatchObject({ facility: 'user', severity: 'notice', tag: '<192>odd' })
    const count = database
      .prepare("SELECT count(DISTINCT message) AS count FROM log WHERE tag = 'many'")
      .get()
    expect(count.count).toBe(2000)
    database.close()
  },
)
