//! Winsock under the names that libc has on Unix, as far as the crate uses them.
//!
//! Structures have Winsock's layout and Unix's field names; a call's failure is -1, and what [`Errno::last`] then says.
//! Those two that Winsock does not have, `msghdr` and `iovec`, are the crate's own way to describe a datagram.
//!
//! [`Errno::last`]: crate::sys::Errno::last

#![allow(non_camel_case_types, non_snake_case, missing_docs)]

pub use std::ffi::{c_char, c_int, c_short, c_uint, c_void};

use windows_sys::Win32::NetworkManagement::IpHelper;
use windows_sys::Win32::Networking::WinSock;

pub use super::errno::*;
/// libuv has one number for both, as Linux has.
pub const EOPNOTSUPP: c_int = ENOTSUP;
use super::fd::RawFd;

pub type sa_family_t = u16;
pub type socklen_t = c_int;
pub type nfds_t = u32;

pub use WinSock::SOCKADDR_STORAGE as sockaddr_storage;

#[repr(C)]
pub struct sockaddr {
    pub sa_family: sa_family_t,
    pub sa_data: [u8; 14],
}

#[repr(C)]
pub struct sockaddr_un {
    pub sun_family: sa_family_t,
    pub sun_path: [c_char; 108],
}

#[repr(C)]
pub struct in_addr {
    pub s_addr: u32,
}

#[repr(C)]
pub struct sockaddr_in {
    pub sin_family: sa_family_t,
    pub sin_port: u16,
    pub sin_addr: in_addr,
    pub sin_zero: [u8; 8],
}

#[repr(C)]
pub struct in6_addr {
    pub s6_addr: [u8; 16],
}

#[repr(C)]
pub struct sockaddr_in6 {
    pub sin6_family: sa_family_t,
    pub sin6_port: u16,
    pub sin6_flowinfo: u32,
    pub sin6_addr: in6_addr,
    pub sin6_scope_id: u32,
}

#[repr(C)]
pub struct in6_pktinfo {
    pub ipi6_addr: in6_addr,
    pub ipi6_ifindex: u32,
}

#[repr(C)]
pub struct pollfd {
    pub fd: RawFd,
    pub events: c_short,
    pub revents: c_short,
}

/// Where one datagram's bytes are.
#[derive(Clone, Copy)]
pub struct iovec {
    pub iov_base: *mut c_void,
    pub iov_len: usize,
}

/// One datagram: [`super::portable`] takes it apart.
#[derive(Clone, Copy)]
pub struct msghdr {
    pub msg_name: *mut c_void,
    pub msg_namelen: socklen_t,
    pub msg_iov: *mut iovec,
    pub msg_iovlen: usize,
    pub msg_control: *mut c_void,
    pub msg_controllen: usize,
    pub msg_flags: c_int,
}

/// `WSACMSGHDR`.
#[repr(C)]
pub struct cmsghdr {
    pub cmsg_len: usize,
    pub cmsg_level: c_int,
    pub cmsg_type: c_int,
}

const _: () = assert!(size_of::<pollfd>() == size_of::<WinSock::WSAPOLLFD>());
const _: () = assert!(size_of::<cmsghdr>() == size_of::<WinSock::CMSGHDR>());

pub const AF_UNSPEC: c_int = 0;
pub const AF_UNIX: c_int = WinSock::AF_UNIX as c_int;
pub const AF_INET: c_int = WinSock::AF_INET as c_int;
pub const AF_INET6: c_int = WinSock::AF_INET6 as c_int;
/// No message of Winsock's: no socket passes handles.
pub const SCM_RIGHTS: c_int = -1;
pub use WinSock::{IPPROTO_IP, IPPROTO_IPV6, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET};

pub use WinSock::{IP_TOS, IP_TTL, IPV6_HOPLIMIT, IPV6_PKTINFO, IPV6_TCLASS, IPV6_UNICAST_HOPS, SO_RCVBUF};

pub use WinSock::{MSG_PEEK, POLLIN, POLLNVAL, POLLOUT};
pub const MSG_TRUNC: c_int = WinSock::MSG_TRUNC as c_int;
pub const MSG_CTRUNC: c_int = WinSock::MSG_CTRUNC as c_int;
/// No flag of Winsock's, and never passed to it: a socket of ours does not wait.
pub const MSG_DONTWAIT: c_int = 0x40;

pub const IF_NAMESIZE: usize = 257;

