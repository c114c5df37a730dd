//! The names of the Linux functions on the other systems, where they throw.

use napi_derive::napi;

use crate::failure::{Result, unsupported};

/// Throws: seccomp(2) is Linux's.
#[napi]
pub fn deny_syscalls(_names: Vec<String>, _errno: i32) -> Result<()> {
    Err(unsupported("denySyscalls"))
}

/// Throws: recvmmsg(2) is no system call here.
#[napi]
pub fn call_recvmmsg() -> Result<i32> {
    Err(unsupported("callRecvmmsg"))
}

/// Throws: sendmmsg(2) is no system call here.
#[napi]
pub fn call_sendmmsg() -> Result<i32> {
    Err(unsupported("callSendmmsg"))
}

/// Throws: `UDP_SEGMENT` is Linux's.
#[napi]
pub fn send_gso(_fd: i32, _address: String, _port: u32, _data: &[u8], _segment_size: u32) -> Result<u32> {
    Err(unsupported("sendGso"))
}
