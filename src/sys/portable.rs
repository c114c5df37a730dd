//! recvmsg(2) and sendmsg(2) in a loop: one message a system call, on every Unix.
//!
//! It is recvmsg(2) and not recv_from for the sake of control messages: a socket with UDP_GRO on, read without them,
//! gives forty datagrams as one with no sign of it.

use std::os::fd::RawFd;

use libc::{c_int, msghdr};

use super::tap::{Arguments, Syscall, Tap};
use super::{Errno, MMsgHdr, Received, retry, syscall};

/// Receives message after message until none is there, no header is left, or one fails.
///
/// # Safety
/// Every header's name, iovec and control lead to memory valid for writes of the lengths beside them.
pub unsafe fn receive(
    fd: RawFd,
    headers: &mut [MMsgHdr],
    flags: c_int,
    tap: &mut Tap,
) -> Result<Received, Errno> {
    let flags = flags | libc::MSG_DONTWAIT;
    for (index, header) in headers.iter_mut().enumerate() {
        let msg = &raw mut header.msg_hdr;
        let arguments = || arguments(Syscall::Recvmsg, fd, msg, flags);
        let length = retry(|| {
            // SAFETY: the caller vouches for what the header leads to.
            tap.call(arguments, || unsafe { syscall!(recvmsg(fd, msg, flags)) })
        });
        let length = match length {
            // Every datagram has a sender. Nothing from nobody is what the BSDs give, for ever, when reading was shut down.
            Ok(0) if cfg!(bsd) && header.msg_hdr.msg_namelen == 0 => Err(Errno(libc::ESHUTDOWN)),
            length => length,
        };
        match length {
            Ok(length) => header.msg_len = length as _,
            Err(error) if index == 0 => return Err(error),
            Err(Errno(libc::EAGAIN)) => return Ok(Received { count: index, parked: None }),
            // recvmsg(2) has taken the error from the socket; recvmmsg(2) would have put it back.
            Err(error) => return Ok(Received { count: index, parked: Some(error) }),
        }
    }
    match headers.len() {
        0 => Err(Errno(libc::EAGAIN)),
        count => Ok(Received { count, parked: None }),
    }
}

/// Sends message after message until none is left or one fails: how many were sent, or the error of the first.
///
/// # Safety
/// Every header's name, iovecs and control lead to memory that is readable for the lengths beside them.
pub unsafe fn send(fd: RawFd, headers: &mut [MMsgHdr], flags: c_int, tap: &mut Tap) -> Result<usize, Errno> {
    let flags = flags | libc::MSG_DONTWAIT;
    for (index, header) in headers.iter().enumerate() {
        let msg = &raw const header.msg_hdr;
        let arguments = || arguments(Syscall::Sendmsg, fd, msg, flags);
        let sent = retry(|| {
            // SAFETY: the caller vouches for what the header leads to.
            tap.call(arguments, || unsafe { syscall!(sendmsg(fd, msg, flags)) })
        });
        match sent {
            Ok(_) => {} // a datagram goes whole or not at all
            Err(error) if index == 0 => return Err(error),
            Err(_) => return Ok(index),
        }
    }
    Ok(headers.len())
}

fn arguments(syscall: Syscall, sockfd: RawFd, msg: *const msghdr, flags: c_int) -> Arguments {
    Arguments { syscall, sockfd, memory: msg.addr(), length: 0, flags, name: 0, namelen: 0 }
}
