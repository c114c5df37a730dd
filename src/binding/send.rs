//! Sending for JavaScript.

use napi_derive::napi;

use super::handle::Handle;
use super::number;
use super::socket::{Held, parse};
use super::view::View;
use crate::outgoing::{Letters, Rows};
use crate::record::{self, DATAGRAM, HEADER, MESSAGE, NAME, SOCKADDR};
use crate::socket::{Outcome, Pending};

/// What `socketSendMany` says where the memory is gone: no errno, and no count.
const DETACHED: i32 = i32::MIN;
/// Errors that `out` has room for, each with its count; `lib/outcome.ts` reads them.
const ERRORS: usize = 8;
/// Words of `out`: what was sent, what failed, the next row, why the first failed and its row, how many errors and
/// passing errors follow; the errors with their counts; the passing ones.
pub const OUT: usize = 7 + 3 * ERRORS;

/// Sends one datagram: 1 sent, 0 no room, or a negative errno. An empty address is the connected peer.
#[napi]
pub fn socket_send(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint8Array")] data: View<u8>,
    address: String,
    port: u16,
) -> i32 {
    let to = if address.is_empty() { Ok(None) } else { parse(&address, port).map(Some) };
    // SAFETY: no JavaScript of this thread runs before the call returns. Shared memory may be written to by another
    // thread meanwhile, so it is never made a slice.
    let send = |to| held.with(|socket| unsafe { socket.send_from(data.as_mut_ptr(), data.len(), to) });
    number(to.and_then(send).map(usize::from))
}

/// Sends datagrams `first` to `end` of `table`, whose payloads are in `bytes`; `capacity` is how many messages the table
/// has, and the names of Unix sockets are at its end, and behind the message in `to`. With a `segment` size it is the bytes that are cut into datagrams, all to message 0. All go `to` one place, or
/// each to its message's sender, or with `connected` to the peer. 0, `DETACHED`, or a negative errno where nothing was
/// done; `out` says what was. With `each`, a datagram fails where an earlier one's error was pending, and the rows of
/// those that failed have the errno for their last word.
#[napi]
#[allow(clippy::too_many_arguments)] // one object fewer to make and take apart for each batch
pub fn socket_send_many(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint8Array")] bytes: View<u8>,
    #[napi(ts_arg_type = "Uint32Array")] mut table: View<u32>,
    capacity: u32,
    first: u32,
    end: u32,
    segment: u32,
    #[napi(ts_arg_type = "Uint32Array | null")] to: Option<View<u32>>,
    connected: bool,
    gso: bool,
    each: bool,
    #[napi(ts_arg_type = "Int32Array")] mut out: View<i32>,
) -> i32 {
    // SAFETY: no JavaScript runs before this call returns, and the three are views of different buffers.
    let (table, out) = unsafe { (table.as_mut_slice(), out.as_mut_slice()) };
    let mut to = to;
    // SAFETY: as above.
    let to = to.as_mut().map(|to| unsafe { to.as_mut_slice() });
    let messages = HEADER + capacity as usize * MESSAGE;
    let (Some(out), Some(senders)) = (out.first_chunk_mut::<OUT>(), table.get(HEADER..messages)) else {
        return DETACHED;
    };
    let Some(names) = table.len().checked_sub(capacity as usize * NAME).map(|begin| &table[begin..]) else {
        return DETACHED;
    };
    let (rows, _) = table[messages..].as_chunks();
    let rows = match segment {
        0 => rows.get(..end as usize).map(Rows::Table),
        size => Some(Rows::Cut(size as usize)),
    };
    let Some(rows) = rows.filter(|_| first <= end) else { return DETACHED };
    let (senders, _) = senders.as_chunks();
    let (names, _) = names.as_chunks();
    let letters = Letters {
        base: bytes.as_mut_ptr(),
        length: bytes.len(),
        rows,
        messages: if connected { &[] } else { senders },
        names,
        to: to.as_deref().and_then(|to| to.first_chunk()),
        to_name: to.as_deref().and_then(|to| to.get(MESSAGE..)?.first_chunk()),
    };
    let pending = if each { Pending::Fails } else { Pending::Passes };
    // SAFETY: JavaScript's memory, which does not run before this call returns. Shared memory may be written to by
    // another thread meanwhile; only the kernel reads it.
    let sent = held.with(|socket| unsafe { socket.send_many(&letters, first as usize, gso, pending) });
    number(sent.map(|outcome| {
        write(out, &outcome);
        let (rows, _) = table[messages..].as_chunks_mut::<DATAGRAM>();
        for (row, error) in outcome.rows {
            if let Some(words) = rows.get_mut(row) {
                words[DATAGRAM - 1] = error.0.cast_unsigned();
            }
        }
        0
    }))
}

fn write(out: &mut [i32; OUT], outcome: &Outcome) {
    let (errno, row) = outcome.error.map_or((0, 0), |(error, row)| (error.0, row));
    let errors = &outcome.errors[..outcome.errors.len().min(ERRORS)];
    let passing = &outcome.passing[..outcome.passing.len().min(ERRORS)];
    let head = [outcome.sent, outcome.failed, outcome.next, 0, row, errors.len(), passing.len()];
    out[..head.len()].copy_from_slice(&head.map(|value| value as i32));
    out[3] = errno;
    let (pairs, singles) = out[head.len()..].split_at_mut(2 * ERRORS);
    for (pair, (error, count)) in pairs.chunks_exact_mut(2).zip(errors) {
        pair.copy_from_slice(&[error.0, *count as i32]);
    }
    for (single, error) in singles.iter_mut().zip(passing) {
        *single = error.0;
    }
}

/// Writes the words of an address and port at `at`; whether it is an address.
#[napi]
pub fn address_words(
    address: String,
    port: u16,
    #[napi(ts_arg_type = "Uint32Array")] mut words: View<u32>,
    at: u32,
) -> bool {
    // SAFETY: no JavaScript runs while the slice lives.
    let words = unsafe { words.as_mut_slice() };
    match (parse(&address, port), words.get_mut(at as usize..at as usize + SOCKADDR)) {
        (Ok(address), Some(words)) => {
            words.copy_from_slice(&record::address_words(Some(address)));
            true
        }
        _ => false,
    }
}
