//! Error numbers as libuv has them on Windows (include/uv/errno.h), made positive, and what Winsock says for each.
//!
//! Node names an error by this number, and has no other there: `util.getSystemErrorName(-4088)` is EAGAIN.

use std::ffi::c_int;

macro_rules! errors {
    ($($name:ident = $number:literal: $($code:literal)|+;)*) => {
        $(
            #[allow(missing_docs)]
            pub const $name: c_int = $number;
        )*

        #[cfg(test)]
        const NUMBERS: &[c_int] = &[$($number),*];

        /// The number of what the system says; `UNKNOWN` for what is not in the list.
        pub fn of(code: c_int) -> c_int {
            match code {
                $($($code)|+ => $name,)*
                _ => UNKNOWN,
            }
        }
    };
}

// Codes from 10,000 on are Winsock's (winsock2.h), the others Win32's (winerror.h). They mean what libuv takes them for
// (uv_translate_sys_error, src/win/error.c); those that are UV_UNKNOWN or UV_EPIPE there have the name of the Unix error here.
errors! {
    EACCES = 4092: 10013 | 5 | 998;
    EADDRINUSE = 4091: 10048 | 1227;
    EADDRNOTAVAIL = 4090: 10049;
    EAFNOSUPPORT = 4089: 10047;
    EAGAIN = 4088: 10035;
    EALREADY = 4084: 10037;
    EBADF = 4083: 10009 | 6;
    EBUSY = 4082: 170;
    ECANCELED = 4081: 10004 | 995;
    ECONNABORTED = 4079: 10053 | 1236;
    ECONNREFUSED = 4078: 10061 | 1225;
    ECONNRESET = 4077: 10054 | 10052 | 64;
    EDESTADDRREQ = 4076: 10039;
    EEXIST = 4075: 183;
    EFAULT = 4074: 10014;
    EHOSTUNREACH = 4073: 10065 | 1232;
    EINVAL = 4071: 10022 | 10046 | 87;
    EIO = 4070: 31 | 1117;
    EISCONN = 4069: 10056;
    EMFILE = 4066: 10024 | 4;
    EMSGSIZE = 4065: 10040;
    ENETDOWN = 4063: 10050;
    ENETUNREACH = 4062: 10051 | 1231;
    ENOBUFS = 4060: 10055 | 1450;
    ENODEV = 4059: 55;
    ENOMEM = 4057: 8 | 14;
    ENOSYS = 4054: 120;
    ENOTCONN = 4053: 10057;
    ENOTSOCK = 4050: 10038;
    ENOTSUP = 4049: 10045 | 50;
    EPERM = 4048: 1314;
    EPROTONOSUPPORT = 4045: 10043;
    ESHUTDOWN = 4042: 10058;
    ETIMEDOUT = 4039: 10060 | 121;
    ENAMETOOLONG = 4064: 111 | 206;
    ESOCKTNOSUPPORT = 4025: 10044;
    ENOPROTOOPT = 4035: 10042;
    ENXIO = 4033: 20;
    UNKNOWN = 4094: 0;
}

/// Nobody says it: a call that does not wait is interrupted by nothing.
pub const EINTR: c_int = 4072;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_winsock_says_has_nodes_number() {
        // As `util.getSystemErrorMap()` has them on Windows.
        for (code, number) in [(10035, 4088), (10048, 4091), (10054, 4077), (10038, 4050), (10040, 4065)] {
            assert_eq!(of(code), number);
        }
        assert_eq!(of(1), UNKNOWN);
    }

    #[test]
    fn every_number_is_one_errors() {
        let mut numbers = [NUMBERS, &[EINTR]].concat();
        assert!(numbers.iter().all(|number| (4023..=4095).contains(number)));
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
    }
}
