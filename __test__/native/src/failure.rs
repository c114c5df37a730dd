//! The one form in which the addon throws: `code` is the name of the error, as on the errors of Node.js itself.

use std::io;

use crate::errno;

/// What every function of the addon returns.
pub type Result<T> = std::result::Result<T, napi::Error<String>>;

/// A failed system call: `EBADF: Bad file descriptor (os error 9), dup`.
pub fn of_call(call: &str, error: &io::Error) -> napi::Error<String> {
    match error.raw_os_error() {
        Some(number) => named(errno::name(number), &format!("{error}, {call}")),
        None => named("EINVAL".to_owned(), &format!("{error}, {call}")),
    }
}

/// An argument that the function refuses.
pub fn invalid(reason: &str) -> napi::Error<String> {
    named("EINVAL".to_owned(), reason)
}

/// A function that this platform has no system call for.
pub fn unsupported(function: &str) -> napi::Error<String> {
    named("ENOTSUP".to_owned(), &format!("not supported on this platform, {function}"))
}

/// The result of a C call that returns -1 and sets errno.
pub fn check(call: &str, result: libc::c_int) -> Result<i32> {
    if result == -1 { Err(of_call(call, &io::Error::last_os_error())) } else { Ok(result) }
}

fn named(code: String, reason: &str) -> napi::Error<String> {
    let message = format!("{code}: {reason}");
    napi::Error::new(code, message)
}
