/**
 * The table that native code fills and JavaScript reads, in 32-bit words. `src/record.rs` draws it; a test compares the
 * two.
 */

/** Words before the first message. */
export const HEADER = 12
/** Words of one message. */
export const MESSAGE = 16
/** Words of one datagram. */
export const DATAGRAM = 4

/** Words of one message's details, behind the datagrams. */
export const DETAIL = 4

/** Words of a Unix socket's name, behind the details: bytes, as many as its message says. */
export const NAME = 28

/** Header: datagrams, messages, and 1 where the next receive may find something without waiting. */
export const DATAGRAMS = 0
export const MESSAGES = 1
export const MORE = 2
/** 1 where the messages have details; then the messages that the kernel dropped before the last of them. */
export const DETAILED = 3
export const DROPPED = 4

/** Details: the time stamp's halves (0 for none), what is told of TOS and TTL, messages dropped before this one. */
export const STAMP = 0
export const TOS_TTL = 2
export const DROPPED_BEFORE = 3
/** In `TOS_TTL`: where the time to live begins, and what is told at all. */
export const TTL_SHIFT = 8
export const HAS_TOS = 1 << 16
export const HAS_TTL = 1 << 17

/** Message: its sender, then its destination, of whose words those that it has no use for tell of the message. */
export const DESTINATION = 8
/** Its length as the kernel told. */
export const LENGTH = 9
/** Index of the interface it came in by; 0 where the kernel did not tell. */
export const INTERFACE = 10
/** That interface's own IPv4 address. */
export const LOCAL = 11

/** What the message of a Unix socket has for a family. */
export const UNIX = 1
/** Where it has the length of the name, in bytes, in place of a scope id. */
export const NAME_LENGTH = 2
/** Where it has its sender's process, user and group, behind a 1 where they were told. */
export const CREDENTIALS = 12

/**
 * Socket address: 0 for none, 4 or 6; then port, scope id, flow information, and the address: one word for IPv4, four
 * for IPv6.
 */
export const FAMILY = 0
export const PORT = 1
export const SCOPE_ID = 2
export const ADDRESS = 4
/** Words of a socket address. */
export const SOCKADDR = 8

/** Datagram: offset in the batch's bytes, size in bytes, index of its message, flags below its sender's port. */
export const OFFSET = 0
export const SIZE = 1
export const MESSAGE_INDEX = 2
export const FLAGS = 3

/** The bits below the port, which a datagram has as well as its message: one row less to look at. */
export const PORT_SHIFT = 16

/** Datagram flag: it was longer than its slot. */
export const TRUNCATED = 1

/** The most datagrams in one message (UDP_MAX_SEGMENTS, include/linux/udp.h). */
export const MAX_SEGMENTS = 128

/** The slot size from which a message may be coalesced of many datagrams: none is longer than this. */
export const COALESCED_SLOT = 65_536

/** What `socketReceive` gives where the memory it was handed is detached. */
export const DETACHED = -(2 ** 31)