/// `WSA_CMSG_LEN`.
///
/// # Safety
/// Any length will do: it is unsafe because libc's is.
pub const unsafe fn CMSG_LEN(length: c_uint) -> c_uint {
    size_of::<cmsghdr>() as c_uint + length
}

/// `WSA_CMSG_SPACE`.
///
/// # Safety
/// As above.
pub const unsafe fn CMSG_SPACE(length: c_uint) -> c_uint {
    size_of::<cmsghdr>() as c_uint + length.next_multiple_of(size_of::<usize>() as c_uint)
}

/// recvfrom, winsock2.h.
///
/// # Safety
/// `length` bytes at `data` and `*name_length` at `name` are writable.
pub unsafe fn recvfrom(
    fd: RawFd,
    data: *mut c_void,
    length: usize,
    flags: c_int,
    name: *mut c_void,
    name_length: *mut socklen_t,
) -> c_int {
    let length = c_int::try_from(length).unwrap_or(c_int::MAX);
    // SAFETY: the caller's promise is the callee's.
    unsafe { WinSock::recvfrom(fd as _, data.cast(), length, flags & MSG_PEEK, name.cast(), name_length) }
}

/// sendto, winsock2.h. No flag of the crate's is one of its.
///
/// # Safety
/// `length` bytes at `data` and `name_length` at `name` are readable.
pub unsafe fn sendto(
    fd: RawFd,
    data: *const c_void,
    length: usize,
    _flags: c_int,
    name: *const sockaddr,
    name_length: socklen_t,
) -> c_int {
    let length = c_int::try_from(length).unwrap_or(c_int::MAX);
    // SAFETY: the caller's promise is the callee's.
    unsafe { WinSock::sendto(fd as _, data.cast(), length, 0, name.cast(), name_length) }
}

/// connect, winsock2.h.
///
/// # Safety
/// `length` bytes at `name` are readable.
pub unsafe fn connect(fd: RawFd, name: *const sockaddr, length: socklen_t) -> c_int {
    // SAFETY: the caller's promise is the callee's.
    unsafe { WinSock::connect(fd as _, name.cast(), length) }
}

/// getsockopt, winsock2.h.
///
/// # Safety
/// `*length` bytes at `value` are writable.
pub unsafe fn getsockopt(
    fd: RawFd,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    length: *mut socklen_t,
) -> c_int {
    // SAFETY: the caller's promise is the callee's.
    unsafe { WinSock::getsockopt(fd as _, level, name, value.cast(), length) }
}

/// setsockopt, winsock2.h.
///
/// # Safety
/// `length` bytes at `value` are readable.
pub unsafe fn setsockopt(
    fd: RawFd,
    level: c_int,
    name: c_int,
    value: *const c_void,
    length: socklen_t,
) -> c_int {
    // SAFETY: the caller's promise is the callee's.
    unsafe { WinSock::setsockopt(fd as _, level, name, value.cast(), length) }
}

/// WSAPoll, winsock2.h. As poll(2), it passes over a place whose socket is all ones; but those it says POLLNVAL of, and it
/// fails where there is no other.
///
/// # Safety
/// `entries` leads to `count` of them.
pub unsafe fn poll(entries: *mut pollfd, count: nfds_t, milliseconds: c_int) -> c_int {
    // SAFETY: the caller's promise.
    let all = unsafe { std::slice::from_raw_parts_mut(entries, count as usize) };
    if all.iter().all(|entry| entry.fd == RawFd::MAX) {
        std::thread::sleep(std::time::Duration::from_millis(milliseconds.max(0).cast_unsigned().into()));
        return 0;
    }
    // SAFETY: as many as said, of WSAPOLLFD's layout.
    unsafe { WinSock::WSAPoll(entries.cast(), count, milliseconds) }
}

/// if_nametoindex, netioapi.h.
///
/// # Safety
/// `name` ends with a NUL.
pub unsafe fn if_nametoindex(name: *const c_char) -> c_uint {
    // SAFETY: the caller's promise is the callee's.
    unsafe { IpHelper::if_nametoindex(name.cast()) }
}

/// if_indextoname, netioapi.h.
///
/// # Safety
/// [`IF_NAMESIZE`] bytes at `name` are writable.
pub unsafe fn if_indextoname(index: c_uint, name: *mut c_char) -> *mut c_char {
    // SAFETY: the caller's promise is the callee's.
    unsafe { IpHelper::if_indextoname(index, name.cast()).cast() }
}
