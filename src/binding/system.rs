//! What this system has: capabilities, numbers, names.

use napi::bindgen_prelude::{JsValue, Unknown};
use napi::{Env, sys};
use napi_derive::napi;
use socket2::{Domain, Protocol, Type};

use super::socket::telling;
use super::view::View;
#[cfg(unix)]
use crate::readiness::uv;
use crate::socket::reuse_port;
use crate::sys::fd::AsRawFd;
use crate::sys::libc;
use crate::sys::options::{self, Telling};
use crate::sys::unix;
use crate::{record, sockaddr};

/// What this system can do for a socket, each tried, not guessed.
#[napi(object)]
pub struct SystemCapabilities {
    pub recvmmsg: bool,
    pub sendmmsg: bool,
    pub gro: bool,
    pub gso: bool,
    pub destinations: bool,
    /// What the kernel can be had to tell, as the bits of a socket's configuration.
    pub telling: u32,
    pub reuse_port: bool,
    pub unix_sockets: bool,
    /// A Unix socket may tell who sent.
    pub credentials: bool,
    /// libuv's functions are in the process; whether they work is the runtime's to say.
    pub uv: bool,
}

/// Tries what there is to try.
#[napi]
pub fn system_capabilities() -> SystemCapabilities {
    let probe = socket2::Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP));
    let local = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None);
    let can = |question: &dyn Fn(&socket2::Socket) -> bool| probe.as_ref().is_ok_and(question);
    #[cfg(mmsg)]
    let (recvmmsg, sendmmsg) = (crate::sys::mmsg::supported(), crate::sys::mmsg::send_supported());
    #[cfg(not(mmsg))]
    let (recvmmsg, sendmmsg) = (false, false);
    SystemCapabilities {
        recvmmsg,
        sendmmsg,
        gro: can(&|socket| options::set_gro(socket.as_raw_fd())),
        gso: can(&|socket| options::gso(socket.as_raw_fd())),
        destinations: can(&|socket| options::set_destinations(socket.as_raw_fd(), false)),
        telling: (0..u32::BITS)
            .map(|bit| 1 << bit)
            .filter(|&bit| {
                let one = telling(Some(bit));
                one != Telling::default()
                    && can(&|socket| options::set_telling(socket.as_raw_fd(), false, one).is_ok())
            })
            .sum(),
        reuse_port: can(&|socket| reuse_port(socket).is_ok()),
        unix_sockets: local.is_ok(),
        credentials: local.is_ok_and(|socket| unix::set_credentials(socket.as_raw_fd()).is_ok()),
        #[cfg(unix)]
        uv: uv::present(),
        #[cfg(not(unix))]
        uv: false,
    }
}

/// Flags of recvmsg(2) as this platform numbers them, and the table as `record.rs` lays it out.
#[napi(object)]
pub struct SystemConstants {
    pub msg_peek: i32,
    pub msg_dontwait: i32,
    pub msg_trunc: i32,
    pub msg_waitforone: i32,
    pub table_header: u32,
    pub table_message: u32,
    pub table_datagram: u32,
    pub table_detail: u32,
    pub table_name: u32,
    /// Bytes of the longest name of a Unix socket.
    pub unix_name: u32,
    pub max_segments: u32,
}

/// The numbers, once.
#[napi]
pub fn system_constants() -> SystemConstants {
    #[cfg(mmsg)]
    let msg_waitforone = libc::MSG_WAITFORONE;
    // Never given to the kernel, so any bit that no other flag has.
    #[cfg(not(mmsg))]
    let msg_waitforone = 0x1_0000;
    SystemConstants {
        msg_peek: libc::MSG_PEEK,
        msg_dontwait: libc::MSG_DONTWAIT,
        msg_trunc: libc::MSG_TRUNC,
        msg_waitforone,
        table_header: record::HEADER as u32,
        table_message: record::MESSAGE as u32,
        table_datagram: record::DATAGRAM as u32,
        table_detail: record::DETAIL as u32,
        table_name: record::NAME as u32,
        unix_name: unix::NAME_MOST as u32,
        max_segments: record::MAX_SEGMENTS as u32,
    }
}

/// Error numbers, positive.
#[napi(object)]
pub struct SystemErrno {
    pub ebadf: i32,
    pub ebusy: i32,
    pub ecanceled: i32,
    pub edestaddrreq: i32,
    pub eexist: i32,
    pub efault: i32,
    pub einval: i32,
    pub eisconn: i32,
    pub enoprotoopt: i32,
    pub enotconn: i32,
    pub enotsock: i32,
    pub eshutdown: i32,
}

/// The error numbers, once.
#[napi]
pub fn system_errno() -> SystemErrno {
    SystemErrno {
        ebadf: libc::EBADF,
        ebusy: libc::EBUSY,
        ecanceled: libc::ECANCELED,
        edestaddrreq: libc::EDESTADDRREQ,
        eexist: libc::EEXIST,
        efault: libc::EFAULT,
        einval: libc::EINVAL,
        eisconn: libc::EISCONN,
        enoprotoopt: libc::ENOPROTOOPT,
        enotconn: libc::ENOTCONN,
        enotsock: libc::ENOTSOCK,
        eshutdown: libc::ESHUTDOWN,
    }
}

/// The interface's name, `null` where no interface has this index.
#[napi]
pub fn interface_name(index: u32) -> Option<String> {
    sockaddr::interface_name(index)
}

/// Bytes from the beginning of `bytes` to the next cache line: 0 to 63. Where memory lies does not change.
#[napi]
pub fn bytes_to_cache_line(#[napi(ts_arg_type = "Uint8Array")] bytes: View<u8>) -> u32 {
    bytes.as_mut_ptr().addr().wrapping_neg() as u32 % 64
}

/// Makes an exception that was caught an uncaught one: 'uncaughtException', or the end of the process.
#[napi]
pub fn report_exception(env: Env, #[napi(ts_arg_type = "unknown")] error: Unknown<'_>) {
    // SAFETY: the current call's environment and argument. What it returns says whether it could be told, and nobody is
    // left to tell.
    unsafe { sys::napi_fatal_exception(env.raw(), error.raw()) };
}
