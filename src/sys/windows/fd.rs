//! A `SOCKET` in a descriptor's place, with the traits of `std::os::fd`.
//!
//! It is as wide as a pointer, and the system uses 32 bits of it, so that processes of either width can pass handles to
//! each other: JavaScript has it as a number.

use std::os::windows::io::{AsRawSocket, FromRawSocket, IntoRawSocket};

pub use std::os::windows::io::{BorrowedSocket as BorrowedFd, OwnedSocket as OwnedFd, RawSocket as RawFd};

/// `std::os::fd::AsRawFd`.
pub trait AsRawFd {
    /// The socket, which stays whose it is.
    fn as_raw_fd(&self) -> RawFd;
}

impl<T: AsRawSocket> AsRawFd for T {
    fn as_raw_fd(&self) -> RawFd {
        self.as_raw_socket()
    }
}

/// `std::os::fd::FromRawFd`.
pub trait FromRawFd {
    /// An owner of the socket.
    ///
    /// # Safety
    /// `fd` is an open socket that nobody else closes.
    unsafe fn from_raw_fd(fd: RawFd) -> Self;
}

impl<T: FromRawSocket> FromRawFd for T {
    unsafe fn from_raw_fd(fd: RawFd) -> T {
        // SAFETY: the caller's promise is the callee's.
        unsafe { T::from_raw_socket(fd) }
    }
}

/// `std::os::fd::IntoRawFd`.
pub trait IntoRawFd {
    /// The socket, which the caller is to close.
    fn into_raw_fd(self) -> RawFd;
}

impl<T: IntoRawSocket> IntoRawFd for T {
    fn into_raw_fd(self) -> RawFd {
        self.into_raw_socket()
    }
}
