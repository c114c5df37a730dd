/**
 * What a security monitor sees of a socket: its system calls, each with its arguments and its result, as messages on
 * channels of node:diagnostics_channel. Native code writes calls down where it makes them, and only while somebody
 * subscribes.
 */

import { type Channel, channel } from 'node:diagnostics_channel'
import { socketTrace, socketTraced } from '../binding'
import type { AnySocket } from './datagram-socket'
import { errnoName } from './errors'

/** What became of it. */
interface Result {
  /** What it returned, or the negative errno. */
  returnValue: number
  /** The errno's name, `'EAGAIN'`; `null` where it did not fail. */
  error: string | null
  /** Nanoseconds that it took. */
  duration: number
  /** Messages that it carried. */
  messages: number
  /** Datagrams that these held. */
  datagrams: number
  /** Bytes of their payloads. */
  bytes: number
}

/** What is told of every system call. */
interface Call<Syscall extends string> extends Result {
  /** Whose it is. */
  socket: AnySocket
  /** Which call it really was. */
  syscall: Syscall
  /** Descriptor. */
  sockfd: number
  /** Flags, as the kernel was given them: `MSG_DONTWAIT` (0x40 on Linux) is always among them. */
  flags: number
}

/** The arguments of recvmmsg(2). */
interface Recvmmsg extends Call<'recvmmsg'> {
  /** Address of the array of `struct mmsghdr`, in hexadecimal: `'0x7f21d4000b60'`. */
  msgvec: string
  /** Its length: the most messages. */
  vlen: number
  /** Always the null pointer. */
  timeout: null
}

/** The arguments of sendmmsg(2). */
interface Sendmmsg extends Call<'sendmmsg'> {
  /** Address of the array of `struct mmsghdr`, in hexadecimal. */
  msgvec: string
  /** Its length: how many messages. */
  vlen: number
}

/** The arguments of recvmsg(2) and sendmsg(2). */
interface OneMessage<Syscall extends string> extends Call<Syscall> {
  /** Address of the `struct msghdr`, in hexadecimal. */
  msg: string
}

/** The arguments that recvfrom(2) and sendto(2) begin with. */
interface OneBuffer<Syscall extends string> extends Call<Syscall> {
  /** Address of the payload, in hexadecimal. */
  buf: string | null
  /** Its length, or that of the room for it. */
  len: number
}

/** Windows receives and sends with these. */
interface Recvfrom extends OneBuffer<'recvfrom'> {
  /** Address of the room for the sender's name. */
  src_addr: string | null
  /** Address of its length. */
  addrlen: string | null
}

interface Sendto extends OneBuffer<'sendto'> {
  /** Address of the name to send to; `null` to the connected peer. */
  dest_addr: string | null
  /** The length of that. */
  addrlen: number
}

/** A message of the channel `recvmmsg:recv`: a system call that received, or found nothing. */
export type RecvDiagnostics = Recvmmsg | OneMessage<'recvmsg'> | Recvfrom

/** A message of the channel `recvmmsg:send`: a system call that sent, or could not. */
export type SendDiagnostics = Sendmmsg | OneMessage<'sendmsg'> | Sendto

/** A message of the channel `recvmmsg:fallback`: the call for many messages was given up for one a message. */
export interface FallbackDiagnostics {
  /** Whose call it was, and whose alone: every socket finds out for itself. */
  socket: AnySocket
  /** Which call is not allowed any more. */
  syscall: 'recvmmsg' | 'sendmmsg'
  from: 'mmsg'
  to: 'portable'
  /** What it said, negative. */
  errno: number
  /** The name of that: `'EPERM'`. */
  error: string
}

const received = channel('recvmmsg:recv')
const sent = channel('recvmmsg:send')
const fallback = channel('recvmmsg:fallback')

