import { systemConstants } from '../binding'

const system = systemConstants()

/**
 * Flags for `recv` and `recvMmsg`, with this platform's numbers. `MSG_WAITFORONE` has one everywhere, also where the
 * system has no recvmmsg(2).
 *
 * @see https://man7.org/linux/man-pages/man2/recvmmsg.2.html
 */
export const constants = Object.freeze({
  /** Look at the next message and leave it in the queue. One message is read, whatever the batch's capacity. */
  MSG_PEEK: system.msgPeek,
  /** Do not wait, whatever the timeout. */
  MSG_DONTWAIT: system.msgDontwait,
  /** Wait for the first message only, then take what is there. That is how every receive here works. */
  MSG_WAITFORONE: system.msgWaitforone,
  /** Have the kernel tell the true length of a truncated datagram (Linux). The size shown stays what arrived. */
  MSG_TRUNC: system.msgTrunc,
})

/** Everything that `flags` may hold. */
export const ALL_FLAGS =
  constants.MSG_PEEK | constants.MSG_DONTWAIT | constants.MSG_WAITFORONE | constants.MSG_TRUNC
