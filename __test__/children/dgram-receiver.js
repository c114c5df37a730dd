'use strict'

// Prints its port, and reads until it is killed.

const { backend, print } = require('./common')
const { createSocket } = require('../../dgram.js')

const socket = createSocket({ type: 'udp4', backend })
socket.bind(0, process.argv[2], () => print(socket.address().port))