/** What `socketTraced` begins an entry with, and how long an entry is, as `src/binding/tap.rs` has it. */
const SYSCALLS = ['recvmmsg', 'recvmsg', 'recvfrom', 'sendmmsg', 'sendmsg', 'sendto'] as const
const GAVE_UP = SYSCALLS.length
const ENTRY = 14

/** Entries that are fetched at once, of whichever socket. */
const MOST = 64
const numbers = new Float64Array(MOST * ENTRY)

/** The system calls of one socket, on their way to who subscribes. */
export class Diagnostics {
  readonly #socket: AnySocket
  readonly #handle: object
  /** What has happened and has not been told, in order. */
  #news: [channel: Channel, message: object][] | null = null

  constructor(socket: AnySocket, handle: object) {
    this.#socket = socket
    this.#handle = handle
  }

  /** Has the calls written down that the next native call makes, if somebody wants to know; whether so. */
  begin(sending: boolean): boolean {
    if (!(sending ? sent : received).hasSubscribers && !fallback.hasSubscribers) return false
    socketTrace(this.#handle, sending)
    return true
  }

  /** That native call is over. */
  end(sending: boolean): void {
    this.#news ??= []
    for (let count = MOST; count === MOST; ) {
      count = socketTraced(this.#handle, sending, numbers)
      for (let at = 0; at < count * ENTRY; at += ENTRY) {
        const gaveUp = numbers[at] === GAVE_UP
        const channel = gaveUp ? fallback : sending ? sent : received
        if (!channel.hasSubscribers) continue
        this.#news.push([channel, gaveUp ? this.#gaveUp(sending, numbers[at + 1]!) : this.#call(at)])
      }
    }
  }

  /** Tells all that has happened. Last of all: a subscriber may do anything with the socket. */
  publish(): void {
    const news = this.#news
    if (news === null) return
    this.#news = null
    for (const [channel, message] of news) channel.publish(message)
  }

  #gaveUp(sending: boolean, errno: number): FallbackDiagnostics {
    const syscall = sending ? 'sendmmsg' : 'recvmmsg'
    return { socket: this.#socket, syscall, from: 'mmsg', to: 'portable', errno, error: errnoName(errno) }
  }

  #call(at: number): RecvDiagnostics | SendDiagnostics {
    const socket = this.#socket
    const syscall = SYSCALLS[numbers[at]!]!
    const returnValue = numbers[at + 1]!
    const sockfd = numbers[at + 2]!
    const memory = pointer(numbers[at + 3]!, numbers[at + 4]!)
    const length = numbers[at + 5]!
    const flags = numbers[at + 6]!
    const name = pointer(numbers[at + 7]!, numbers[at + 8]!)
    const addrlen = numbers[at + 9]!
    const result: Result = {
      returnValue,
      error: returnValue < 0 ? errnoName(returnValue) : null,
      duration: numbers[at + 10]!,
      messages: numbers[at + 11]!,
      datagrams: numbers[at + 12]!,
      bytes: numbers[at + 13]!,
    }
    switch (syscall) {
      case 'recvmmsg':
        return { socket, syscall, sockfd, msgvec: memory!, vlen: length, flags, timeout: null, ...result }
      case 'sendmmsg':
        return { socket, syscall, sockfd, msgvec: memory!, vlen: length, flags, ...result }
      case 'recvfrom': {
        const room = { src_addr: name, addrlen: pointer(0, addrlen) }
        return { socket, syscall, sockfd, buf: memory, len: length, flags, ...room, ...result }
      }
      case 'sendto':
        return {
          socket,
          syscall,
          sockfd,
          buf: memory,
          len: length,
          flags,
          dest_addr: name,
          addrlen,
          ...result,
        }
      default:
        return { socket, syscall, sockfd, msg: memory!, flags, ...result } as OneMessage<typeof syscall>
    }
  }
}

/** An address, of up to 64 bits, as debuggers show it; `null` for the null pointer. */
function pointer(high: number, low: number): string | null {
  if (high === 0) return low === 0 ? null : `0x${low.toString(16)}`
  return `0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`
}
