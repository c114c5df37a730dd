//! What the system calls of a socket were, for JavaScript.

use napi_derive::napi;

use super::handle::Handle;
use super::socket::Held;
use super::view::View;
use crate::sys::Errno;
use crate::sys::tap::{Entry, Made, Syscall};

/// Numbers of one entry; `lib/diagnostics.ts` reads them.
const ENTRY: usize = 14;
/// In place of a system call: the call for many messages was given up.
const GAVE_UP: f64 = 6.0;

/// Times the system calls of the socket from now on.
#[napi]
pub fn socket_time(#[napi(ts_arg_type = "object")] held: Handle<Held>) {
    // A socket that is not there makes no calls.
    let _ = held.with(|socket| {
        socket.tap(false).time();
        socket.tap(true).time();
        Ok(())
    });
}

/// Writes down the system calls that receive, or with `sending` those that send, until `socketTraced`.
#[napi]
pub fn socket_trace(#[napi(ts_arg_type = "object")] held: Handle<Held>, sending: bool) {
    // A socket that is not there makes no calls.
    let _ = held.with(|socket| {
        socket.tap(sending).trace();
        Ok(())
    });
}

/// Writes what was written down into `out`, in order, so many numbers each, as many as fit: how many those are. Nothing is
/// written down from now on.
#[napi]
pub fn socket_traced(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    sending: bool,
    #[napi(ts_arg_type = "Float64Array")] mut out: View<f64>,
) -> u32 {
    // SAFETY: no JavaScript runs while the slice lives.
    let (rows, _) = unsafe { out.as_mut_slice() }.as_chunks_mut::<ENTRY>();
    let entries = held.with(|socket| Ok(socket.tap(sending).traced(rows.len()))).unwrap_or_default();
    for (row, entry) in rows.iter_mut().zip(&entries) {
        *row = numbers(entry);
    }
    entries.len() as u32
}

fn numbers(entry: &Entry) -> [f64; ENTRY] {
    let made = match entry {
        Entry::Made(made) => made,
        Entry::GaveUp(Errno(errno)) => {
            let mut numbers = [0.0; ENTRY];
            (numbers[0], numbers[1]) = (GAVE_UP, f64::from(-errno));
            return numbers;
        }
    };
    let Made { arguments, result, nanoseconds, messages, datagrams, bytes } = *made;
    let syscall = match arguments.syscall {
        Syscall::Recvmmsg => 0.0,
        Syscall::Recvmsg => 1.0,
        Syscall::Recvfrom => 2.0,
        Syscall::Sendmmsg => 3.0,
        Syscall::Sendmsg => 4.0,
        Syscall::Sendto => 5.0,
    };
    let [memory_high, memory_low] = halves(arguments.memory);
    let [name_high, name_low] = halves(arguments.name);
    [
        syscall,
        result.map_or_else(|Errno(errno)| f64::from(-errno), |value| value as f64),
        arguments.sockfd as f64,
        memory_high,
        memory_low,
        arguments.length as f64,
        arguments.flags.into(),
        name_high,
        name_low,
        arguments.namelen as f64,
        nanoseconds as f64,
        messages as f64,
        datagrams as f64,
        bytes as f64,
    ]
}

/// An address: one of 64 bits may be no number of JavaScript.
fn halves(address: usize) -> [f64; 2] {
    let address = address as u64;
    [(address >> 32) as f64, (address as u32).into()]
}
