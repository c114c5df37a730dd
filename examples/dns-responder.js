'use strict'
// A name server for a small zone, authoritative and without recursion:
//
//   node examples/dns-responder.js [port] [address]     5300 and ::, which takes IPv4, too
//   dig -p 5300 @127.0.0.1 example.test TXT
//
// A host has many addresses, and whoever asked one of them takes an answer from no other. So each answer is sent `to` the
// packet that asked: it comes from where that was sent to, and nothing more has to be said about it. All answers to a
// batch of questions are one call.

const { UdpSocket } = require('recvmmsg')

const [A, TXT, AAAA, OPT, IN, TTL] = [1, 16, 28, 41, 1, 300]
const [NOERROR, NXDOMAIN, NOTIMP, REFUSED, BADVERS] = [0, 3, 4, 5, 16]
/** RFC 1035, 4.1.1: a response, the opcode, authoritative, recursion desired. */
const [QR, OPCODE, AA, RD] = [0x8000, 0x7800, 0x0400, 0x0100]

const text = (string) => Buffer.from([Buffer.byteLength(string), ...Buffer.from(string)])
/** By name and type, the data of each record as it is sent. */
const zone = new Map()
zone.set('example.test', {
  [A]: [Buffer.from([192, 0, 2, 1]), Buffer.from([192, 0, 2, 2])],
  [AAAA]: [Buffer.from('20010db8000000000000000000000001', 'hex')],
  [TXT]: [text('answers come from where they were asked')],
})
zone.set('v4.example.test', { [A]: [Buffer.from([192, 0, 2, 4])] })

/** The question of a query, RFC 1035, 4.1; `null` for anything malformed. */
function parse(query) {
  // Header: id, flags, and how many questions, answers, authorities and additional records there are.
  if (query.length < 12 || query.readUInt16BE(2) & QR || query.readUInt16BE(4) !== 1) return null
  const labels = []
  let at = 12
  for (let size; ; at += size + 1) {
    size = query[at]
    if (size === 0) break
    if (size === undefined || size > 63 || at + size - 12 > 253) return null
    labels.push(query.toString('latin1', at + 1, at + 1 + size))
  }
  const end = at + 5
  if (query.length < end) return null
  // RFC 6891: a resolver that knows EDNS adds an OPT record, which has the root's name.
  const edns = query.length >= end + 11 && query[end] === 0 && query.readUInt16BE(end + 1) === OPT
  const version = edns ? query[end + 6] : 0
  const [type, kind] = [query.readUInt16BE(at + 1), query.readUInt16BE(at + 3)]
  return { name: labels.join('.').toLowerCase(), type, kind, end, edns, version }
}

function answer(query, { name, type, kind, end, edns, version }) {
  const flags = query.readUInt16BE(2)
  const records = zone.get(name)
  let code = records ? NOERROR : NXDOMAIN
  if (version > 0) code = BADVERS
  else if (flags & OPCODE) code = NOTIMP
  else if (kind !== IN) code = REFUSED
  const data = (code === NOERROR && records[type]) || []
  const head = Buffer.from(query.subarray(0, end)) // the id and the question, as they were asked
  const counts = [QR | AA | (flags & (OPCODE | RD)) | (code & 15), 1, data.length, 0, edns ? 1 : 0]
  counts.forEach((count, index) => void head.writeUInt16BE(count, 2 + 2 * index))
  // A name that points at the question's, the type, the class, the time to live, the length of the data.
  const record = (bytes) => [
    Buffer.from([0xc0, 12, 0, type, 0, IN, 0, 0, TTL >> 8, TTL & 255, 0, bytes.length]),
    bytes,
  ]
  const opt = edns ? [Buffer.from([0, 0, OPT, 1232 >> 8, 1232 & 255, code >> 4, 0, 0, 0, 0, 0])] : []
  return [head, ...data.flatMap(record), ...opt]
}

const [port = '5300', address = '::'] = process.argv.slice(2)
const socket = UdpSocket.bind({ port: Number(port), address })
socket.on('batch', (batch) => {
  const answers = []
  for (const packet of batch) {
    const question = parse(packet.data)
    if (question) answers.push({ data: answer(packet.data, question), to: packet })
  }
  socket.sendBatch(answers)
})
console.log(`listening on ${socket.address().address} port ${socket.address().port}`)
