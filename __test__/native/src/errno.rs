//! Names of error numbers, errno(3).

/// The symbol of `errno` on this platform, `E` and the number where it is none that socket calls are known for.
pub fn name(errno: i32) -> String {
    macro_rules! symbol {
        ($($symbol:ident)*) => {
            match errno {
                $(libc::$symbol => stringify!($symbol).to_owned(),)*
                _ => format!("E{errno}"),
            }
        };
    }
    symbol!(
        EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY EBADF EBUSY ECONNABORTED ECONNREFUSED ECONNRESET
        EDESTADDRREQ EEXIST EFAULT EHOSTDOWN EHOSTUNREACH EINPROGRESS EINTR EINVAL EIO EISCONN EMFILE EMSGSIZE
        ENETDOWN ENETUNREACH ENFILE ENOBUFS ENODEV ENOENT ENOMEM ENOPROTOOPT ENOSYS ENOTCONN ENOTSOCK EOPNOTSUPP EPERM
        EPIPE EPROTONOSUPPORT EPROTOTYPE ESRCH ETIMEDOUT
    )
}
