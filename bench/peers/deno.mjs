// Deno.listenDatagram. It has no option for the receive buffer, see c/buffer.c. On its own: Deno's API throughout.

const totals = new Float64Array(3)
const socket = Deno.listenDatagram({ transport: 'udp', hostname: '127.0.0.1', port: 0 })

Deno.addSignalListener('SIGUSR2', () => {
  const [datagrams, sizes, ports] = totals
  console.log(JSON.stringify({ datagrams, sizes, ports }))
})
setTimeout(() => Deno.exit(3), 60_000)
console.log(JSON.stringify({ ports: [socket.addr.port] }))

for await (const [data, { port }] of socket) {
  totals[0] += 1
  totals[1] += data.length
  totals[2] += port
}
