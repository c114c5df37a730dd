//! Signals for tests of EINTR, signal(7).

use std::time::Duration;
use std::{mem, ptr, thread};

use napi_derive::napi;

use crate::failure::{Result, check, invalid, of_call};

/// `kill(getpid(), signo)`: the kernel picks the thread.
#[napi]
pub fn raise_signal(signo: i32) -> Result<()> {
    // SAFETY: no memory is passed; a number that is no signal gives EINVAL.
    check("kill", unsafe { libc::kill(libc::getpid(), signo) }).map(drop)
}

/// Sends `signo` to the calling thread `times` times, the first after `after_ms` and each so long after the one before.
///
/// Its handler does nothing and is installed without `SA_RESTART`, so that a blocked call returns EINTR. It stays: a
/// signal that comes late must not end the process. All of it may last a minute, no longer.
#[napi]
pub fn interrupt_soon(signo: i32, after_ms: u32, times: u32) -> Result<()> {
    if u64::from(after_ms.max(1)) * u64::from(times) > 60_000 {
        return Err(invalid("interrupts last a minute at most"));
    }
    let target = Target::current()?;
    install_empty_handler(signo)?;
    let interval = Duration::from_millis(after_ms.into());
    let helper = thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
        for _ in 0..times {
            thread::sleep(interval);
            if !target.signal(signo) {
                break;
            }
        }
    });
    // Dropping the handle detaches the thread, which ends itself.
    helper.map(drop).map_err(|error| of_call("pthread_create", &error))
}

extern "C" fn nothing(_signo: libc::c_int) {}

fn install_empty_handler(signo: i32) -> Result<()> {
    // SAFETY: zero is a valid value of each of sigaction's fields: SIG_DFL, no flags, an empty set.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: `action` is live and complete. Its handler takes the one argument of a handler without SA_SIGINFO, does
    // nothing, and is never unloaded: napi-build links the addon with -z nodelete, musl never unloads, and elsewhere
    // only the main thread gets here, whose addons Node.js keeps.
    check("sigaction", unsafe { libc::sigaction(signo, &raw const action, ptr::null_mut()) }).map(drop)
}

/// The thread to interrupt. By its kernel id, which is safe to signal when the thread has ended (a worker's may).
#[cfg(target_os = "linux")]
struct Target(libc::pid_t);

#[cfg(target_os = "linux")]
impl Target {
    fn current() -> Result<Self> {
        // SAFETY: takes nothing and cannot fail.
        Ok(Self(unsafe { libc::gettid() }))
    }

    /// False when the thread is gone.
    fn signal(&self, signo: i32) -> bool {
        // SAFETY: tgkill(2) takes three integers. An id that is no thread of this process any more gives ESRCH.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.0, signo) };
        result == 0
    }
}

/// The thread to interrupt, as pthread_kill(3) wants it: alive. Only the main thread is so until the process ends.
#[cfg(not(target_os = "linux"))]
struct Target(libc::pthread_t);

#[cfg(not(target_os = "linux"))]
impl Target {
    fn current() -> Result<Self> {
        // SAFETY: neither takes an argument or can fail.
        let (main, this) = unsafe { (libc::pthread_main_np(), libc::pthread_self()) };
        if main == 1 { Ok(Self(this)) } else { Err(invalid("only the main thread can be interrupted")) }
    }

    fn signal(&self, signo: i32) -> bool {
        // SAFETY: `self.0` is the main thread, see `current`.
        unsafe { libc::pthread_kill(self.0, signo) == 0 }
    }
}
