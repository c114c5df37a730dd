//! A process without some system calls: what a container's seccomp profile does to the one it runs.

use std::collections::BTreeMap;
use std::{env, io, ptr};

use napi_derive::napi;
use seccompiler::{BpfProgram, Error, SeccompAction, SeccompFilter, apply_filter_all_threads};

use crate::failure::{Result, invalid, of_call};

/// Makes the named system calls fail with `errno` on every thread of this process, for good; seccomp(2).
#[napi]
pub fn deny_syscalls(names: Vec<String>, errno: i32) -> Result<()> {
    // MAX_ERRNO of include/linux/err.h: the kernel cuts greater numbers down to it.
    let errno = u32::try_from(errno).ok().filter(|errno| (1..=4095).contains(errno));
    let errno = errno.ok_or_else(|| invalid("an errno is 1 to 4095"))?;
    let mut rules = BTreeMap::new();
    for name in &names {
        let number = number(name).ok_or_else(|| invalid(&format!("no known system call: {name}")))?;
        // No condition: the call is refused whatever its arguments are.
        rules.insert(number, Vec::new());
    }
    let architecture = env::consts::ARCH.try_into();
    let program: BpfProgram = architecture
        .and_then(|architecture| {
            SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno), architecture)
        })
        .and_then(BpfProgram::try_from)
        .map_err(|error| invalid(&error.to_string()))?;
    apply_filter_all_threads(&program).map_err(|error| match &error {
        Error::Prctl(cause) => of_call("prctl PR_SET_NO_NEW_PRIVS", cause),
        Error::Seccomp(cause) => of_call("seccomp", cause),
        other => invalid(&other.to_string()),
    })
}

/// Calls recvmmsg(2) on descriptor -1 and returns minus the errno: `-EBADF` from a kernel that runs it.
#[napi]
pub fn call_recvmmsg() -> i32 {
    // SAFETY: with no messages and no timeout the kernel follows neither null pointer.
    negated_errno(unsafe { libc::recvmmsg(-1, ptr::null_mut(), 0, 0, ptr::null_mut()) })
}

/// Calls sendmmsg(2) on descriptor -1 and returns minus the errno, as [`call_recvmmsg`].
#[napi]
pub fn call_sendmmsg() -> i32 {
    // SAFETY: with no messages the kernel does not follow the null pointer.
    negated_errno(unsafe { libc::sendmmsg(-1, ptr::null_mut(), 0, 0) })
}

fn negated_errno(result: libc::c_int) -> i32 {
    if result == -1 { -io::Error::last_os_error().raw_os_error().unwrap_or(0) } else { result }
}

/// The number of a system call that a receiver, a sender or their event loop may use.
fn number(name: &str) -> Option<i64> {
    macro_rules! table {
        ($($name:literal $number:ident)*) => {
            match name {
                $($name => Some(libc::$number as i64),)*
                _ => None,
            }
        };
    }
    table!(
        "bind" SYS_bind "clone" SYS_clone "clone3" SYS_clone3 "connect" SYS_connect "dup" SYS_dup "dup3" SYS_dup3
        "epoll_create1" SYS_epoll_create1 "epoll_ctl" SYS_epoll_ctl "epoll_pwait" SYS_epoll_pwait
        "eventfd2" SYS_eventfd2 "getsockname" SYS_getsockname "getsockopt" SYS_getsockopt "ppoll" SYS_ppoll
        "recvfrom" SYS_recvfrom "recvmmsg" SYS_recvmmsg "recvmsg" SYS_recvmsg "sendmmsg" SYS_sendmmsg
        "sendmsg" SYS_sendmsg "sendto" SYS_sendto "setsockopt" SYS_setsockopt "shutdown" SYS_shutdown
        "socket" SYS_socket "timerfd_create" SYS_timerfd_create
    )
}
