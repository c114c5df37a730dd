//! What the tests of `recvmmsg` need from the system and JavaScript cannot do.
//!
//! As an addon: `seccomp` takes system calls away from the process, [`descriptor`] makes, copies, changes and closes
//! descriptors, [`send`] sends single messages, also of many datagrams, [`unix`] does both with Unix sockets, [`signal`]
//! interrupts system calls, and [`constants`] names the platform's numbers. Every failure is thrown in one form, see
//! [`failure`].
//!
//! As a library it lends [`errno`], `segment` and `source` to the `sender` program.

#![cfg(unix)]
#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

pub mod constants;
pub mod descriptor;
pub mod errno;
pub mod failure;
#[cfg(target_os = "linux")]
pub mod seccomp;
#[cfg(target_os = "linux")]
pub mod segment;
pub mod send;
pub mod signal;
#[cfg(target_os = "linux")]
pub mod source;
pub mod unix;
#[cfg(not(target_os = "linux"))]
pub mod unsupported;
