'use strict'

// Who receives what a connected socket sends.

/** Has it a peer? */
function isConnected(socket) {
  return peerOf(socket) !== null
}

function peerOf(socket) {
  try {
    return socket.remoteAddress()
  } catch {
    return null
  }
}

/**
 * Whether a datagram from a connected socket finds its peer. Of one that does not ICMP tells, at a time of its own: by
 * the next send, or by an 'error' event.
 */
function reaches(sockets, socket) {
  const peer = peerOf(socket)
  if (peer === null) return true
  const { port } = socket.address()
  return sockets.some((other) => accepts(other, peer, port))
}

function accepts(socket, { address, family, port }, from) {
  const own = nameOf(socket)
  if (own?.port !== port || own.family !== family) return false
  if (![address, '0.0.0.0', '::'].includes(own.address)) return false
  const peer = peerOf(socket)
  return peer === null || peer.port === from
}

function nameOf(socket) {
  try {
    return socket.address()
  } catch {
    return null
  }
}

/** Has it a port? */
function isBound(socket) {
  return (nameOf(socket)?.port ?? 0) !== 0
}

module.exports = { isBound, isConnected, reaches }
