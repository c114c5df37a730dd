/** Sockets in another network: each call here is one of a socket in `children/host.js`, which runs in a namespace. */

import type { Drop, IcmpError, SocketStats, UdpSocketOptions } from '../../index'
import type { Namespace, Program } from './namespace'

/** A packet as it was told, but for its payload. */
export interface Told {
  size: number
  address: string
  port: number
  destination: string | null
  interfaceIndex: number | null
  tos: number | null
  ecn: string | null
  ttl: number | null
  timestamp: string | null
  truncated: boolean
  realSize: number | null
  /** The payload where it is short. */
  text: string
  /** It is what a number as payload stands for, from the beginning on. */
  whole: boolean
}

/** What a socket has told since it was bound. */
export interface State {
  packets: Told[]
  icmp: IcmpError[]
  drop: Drop[]
  error: { code: string; syscall: string }[]
  drain: number
  close: number
  stats: SocketStats
}

/** A text, or so many bytes of a pattern. */
export type Data = string | number

/** Where to; nothing on a connected socket. */
export type To = [] | [port: number, address: string]

type Answer<T> = { value: T } | { error: { message: string } }

/** A process in a namespace, which has sockets. */
export class Host {
  readonly namespace: Namespace
  readonly #program: Program

  private constructor(namespace: Namespace, program: Program) {
    this.namespace = namespace
    this.#program = program
  }

  static async start(namespace: Namespace, env: Record<string, string> = {}): Promise<Host> {
    const program = namespace.start('host', [], env)
    expect(await program.next()).toBe('ready')
    return new Host(namespace, program)
  }

  async bind(options: UdpSocketOptions): Promise<HostSocket> {
    const { number, port } = await this.ask<{ number: number; port: number }>('bind', undefined, options)
    return new HostSocket(this, number, port)
  }

  /** Milliseconds since the epoch. */
  clock(): Promise<number> {
    return this.ask('clock', undefined)
  }

  closeAll(): Promise<void> {
    return this.ask('closeAll', undefined)
  }

  /** One answer for each question, in order. */
  async ask<T>(action: string, number: number | undefined, ...args: unknown[]): Promise<T> {
    this.#program.tell(JSON.stringify({ action, number, args }))
    const answer = await this.#program.next<Answer<T>>()
    if ('error' in answer) throw Object.assign(new Error(answer.error.message), answer.error)
    return answer.value
  }
}

/** A socket there. What its calls throw rejects here, with the same properties. */
export class HostSocket {
  readonly #host: Host
  readonly #number: number
  readonly port: number

  constructor(host: Host, number: number, port: number) {
    this.#host = host
    this.#number = number
    this.port = port
  }

  /** Any method whose arguments and result are JSON. */
  call(name: string, ...args: unknown[]): Promise<unknown> {
    return this.#ask('call', name, ...args)
  }

  send(data: Data, ...to: To): Promise<boolean> {
    return this.#ask('send', data, ...to)
  }

  /** Each of them, with the code of the first that failed. */
  sendBatch(
    data: Data[],
    ...to: To
  ): Promise<{ sent: number; failed: number; next: number; code: string | null }> {
    return this.#ask('sendBatch', data, ...to)
  }

  /** Reads by the event loop from now on. */
  listen(): Promise<void> {
    return this.#ask('listen')
  }

  /** Reads by calls that wait. */
  recv(
    count: number,
    options: { timeout?: number; flags?: number; packetSize?: number } = {},
  ): Promise<Told[]> {
    return this.#ask('recv', count, options)
  }

  /** Receives so many, and sends each back to where it came from. */
  answer(count: number): Promise<void> {
    return this.#ask('answer', count)
  }

  /** Receives until so many have come or been dropped by the kernel: how many have come since it was bound. */
  account(count: number): Promise<number> {
    return this.#ask('account', count)
  }

  /** Waits until so many of a kind have been told: all of that kind. */
  told<Kind extends 'packets' | 'icmp' | 'drop' | 'error'>(kind: Kind, count: number): Promise<State[Kind]> {
    return this.#ask('told', kind, count)
  }

  state(): Promise<State> {
    return this.#ask('state')
  }

  /** Waits until there is something to be received, an error for one. */
  readable(): Promise<boolean> {
    return this.#ask('call', 'readable')
  }

  #ask<T>(action: string, ...args: unknown[]): Promise<T> {
    return this.#host.ask(action, this.#number, ...args)
  }
}
