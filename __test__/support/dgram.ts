/** Sockets of `recvmmsg/dgram`, in the modes of the other specs. */

import { once } from 'node:events'
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from '../../dgram'
import type { Mode } from './loop'

const opened = new Set<Socket>()

/** An unbound socket, which `closeSockets` closes. */
export function unbound(mode: Mode, options: Partial<SocketOptions> = {}): Socket {
  const socket = createSocket({ type: mode.family, backend: mode.backend, ...options })
  opened.add(socket)
  socket.once('close', () => opened.delete(socket))
  return socket
}

/** The same on the loopback address. */
export async function bound(mode: Mode, options: Partial<SocketOptions> = {}): Promise<Socket> {
  const socket = unbound(mode, options)
  socket.bindSync({ address: mode.loopback })
  await once(socket, 'listening')
  return socket
}

/** The same, connected to another. */
export async function connected(mode: Mode, to: Socket): Promise<Socket> {
  const socket = await bound(mode)
  socket.connectSync(to.address().port, mode.loopback)
  await once(socket, 'connect')
  return socket
}

/** For `afterEach`. */
export function closeSockets(): void {
  for (const socket of opened) socket.close()
  opened.clear()
}

export interface Message {
  data: Buffer
  rinfo: RemoteInfo
}

/** Everything that a socket gets, from now on. */
export function messagesOf(socket: Socket): Message[] {
  const messages: Message[] = []
  socket.on('message', (data, rinfo) => messages.push({ data, rinfo }))
  return messages
}

/** What `send` tells its callback. */
export function sent(socket: Socket, ...args: unknown[]): Promise<[error: Error | null, bytes: number]> {
  return new Promise((resolve) => {
    const { send } = socket as unknown as { send(...args: unknown[]): void }
    send.call(socket, ...args, (error: Error | null, bytes: number) => resolve([error, bytes]))
  })
}
