/** What the specs of Unix sockets share: a directory for their files, sockets that are closed, and tables. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capabilities, UnixDatagramSocket, type UnixDatagramSocketOptions } from '../../index'
import { ways } from './loop'

/** Every backend that works here. */
export const backends = capabilities().recvmmsg ? (['mmsg', 'portable'] as const) : (['portable'] as const)
export type Backend = (typeof backends)[number]

const opened = new Set<UnixDatagramSocket>()
let directory: string | undefined
let made = 0

/** A path where nothing is. */
export function newPath(): string {
  directory ??= mkdtempSync(join(tmpdir(), 'recvmmsg-'))
  return join(directory, String(made++))
}

/** A socket that `closeAll` closes; where it is bound is `path`, or new. */
export function bind(options: UnixDatagramSocketOptions = {}): UnixDatagramSocket & { path: string } {
  const { path = newPath() } = options
  return Object.assign(track(UnixDatagramSocket.bind({ ...options, path })), { path })
}

/** Has `closeAll` close it. */
export function track(socket: UnixDatagramSocket): UnixDatagramSocket {
  opened.add(socket)
  return socket
}

/** For `afterEach`. */
export function closeAll(): void {
  for (const socket of opened) socket.close()
  opened.clear()
}

/** For `afterAll`. */
export function removeAll(): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
  directory = undefined
}

/** How a socket receives, and how it is watched. */
export const modes = ways.flatMap((readiness) => backends.map((backend) => ({ readiness, backend })))

/** Runs `body` for each of them, with its readiness in force. */
export function describeModes(title: string, body: (backend: Backend) => void): void {
  describe.each(modes)(`${title}: $readiness $backend`, ({ readiness, backend }) => {
    const { RECVMMSG_READINESS: outer } = process.env
    beforeEach(() => {
      process.env.RECVMMSG_READINESS = readiness
    })
    afterEach(() => {
      if (outer === undefined) delete process.env.RECVMMSG_READINESS
      else process.env.RECVMMSG_READINESS = outer
    })
    body(backend)
  })
}
