//! The system calls, and the contract that each way of receiving satisfies.
//!
//! # The contract of a backend
//!
//! [`mmsg`] and [`portable`] each have one function, and whoever calls it cannot tell them apart:
//!
//! ```text
//! unsafe fn receive(fd: RawFd, headers: &mut [MMsgHdr], flags: c_int, tap: &mut Tap) -> Result<Received, Errno>
//! ```
//!
//! - It **never waits**, whatever mode the descriptor is in: `MSG_DONTWAIT` goes with every call, and the mode is
//!   neither relied upon nor changed. Waiting is [`wait`]'s.
//! - It receives at most `headers.len()` messages, in order, one a header, and fills `msg_len` and the in-out fields of
//!   `msg_hdr` for as many as it counts. The others' contents mean nothing.
//! - Nothing there is `Err(EAGAIN)`, never `Ok(0)`.
//! - An error before the first message is the result. An error **after** it ends the call with the count so far, and
//!   comes with the next call on the socket: the kernel keeps it (`sk_err`, net/socket.c, `do_recvmmsg`), or the
//!   backend hands it over in [`Received::parked`].
//! - With `MSG_PEEK` it takes one message: peeking leaves the queue as it is, so a second look sees the first again.
//! - Control messages, truncation and GRO are the kernel's in both, so both give them alike.
//! - `EINTR` is never a result: a call that does not wait is simply made again.
//! - Each system call goes through the [`tap`], which sees it as it is made.
//!
//! Sending is the same for both, too, of at most 1,024 headers:
//!
//! ```text
//! unsafe fn send(fd: RawFd, headers: &mut [MMsgHdr], flags: c_int, tap: &mut Tap) -> Result<usize, Errno>
//! ```
//!
//! - It never waits, and sends in order. The result is how many messages the kernel took, at least 1, or what it said of
//!   the first. Why it stopped short is not told: the caller goes on with the first message that was not sent.

use std::io;

use self::fd::RawFd;
use self::libc::c_int;
use self::tap::Tap;

#[cfg(test)]
mod contract;
#[cfg(unix)]
pub mod descriptor;
pub mod error_queue;
#[cfg(unix)]
pub mod fd;
pub mod filter;
#[cfg(mmsg)]
pub mod mmsg;
pub mod named;
pub mod options;
#[cfg(unix)]
pub mod portable;
pub mod tap;
pub mod unix;
pub mod wait;
#[cfg(any(windows, test))]
mod windows;

#[cfg(unix)]
pub use ::libc;
#[cfg(windows)]
pub use windows::{descriptor, fd, libc, portable};

#[cfg(mmsg)]
pub use libc::mmsghdr as MMsgHdr;

/// `struct mmsghdr` of recvmmsg(2), for platforms whose libc has none.
#[cfg(not(mmsg))]
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct MMsgHdr {
    pub msg_hdr: libc::msghdr,
    pub msg_len: libc::c_uint,
}

/// What a backend gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Messages received, at least 1.
    pub count: usize,
    /// An error met after the last of them, which the kernel no longer holds: the next call's result.
    pub parked: Option<Errno>,
}

/// An error number of the system, errno(3); always positive. On Windows it is libuv's, see [`windows::errno`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub c_int);

impl Errno {
    /// The calling thread's `errno`.
    pub fn last() -> Errno {
        io::Error::last_os_error().into()
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        // An io::Error without a number is one that was made up before the system was asked.
        let number = error.raw_os_error();
        #[cfg(windows)]
        let number = number.map(windows::errno::of);
        Errno(number.unwrap_or(libc::EINVAL))
    }
}

/// Datagram sockets of which families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// IPv4 and IPv6.
    Udp,
    /// Unix domain.
    Unix,
}

/// Calls one of `libc`'s functions whose failure is -1 and `errno`.
macro_rules! syscall {
    ($name:ident($($argument:expr),* $(,)?)) => {
        match $crate::sys::libc::$name($($argument),*) {
            -1 => Err($crate::sys::Errno::last()),
            result => Ok(result),
        }
    };
}
pub(crate) use syscall;

/// Makes a call that does not wait again for as long as a signal interrupts it, signal(7).
pub(crate) fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            result => return result,
        }
    }
}

/// Which system call receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// recvmmsg(2): many messages a call.
    #[cfg(mmsg)]
    Mmsg,
    /// recvmsg(2) in a loop: one message a call, on every platform.
    #[default]
    Portable,
}

impl Backend {
    /// The better one of those that work here.
    pub fn best() -> Backend {
        #[cfg(mmsg)]
        if mmsg::supported() {
            return Backend::Mmsg;
        }
        Backend::Portable
    }

    /// See the contract.
    ///
    /// # Safety
    /// Every header's name, iovec and control lead to memory valid for writes of the lengths beside them.
    pub unsafe fn receive(
        self,
        fd: RawFd,
        headers: &mut [MMsgHdr],
        flags: c_int,
        tap: &mut Tap,
    ) -> Result<Received, Errno> {
        let most = if flags & libc::MSG_PEEK == 0 { headers.len() } else { headers.len().min(1) };
        let headers = &mut headers[..most];
        match self {
            #[cfg(mmsg)]
            // SAFETY: the caller's promise is the callee's.
            Backend::Mmsg => unsafe { mmsg::receive(fd, headers, flags, tap) },
            // SAFETY: as above.
            Backend::Portable => unsafe { portable::receive(fd, headers, flags, tap) },
        }
    }

    /// The better one of those that work here, for sending.
    pub fn best_to_send() -> Backend {
        #[cfg(mmsg)]
        if mmsg::send_supported() {
            return Backend::Mmsg;
        }
        Backend::Portable
    }

    /// See the contract.
    ///
    /// # Safety
    /// Every header's name, iovecs and control lead to memory that is readable for the lengths beside them.
    pub unsafe fn send(
        self,
        fd: RawFd,
        headers: &mut [MMsgHdr],
        flags: c_int,
        tap: &mut Tap,
    ) -> Result<usize, Errno> {
        match self {
            #[cfg(mmsg)]
            // SAFETY: the caller's promise is the callee's.
            Backend::Mmsg => unsafe { mmsg::send(fd, headers, flags, tap) },
            // SAFETY: as above.
            Backend::Portable => unsafe { portable::send(fd, headers, flags, tap) },
        }
    }
}
