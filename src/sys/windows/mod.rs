//! Windows: what the rest of the crate calls by Unix's names, over Winsock.
//!
//! A `SOCKET` stands for a descriptor ([`fd`]), Winsock's calls and structures for those of <sys/socket.h> ([`libc`]),
//! libuv's error numbers, which are also Node's there, for errno ([`errno`]). Only what differs in more than its name has
//! code of its own: receiving and sending ([`portable`]), and what a socket that is taken over may be ([`descriptor`]).
//!
//! Nothing is told beside a datagram: no control messages are asked for.

#[cfg(windows)]
pub mod descriptor;
pub mod errno;
#[cfg(windows)]
pub mod fd;
#[cfg(windows)]
pub mod libc;
#[cfg(windows)]
pub mod portable;
