'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { Problem } = require('../../lib/problem')
const { root } = require('./install')

/** What the example prints. */
const PRINTS = 'one\ntwo\nthree'

/** The README's example as a program that sends itself three datagrams, prints them and ends. */
function example() {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8')
  const code = /```js\n(.*?)```/s.exec(readme)[1]
  const own = code.replace(/port: \d+/, "port: 0, address: '127.0.0.1'")
  if (own === code || !own.includes('handle(')) throw new Problem('The README has another example.')
  const [bind, ...rest] = own.split('\nfor await')
  // One after the other: Deno's own node:dgram keeps no order among what it sends at once.
  return `${bind}
import { createSocket } from 'node:dgram'
const sender = createSocket('udp4')
const texts = ['one', 'two', 'three']
const send = () => sender.send(texts.shift(), socket.address().port, '127.0.0.1')
function handle(data, address, port) {
  if (address !== '127.0.0.1' || port !== sender.address().port) throw new Error(\`from \${address}:\${port}\`)
  console.log(String(data))
  if (texts.length > 0) return send()
  socket.close()
  sender.close()
}
send()
for await${rest.join('\nfor await')}`
}

module.exports = { PRINTS, example }
