// What bundle.js bundles: both doors, and an error of each kind.

import { PacketBatch, recvMmsg, UdpSocket } from 'recvmmsg'
import { createSocket } from 'recvmmsg/dgram'

const socket = UdpSocket.bind({ address: '127.0.0.1' })
const batch = new PacketBatch()
socket.send('engine', socket.address())
recvMmsg(socket, batch)
const lines = [batch.at(0).data.toString()]
socket.close()
try {
  UdpSocket.bind({ address: 'localhost' })
} catch (error) {
  lines.push(error.code)
}

const other = createSocket('udp4', (data) => {
  lines.push(String(data))
  other.close()
  console.log(lines.join(' '))
})
other.bind(0, '127.0.0.1', () => other.send('dgram', other.address().port, '127.0.0.1'))
