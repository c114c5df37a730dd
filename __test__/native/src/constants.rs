//! The platform's numbers, which differ between Linux and the BSDs and which `node:os` does not list.

use std::collections::BTreeMap;

use napi_derive::napi;

/// Name to number. A name that the platform does not have (`UDP_GRO` outside Linux) is absent.
#[napi]
pub fn constants() -> BTreeMap<String, i32> {
    let mut numbers = BTreeMap::new();
    macro_rules! list {
        ($($name:ident)*) => {
            $(numbers.insert(stringify!($name).to_owned(), libc::$name as i32);)*
        };
    }
    list!(
        SOL_SOCKET SO_RCVBUF SO_SNDBUF SO_REUSEADDR SO_REUSEPORT SO_BROADCAST SO_TIMESTAMP SO_TYPE SO_ERROR
        IPPROTO_IP IPPROTO_IPV6 IPPROTO_UDP IPV6_V6ONLY
        O_NONBLOCK FD_CLOEXEC
        EACCES EAGAIN EBADF ECONNREFUSED EINTR EINVAL EIO EMFILE ENOBUFS ENOMEM ENOSYS EOPNOTSUPP EPERM
        SIGUSR1 SIGUSR2
    );
    #[cfg(target_os = "linux")]
    list!(UDP_GRO UDP_SEGMENT SO_RCVBUFFORCE SO_RXQ_OVFL SO_TIMESTAMPNS);
    numbers
}
