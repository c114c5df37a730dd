//! Unix sockets, unix(7): names of any bytes, and messages that bring descriptors along (SCM_RIGHTS).

use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;

use libc::c_int;
use napi_derive::napi;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::descriptor::borrow;
use crate::failure::{Result, check, invalid, of_call};

/// Binds a Unix socket to a path of any bytes.
#[napi]
pub fn bind_unix(fd: i32, path: &[u8]) -> Result<()> {
    let borrowed = borrow(fd)?;
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path));
    let name = SockAddr::unix(path).map_err(|error| of_call("sockaddr_un", &error))?;
    SockRef::from(&borrowed).bind(&name).map_err(|error| of_call("bind", &error))
}

/// The most descriptors of one message: SCM_MAX_FD, include/net/scm.h.
const MOST: usize = 253;

/// Sends `data` and copies of the descriptors to the Unix datagram socket at `path`, waiting for room; returns the number
/// of bytes sent.
#[napi]
pub fn send_rights(path: String, data: &[u8], fds: Vec<i32>) -> Result<i32> {
    if fds.len() > MOST {
        return Err(invalid("a message has room for 253 descriptors"));
    }
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None).map_err(|error| of_call("socket", &error))?;
    let to = SockAddr::unix(&path).map_err(|error| of_call("sockaddr_un", &error))?;
    let length = (fds.len() * size_of::<c_int>()) as u32;
    // SAFETY: CMSG_SPACE is arithmetic on its argument.
    let mut control = vec![0u64; (unsafe { libc::CMSG_SPACE(length) } as usize).div_ceil(8)];
    let mut iov = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    // SAFETY: zero is a value for each of msghdr's integers and pointers.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_name = to.as_ptr().cast_mut().cast();
    header.msg_namelen = to.len();
    header.msg_iov = &raw mut iov;
    header.msg_iovlen = 1;
    if !fds.is_empty() {
        header.msg_control = control.as_mut_ptr().cast();
        // SAFETY: as above.
        header.msg_controllen = unsafe { libc::CMSG_SPACE(length) } as _;
        // SAFETY: the header has room for one control message with the descriptors, aligned as u64 is.
        unsafe {
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(length) as _;
            libc::CMSG_DATA(first).copy_from_nonoverlapping(fds.as_ptr().cast(), length as usize);
        }
    }
    // SAFETY: the header leads to live locals, of the lengths beside them; the kernel only reads.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, 0) };
    check("sendmsg", c_int::try_from(sent).unwrap_or(c_int::MAX))
}
