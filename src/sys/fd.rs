//! A socket's descriptor, and the traits of whoever has one. On Windows it is a `SOCKET`.

pub use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
