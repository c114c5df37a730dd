/** The native helpers of `__test__/native`, with their types. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'

export interface Testkit {
  denySyscalls(names: string[], errno: number): void
  callRecvmmsg(): number
  makeSocket(domain: 'inet' | 'inet6' | 'unix', type: 'dgram' | 'stream' | 'raw'): number
  socketPair(): [number, number]
  bindAny(fd: number): number
  sendTo(fd: number, address: string, port: number, data: Uint8Array): number
  sendGso(fd: number, address: string, port: number, data: Uint8Array, segmentSize: number): number
  bindUnix(fd: number, path: Uint8Array): void
  sendRights(path: string, data: Uint8Array, fds: number[]): number
  openFile(path: string): number
  inode(fd: number): number
  dup(fd: number): number
  dup2(from: number, to: number): number
  closeFd(fd: number): void
  shutdownRead(fd: number): void
  getsockoptInt(fd: number, level: number, name: number): number
  setsockoptInt(fd: number, level: number, name: number, value: number): void
  fcntlGetFlags(fd: number): number
  fcntlSetFlags(fd: number, flags: number): void
  fdFlags(fd: number): number
  raiseSignal(signo: number): void
  interruptSoon(signo: number, afterMs: number, times: number): void
  constants(): Record<string, number>
}

const build = join(__dirname, '../../.build')

export const testkit: Testkit = require(join(build, 'testkit.node'))

/** What `sender` prints when it is done. */
export interface Sent {
  datagrams: number
  messages: number
  bytes: number
  seconds: number
  gso: boolean
  errors: Record<string, number>
}

/** Runs the `sender` program to its end, which its options bound. */
export function runSender(options: Record<string, string | number>): Promise<Sent> {
  const argv = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  return new Promise((resolve, reject) => {
    execFile(join(build, 'sender'), argv, (error, stdout) => {
      if (error) reject(error)
      else resolve(JSON.parse(stdout.trim().split('\n').at(-1)!))
    })
  })
}
