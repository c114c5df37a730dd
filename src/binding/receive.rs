//! The one call that matters: a batch.

use std::ptr;
use std::time::{Duration, Instant};

use napi::{Env, sys};
use napi_derive::napi;

use super::handle::Handle;
use super::number;
use super::socket::Held;
use super::view::View;
use crate::arena::Slots;
use crate::record::{DATAGRAM, HEADER, MESSAGE, Table};
use crate::socket::Call;
use crate::sys::wait;

/// What `socketReceive` says where the batch's memory is gone: no errno, and no count.
const DETACHED: i32 = i32::MIN;

/// Receives into `bytes`, cut into slots of `slotSize`, and describes it in `table`: the number of datagrams, 0 where
/// nothing is there, a negative errno, or `DETACHED`.
///
/// `timeout` is how long to wait for the first datagram, in milliseconds; Infinity for ever.
#[napi]
#[allow(clippy::too_many_arguments)] // one object fewer to make and take apart for each batch
pub fn socket_receive(
    env: &Env,
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint8Array")] bytes: View<u8>,
    #[napi(ts_arg_type = "Uint32Array")] mut table: View<u32>,
    slot_size: u32,
    vlen: u32,
    flags: i32,
    timeout: f64,
) -> i32 {
    let slot_size = slot_size as usize;
    // SAFETY: the memory is JavaScript's, which does not run before this call returns. (Asking whether it still may,
    // below, reads a property that cannot have a getter.)
    let slots = unsafe { Slots::new(bytes.as_mut_ptr(), bytes.len(), slot_size) };
    // SAFETY: as above, and `bytes` and `table` are views of different buffers.
    let Some(table) = Table::new(unsafe { table.as_mut_slice() }, slots.count(), slot_size) else {
        return DETACHED;
    };
    let call = Call { vlen: vlen as usize, flags, timeout: duration(timeout) };
    let raw = env.raw();
    let mut interrupted = || !may_run_javascript(raw);
    // SAFETY: `slots` is memory of this call, see above.
    number(held.with(|socket| unsafe { socket.receive(slots, table, &call, &mut interrupted) }))
}

/// Waits until one of the sockets has something for a receive: writes 1 for each that has into `ready`, 0 for each that
/// has not, in their order, and gives the number of the first; 0 where the time is up, or a negative errno.
///
/// `timeout` is in milliseconds; Infinity for ever.
#[napi]
pub fn sockets_readable(
    env: &Env,
    #[napi(ts_arg_type = "object[]")] held: Vec<Handle<Held>>,
    #[napi(ts_arg_type = "Uint8Array")] mut ready: View<u8>,
    timeout: f64,
) -> i32 {
    // A socket that is not there is ready: a receive says EBADF.
    let on: Vec<_> =
        held.iter().map(|held| held.with(|socket| Ok(socket.wait_on())).ok().flatten()).collect();
    // A timeout beyond what the clock can tell is for ever.
    let deadline = duration(timeout).and_then(|timeout| Instant::now().checked_add(timeout));
    let raw = env.raw();
    let mut interrupted = || !may_run_javascript(raw);
    // SAFETY: the memory is JavaScript's, which does not run before this call returns. (Asking whether it still may reads
    // a property that cannot have a getter.)
    let ready = unsafe { ready.as_mut_slice() };
    number(wait::any_readable(&on, ready, deadline, &mut interrupted))
}

/// Milliseconds as a `Duration`. What none can hold, Infinity too, is for ever.
fn duration(milliseconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).ok()
}

/// Copies datagrams from row `first` to row `end` of `table`, whose payloads are in `bytes`, to `to` from byte `at` on,
/// as many as fit, each at a multiple of eight bytes behind the one before. The row that the first one left out has.
#[napi]
#[allow(clippy::too_many_arguments)] // one object fewer to make and take apart for each batch
pub fn batch_gather(
    #[napi(ts_arg_type = "Uint8Array")] mut bytes: View<u8>,
    #[napi(ts_arg_type = "Uint32Array")] mut table: View<u32>,
    capacity: u32,
    first: u32,
    end: u32,
    #[napi(ts_arg_type = "Uint8Array")] mut to: View<u8>,
    at: u32,
) -> u32 {
    // SAFETY: no JavaScript runs before this call returns, and the three are views of different buffers.
    let (from, table, to) = unsafe { (bytes.as_mut_slice(), table.as_mut_slice(), to.as_mut_slice()) };
    let rows = table.get(HEADER + capacity as usize * MESSAGE..).unwrap_or_default();
    let (rows, _) = rows.as_chunks::<DATAGRAM>();
    let rows = rows.get(first as usize..end as usize).unwrap_or_default();
    first + gather(from, rows, to, at as usize) as u32
}

/// How many rows were copied.
fn gather(from: &[u8], rows: &[[u32; DATAGRAM]], to: &mut [u8], mut at: usize) -> usize {
    for (index, [offset, size, ..]) in rows.iter().enumerate() {
        let (start, length) = (*offset as usize, *size as usize);
        let (Some(payload), Some(room)) = (from.get(start..start + length), to.get_mut(at..at + length))
        else {
            return index;
        };
        room.copy_from_slice(payload);
        at += length.next_multiple_of(8);
    }
    rows.len()
}

/// Whether this thread has not been told to end. A thread that sits here gets no other word of it: the hooks that
/// `worker.terminate()` and `process.exit()` run wait until it has left native code.
fn may_run_javascript(env: sys::napi_env) -> bool {
    let mut scope = ptr::null_mut();
    let mut global = ptr::null_mut();
    let mut value = ptr::null_mut();
    // SAFETY: the current call's `env`; the scope is closed before its values are forgotten. `undefined` is a property
    // of the global object that nobody can redefine (ECMA-262, 19.1.4), so no JavaScript runs.
    unsafe {
        if sys::napi_open_handle_scope(env, &raw mut scope) != sys::Status::napi_ok {
            return false;
        }
        let may = sys::napi_get_global(env, &raw mut global) == sys::Status::napi_ok
            && sys::napi_get_named_property(env, global, c"undefined".as_ptr(), &raw mut value)
                == sys::Status::napi_ok;
        sys::napi_close_handle_scope(env, scope);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_what_fits_at_multiples_of_eight() {
        let from: Vec<u8> = (0..=99).collect();
        let rows = [[10, 3, 0, 7], [50, 0, 0, 7], [90, 10, 1, 7], [0, 8, 2, 7]];
        let mut to = [0xff; 34];
        assert_eq!(gather(&from, &rows, &mut to, 8), 3);
        assert_eq!(to[8..11], from[10..13]);
        assert_eq!(to[16..26], from[90..]);
        assert_eq!(to[11..16], [0xff; 5]);
        assert_eq!(to[26..], [0xff; 8]);
    }

    #[test]
    fn gathers_nothing_from_outside() {
        assert_eq!(gather(&[0; 100], &[[95, 6, 0, 0]], &mut [0; 64], 0), 0);
    }
}
