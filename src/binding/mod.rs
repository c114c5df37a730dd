//! The Node-API face of the crate: arguments in, numbers out.
//!
//! A function that can fail at the system's hands returns a number: what was asked for, or the negative errno. The
//! facade makes the error, as one made here would be of another realm under `vm`, and so not `instanceof Error`.
//! Arguments are trusted: `lib/` has validated them, and nothing else can reach this module through the package.

mod callback;
mod handle;
mod hub;
mod options;
mod receive;
mod send;
mod socket;
mod system;
mod tap;
mod unix;
mod view;
mod watch;
#[cfg(unix)]
mod watch_uv;

use crate::sys::Errno;

/// A count, or a negative errno.
fn number(result: Result<usize, Errno>) -> i32 {
    match result {
        Ok(count) => i32::try_from(count).unwrap_or(i32::MAX),
        Err(Errno(errno)) => -errno,
    }
}

/// 0, or a negative errno.
fn done(result: Result<(), Errno>) -> i32 {
    number(result.map(|()| 0))
}

/// Turns a Node-API status into napi-rs's error, which is thrown.
fn check(status: napi::sys::napi_status) -> napi::Result<()> {
    match napi::Status::from(status) {
        napi::Status::Ok => Ok(()),
        status => Err(napi::Error::from_status(status)),
    }
}
