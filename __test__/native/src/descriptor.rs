//! Raw descriptors: making, copying, changing and closing them under the feet of whoever uses them.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{BorrowedFd, IntoRawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use libc::c_int;
use napi_derive::napi;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::failure::{Result, check, invalid, of_call};

/// A socket that blocks and is closed on exec; `domain` is `inet`, `inet6` or `unix`, `kind` is `dgram`, `stream`, or
/// `raw` of UDP, which is sent to with a UDP header of one's own.
#[napi(
    ts_args_type = "domain: 'inet' | 'inet6' | 'unix', type: 'dgram' | 'stream' | 'raw'",
    ts_return_type = "number"
)]
pub fn make_socket(domain: String, kind: String) -> Result<i32> {
    let domain = match domain.as_str() {
        "inet" => Domain::IPV4,
        "inet6" => Domain::IPV6,
        "unix" => Domain::UNIX,
        _ => return Err(invalid("the domain is 'inet', 'inet6' or 'unix'")),
    };
    let kind = match kind.as_str() {
        "dgram" => Type::DGRAM,
        "stream" => Type::STREAM,
        "raw" => Type::RAW,
        _ => return Err(invalid("the type is 'dgram', 'stream' or 'raw'")),
    };
    let protocol = (kind == Type::RAW).then_some(Protocol::UDP);
    let socket = Socket::new(domain, kind, protocol).map_err(|error| of_call("socket", &error))?;
    Ok(socket.into_raw_fd())
}

/// Two Unix datagram sockets without names that are connected to each other: socketpair(2).
#[napi]
pub fn socket_pair() -> Result<Vec<i32>> {
    let (one, other) =
        Socket::pair(Domain::UNIX, Type::DGRAM, None).map_err(|error| of_call("socketpair", &error))?;
    Ok(vec![one.into_raw_fd(), other.into_raw_fd()])
}

/// Binds an unbound Internet socket to the loopback address of its family and returns the port it was given.
#[napi]
pub fn bind_any(fd: i32) -> Result<u32> {
    let borrowed = borrow(fd)?;
    let socket = SockRef::from(&borrowed);
    // An unbound socket has a family already: getsockname(2) answers with the wildcard address and port 0.
    let local = socket.local_addr().map_err(|error| of_call("getsockname", &error))?;
    let loopback: SocketAddr = match local.as_socket() {
        Some(SocketAddr::V4(_)) => (Ipv4Addr::LOCALHOST, 0).into(),
        Some(SocketAddr::V6(_)) => (Ipv6Addr::LOCALHOST, 0).into(),
        None => return Err(invalid("only an Internet socket has a loopback address")),
    };
    socket.bind(&loopback.into()).map_err(|error| of_call("bind", &error))?;
    let bound = socket.local_addr().map_err(|error| of_call("getsockname", &error))?;
    bound.as_socket().map(|address| address.port().into()).ok_or_else(|| invalid("bound to no port"))
}

/// `shutdown(fd, SHUT_RD)`.
#[napi]
pub fn shutdown_read(fd: i32) -> Result<()> {
    // SAFETY: no memory is passed; a number that is no open socket gives EBADF or ENOTSOCK.
    check("shutdown", unsafe { libc::shutdown(fd, libc::SHUT_RD) }).map(drop)
}

/// open(2) for reading, of a FIFO without waiting for who writes. Not every runtime's `fs` gives the system's numbers.
#[napi]
pub fn open_file(path: String) -> Result<i32> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    file.map(IntoRawFd::into_raw_fd).map_err(|error| of_call("open", &error))
}

/// What `stat` calls `ino`.
#[napi]
pub fn inode(fd: i32) -> Result<f64> {
    let copy = borrow(fd)?.try_clone_to_owned().map_err(|error| of_call("dup", &error))?;
    let metadata = File::from(copy).metadata().map_err(|error| of_call("fstat", &error))?;
    Ok(metadata.ino() as f64)
}

/// dup(2).
#[napi]
pub fn dup(fd: i32) -> Result<i32> {
    // SAFETY: no memory is passed; a number that is not open gives EBADF.
    check("dup", unsafe { libc::dup(fd) })
}

/// dup2(2): `to` becomes a copy of `from`, and what it was before is closed.
#[napi(js_name = "dup2")]
pub fn dup2(from: i32, to: i32) -> Result<i32> {
    // SAFETY: no memory is passed. Taking a descriptor away from its owner is what the tests call this for.
    check("dup2", unsafe { libc::dup2(from, to) })
}

/// close(2).
#[napi]
pub fn close_fd(fd: i32) -> Result<()> {
    // SAFETY: no memory is passed. Closing a descriptor behind its owner's back is what the tests call this for.
    check("close", unsafe { libc::close(fd) }).map(drop)
}

/// getsockopt(2) of an option that is a C `int`.
#[napi]
pub fn getsockopt_int(fd: i32, level: i32, name: i32) -> Result<i32> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: `value` and `length` are live locals, and the kernel writes no more than `length` bytes of `value`.
    let result = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) };
    check("getsockopt", result)?;
    Ok(value)
}

/// setsockopt(2) of an option that is a C `int`.
#[napi]
pub fn setsockopt_int(fd: i32, level: i32, name: i32, value: i32) -> Result<()> {
    // SAFETY: `value` is a live C int and its size goes with it.
    let result = unsafe {
        libc::setsockopt(fd, level, name, (&raw const value).cast(), size_of::<c_int>() as libc::socklen_t)
    };
    check("setsockopt", result).map(drop)
}

/// `fcntl(fd, F_GETFL)`: the status flags, `O_NONBLOCK` among them.
#[napi]
pub fn fcntl_get_flags(fd: i32) -> Result<i32> {
    // SAFETY: F_GETFL takes no argument; a number that is not open gives EBADF.
    check("fcntl F_GETFL", unsafe { libc::fcntl(fd, libc::F_GETFL) })
}

/// `fcntl(fd, F_SETFL, flags)`.
#[napi]
pub fn fcntl_set_flags(fd: i32, flags: i32) -> Result<()> {
    // SAFETY: F_SETFL takes a C int, which `flags` is; a number that is not open gives EBADF.
    check("fcntl F_SETFL", unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(drop)
}

/// `fcntl(fd, F_GETFD)`: the descriptor flags, of which `FD_CLOEXEC` is the only one.
#[napi]
pub fn fd_flags(fd: i32) -> Result<i32> {
    // SAFETY: F_GETFD takes no argument; a number that is not open gives EBADF.
    check("fcntl F_GETFD", unsafe { libc::fcntl(fd, libc::F_GETFD) })
}

/// Lends a number from JavaScript to socket2 for the length of one call.
pub(crate) fn borrow<'a>(fd: i32) -> Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(of_call("descriptor", &std::io::Error::from_raw_os_error(libc::EBADF)));
    }
    // SAFETY: the value is not -1, the only one that BorrowedFd must not hold. Whether it is open the kernel answers at
    // each call, with EBADF; the caller uses it within one synchronous function and does not keep it.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}
