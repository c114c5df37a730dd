//! What a descriptor is, and what it is made before it is used.

use std::mem;

use super::fd::{BorrowedFd, RawFd};
use super::libc::{self, c_int};
use super::options::get_int;
use super::{Errno, Wanted, syscall};

/// The file's identity, fstat(2): a descriptor's number can be closed and given out again behind our back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: libc::dev_t,
    inode: libc::ino_t,
}

impl Identity {
    /// Who `fd` is now.
    pub fn of(fd: RawFd) -> Result<Identity, Errno> {
        let stat = stat(fd)?;
        Ok(Identity { device: stat.st_dev, inode: stat.st_ino })
    }
}

/// What a descriptor that is not such a socket is, as libuv guesses it (`uv_guess_handle`) and Node names it in
/// ERR_INVALID_FD_TYPE; `None` for one that is.
pub fn kind(fd: RawFd, wanted: Wanted) -> Result<Option<&'static str>, Errno> {
    let file = stat(fd)?.st_mode & libc::S_IFMT;
    // SAFETY: isatty(3) takes a number.
    if unsafe { libc::isatty(fd) } == 1 {
        return Ok(Some("TTY"));
    }
    Ok(match file {
        libc::S_IFREG | libc::S_IFCHR => Some("FILE"),
        libc::S_IFIFO => Some("PIPE"),
        libc::S_IFSOCK => match (get_int(fd, libc::SOL_SOCKET, libc::SO_TYPE)?, domain(fd)?) {
            (libc::SOCK_DGRAM, libc::AF_UNIX) if wanted == Wanted::Unix => None,
            (libc::SOCK_DGRAM, libc::AF_INET | libc::AF_INET6) if wanted == Wanted::Udp => None,
            (libc::SOCK_DGRAM, libc::AF_INET | libc::AF_INET6) => Some("UDP"),
            (libc::SOCK_STREAM, libc::AF_INET | libc::AF_INET6) => Some("TCP"),
            (libc::SOCK_STREAM, libc::AF_UNIX) => Some("PIPE"),
            _ => Some("UNKNOWN"),
        },
        _ => Some("UNKNOWN"),
    })
}

/// A socket's family, from its own name: SO_DOMAIN is not everywhere, getsockname(2) is.
pub fn domain(fd: RawFd) -> Result<c_int, Errno> {
    // SAFETY: used for one call, by which the system finds out whether it is open.
    let socket = unsafe { BorrowedFd::borrow_raw(fd) };
    let name = socket2::SockRef::from(&socket).local_addr()?;
    Ok(c_int::from(name.family()))
}

fn stat(fd: RawFd) -> Result<libc::stat, Errno> {
    // SAFETY: zero is a value for each of stat's integers.
    let mut stat = unsafe { mem::zeroed() };
    // SAFETY: `stat` is ours to write.
    unsafe { syscall!(fstat(fd, &raw mut stat)) }?;
    Ok(stat)
}

/// A descriptor's number as JavaScript has it.
pub fn from_number(number: i32) -> RawFd {
    number
}

/// Another descriptor of the same socket, close-on-exec.
pub fn duplicate(fd: RawFd) -> Result<RawFd, Errno> {
    // SAFETY: fcntl(F_DUPFD_CLOEXEC) takes and gives numbers.
    unsafe { syscall!(fcntl(fd, libc::F_DUPFD_CLOEXEC, 0)) }
}

/// Whether it is in blocking mode.
pub fn is_blocking(fd: RawFd) -> Result<bool, Errno> {
    // SAFETY: fcntl(F_GETFL) takes and gives numbers.
    let flags = unsafe { syscall!(fcntl(fd, libc::F_GETFL)) }?;
    Ok(flags & libc::O_NONBLOCK == 0)
}

/// Makes it non-blocking and close-on-exec.
pub fn prepare(socket: &socket2::Socket) -> Result<(), Errno> {
    socket.set_nonblocking(true)?;
    Ok(socket.set_cloexec(true)?)
}
