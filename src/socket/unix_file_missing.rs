//! No datagram sockets of Unix domain, and so no files of theirs: Windows has those of streams only.

use std::path::Path;

use socket2::SockAddr;

use crate::sys::{Errno, libc};

/// There is none.
pub enum SocketFile {}

/// Nobody comes here: there is no socket to bind.
pub fn bind(_: &socket2::Socket, _: &SockAddr, _: &Path, _: Option<u32>) -> Result<SocketFile, Errno> {
    Err(Errno(libc::EAFNOSUPPORT))
}

/// No name is one.
pub fn path_of(_: &[u8]) -> Option<&Path> {
    None
}
