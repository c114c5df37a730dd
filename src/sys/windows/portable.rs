//! recvfrom and sendto of Winsock in a loop: one datagram a call, over the same headers as everywhere.
//!
//! Not socket2's: its slices are of memory that nobody else writes to, and JavaScript's may be shared; and it makes an
//! empty datagram of the error that says that reading was shut down.

use super::fd::RawFd;
use super::libc::{self, c_int, iovec, msghdr, socklen_t};
use crate::sys::tap::{Arguments, Syscall, Tap};
use crate::sys::{Errno, MMsgHdr, Received, syscall};

/// Receives datagram after datagram until none is there, no header is left, or one fails.
///
/// # Safety
/// Every header's name and iovec lead to memory valid for writes of the lengths beside them.
pub unsafe fn receive(
    fd: RawFd,
    headers: &mut [MMsgHdr],
    flags: c_int,
    tap: &mut Tap,
) -> Result<Received, Errno> {
    for (index, MMsgHdr { msg_hdr, msg_len }) in headers.iter_mut().enumerate() {
        // SAFETY: the caller vouches for what the header leads to.
        match unsafe { receive_one(fd, msg_hdr, flags, tap) } {
            Ok(length) => *msg_len = length,
            Err(error) if index == 0 => return Err(error),
            Err(Errno(libc::EAGAIN)) => return Ok(Received { count: index, parked: None }),
            Err(error) => return Ok(Received { count: index, parked: Some(error) }),
        }
    }
    match headers.len() {
        0 => Err(Errno(libc::EAGAIN)),
        count => Ok(Received { count, parked: None }),
    }
}

/// # Safety
/// As for [`receive`].
unsafe fn receive_one(fd: RawFd, header: &mut msghdr, flags: c_int, tap: &mut Tap) -> Result<u32, Errno> {
    // SAFETY: a header has one iovec.
    let iovec { iov_base, iov_len } = unsafe { *header.msg_iov };
    let (name, namelen) = (header.msg_name, &raw mut header.msg_namelen);
    let arguments = || Arguments {
        syscall: Syscall::Recvfrom,
        sockfd: fd,
        memory: iov_base.addr(),
        length: iov_len,
        flags,
        name: name.addr(),
        namelen: namelen.addr(),
    };
    // SAFETY: the caller vouches for the memory, and the length is the header's.
    let received =
        tap.call(arguments, || unsafe { syscall!(recvfrom(fd, iov_base, iov_len, flags, name, namelen)) });
    header.msg_controllen = 0;
    match received {
        Ok(length) => Ok(length.cast_unsigned()),
        // The slot is full, the name is told, and the rest of the datagram is lost. How long it was nobody says.
        Err(Errno(libc::EMSGSIZE)) => {
            header.msg_flags = libc::MSG_TRUNC;
            Ok(iov_len as u32)
        }
        Err(error) => Err(error),
    }
}

/// Sends datagram after datagram until none is left or one fails: how many were sent, or the error of the first.
///
/// # Safety
/// Every header's name and iovec lead to memory that is readable for the lengths beside them.
pub unsafe fn send(fd: RawFd, headers: &mut [MMsgHdr], flags: c_int, tap: &mut Tap) -> Result<usize, Errno> {
    for (index, MMsgHdr { msg_hdr, .. }) in headers.iter().enumerate() {
        // SAFETY: a message is one datagram where nothing cuts it apart, and that is one iovec.
        let iovec { iov_base, iov_len } = unsafe { *msg_hdr.msg_iov };
        let (name, namelen): (_, socklen_t) =
            (msg_hdr.msg_name.cast_const().cast::<libc::sockaddr>(), msg_hdr.msg_namelen);
        let arguments = || Arguments {
            syscall: Syscall::Sendto,
            sockfd: fd,
            memory: iov_base.addr(),
            length: iov_len,
            flags,
            name: name.addr(),
            namelen: namelen as usize,
        };
        // SAFETY: the caller vouches for both; no name is a null of length 0.
        match tap.call(arguments, || unsafe { syscall!(sendto(fd, iov_base, iov_len, flags, name, namelen)) })
        {
            Ok(_) => {} // a datagram goes whole or not at all
            Err(error) if index == 0 => return Err(error),
            Err(_) => return Ok(index),
        }
    }
    Ok(headers.len())
}
