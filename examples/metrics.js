'use strict'
// Figures of every socket of this process for Prometheus, from the channels of node:diagnostics_channel: calls, datagrams and
// bytes by system call and result, and the time that they took. The sockets need not know of it.
//
//   node examples/metrics.js 8125 127.0.0.1
//   recvmmsg send --to 127.0.0.1:8125 --count 1000; curl http://127.0.0.1:9464/metrics

const diagnostics = require('node:diagnostics_channel')
const http = require('node:http')
const { UdpSocket } = require('recvmmsg')

const series = new Map()
const add = (name, labels, value) => {
  const key = `${name}{${labels}}`
  series.set(key, (series.get(key) ?? 0) + value)
}
const count = ({ syscall, error, duration, datagrams, bytes }) => {
  add('udp_calls_total', `syscall="${syscall}",result="${error ?? 'ok'}"`, 1)
  add('udp_call_seconds_total', `syscall="${syscall}"`, duration / 1e9)
  add('udp_datagrams_total', `syscall="${syscall}"`, datagrams)
  add('udp_bytes_total', `syscall="${syscall}"`, bytes)
}
diagnostics.subscribe('recvmmsg:recv', count)
diagnostics.subscribe('recvmmsg:send', count)
diagnostics.subscribe('recvmmsg:fallback', ({ syscall }) =>
  add('udp_fallbacks_total', `syscall="${syscall}"`, 1),
)

const [port = 8125, address = '127.0.0.1', metricsPort = 9464] = process.argv.slice(2)
const socket = UdpSocket.bind({ port: Number(port), address })
socket.on('batch', (batch) => socket.sendBatch(batch))
const server = http.createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain; version=0.0.4')
  response.end(Array.from(series, ([name, value]) => `${name} ${value}\n`).join(''))
})
server.listen(Number(metricsPort), '127.0.0.1', () => {
  console.log(JSON.stringify({ udp: socket.address().port, http: server.address().port }))
})
