//! What a socket is, and what it is made before it is used.

use std::mem;
use std::ptr;

use windows_sys::Win32::Networking::WinSock::{
    SIO_UDP_CONNRESET, SIO_UDP_NETRESET, SO_PROTOCOL_INFOW, WSAIoctl, WSAPROTOCOL_INFOW,
};

use super::fd::{AsRawFd, BorrowedFd, IntoRawFd, RawFd};
use super::libc::{self, c_int};
use crate::sys::{Errno, Wanted, syscall};

/// A socket that is not of a descriptor's kind: nothing of Node's closes a handle by its number, so whoever has one has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

impl Identity {
    /// Always the same.
    pub fn of(_fd: RawFd) -> Result<Identity, Errno> {
        Ok(Identity)
    }
}

/// A socket's number as JavaScript has it.
pub fn from_number(number: i32) -> RawFd {
    number.cast_unsigned().into()
}

/// Another handle of the same socket, that no child inherits.
pub fn duplicate(fd: RawFd) -> Result<RawFd, Errno> {
    // SAFETY: used for one call, by which the system finds out whether it is open.
    let socket = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(socket2::SockRef::from(&socket).try_clone()?.into_raw_fd())
}

/// Whether it is in blocking mode, which Winsock does not tell: no socket is put back into it.
pub fn is_blocking(_fd: RawFd) -> Result<bool, Errno> {
    Ok(false)
}

/// Makes it one that never waits, is inherited by no child, and has no error of a datagram that it sent: Winsock would tell
/// those in place of a datagram, as WSAECONNRESET and WSAENETRESET, of whomever they are.
pub fn prepare(socket: &socket2::Socket) -> Result<(), Errno> {
    socket.set_nonblocking(true)?;
    socket.set_no_inherit(true)?;
    for code in [SIO_UDP_CONNRESET, SIO_UDP_NETRESET] {
        let off: u32 = 0;
        let mut written = 0;
        // SAFETY: four bytes to read and none to write. Where it fails there is nothing to turn off.
        unsafe {
            WSAIoctl(
                socket.as_raw_fd() as _,
                code,
                (&raw const off).cast(),
                size_of_val(&off) as u32,
                ptr::null_mut(),
                0,
                &raw mut written,
                ptr::null_mut(),
                None,
            )
        };
    }
    Ok(())
}

/// What a socket that is not such a one is, as Node names it in ERR_INVALID_FD_TYPE; `None` for one that is.
pub fn kind(fd: RawFd, wanted: Wanted) -> Result<Option<&'static str>, Errno> {
    let info = info(fd)?;
    Ok(match (info.iSocketType, info.iAddressFamily) {
        (libc::SOCK_DGRAM, libc::AF_INET | libc::AF_INET6) if wanted == Wanted::Udp => None,
        (libc::SOCK_DGRAM, libc::AF_INET | libc::AF_INET6) => Some("UDP"),
        (libc::SOCK_STREAM, libc::AF_INET | libc::AF_INET6) => Some("TCP"),
        _ => Some("UNKNOWN"),
    })
}

/// A socket's family. getsockname does not tell it of one that is not bound.
pub fn domain(fd: RawFd) -> Result<c_int, Errno> {
    Ok(info(fd)?.iAddressFamily)
}

fn info(fd: RawFd) -> Result<WSAPROTOCOL_INFOW, Errno> {
    // SAFETY: zero is a value for each of its integers.
    let mut info: WSAPROTOCOL_INFOW = unsafe { mem::zeroed() };
    let mut length = size_of_val(&info) as libc::socklen_t;
    let value = (&raw mut info).cast();
    // SAFETY: `length` bytes at `info` are ours to write.
    unsafe { syscall!(getsockopt(fd, libc::SOL_SOCKET, SO_PROTOCOL_INFOW, value, &raw mut length)) }?;
    Ok(info)
}
