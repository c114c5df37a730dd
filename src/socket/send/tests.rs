//! Sending many, over both backends, and what is learnt from a refusal.

use std::time::Duration;

use super::*;
use crate::arena::Slots;
use crate::outgoing::Rows;
use crate::record::{self, MESSAGE, SOCKADDR, Table};
use crate::socket::{BindOptions, Call};

fn bind(backend: Backend, gro: bool) -> Socket {
    let options = BindOptions { recv_buffer_size: Some(4 << 20), gro, backend, ..Default::default() };
    Socket::bind("127.0.0.1:0".parse().unwrap(), &options).unwrap()
}

fn target(address: SocketAddr) -> [u32; MESSAGE] {
    let mut words = [0; MESSAGE];
    words[..SOCKADDR].copy_from_slice(&record::address_words(Some(address)));
    words
}

fn send(
    socket: &mut Socket,
    bytes: &[u8],
    rows: &[outgoing::Row],
    messages: &[[u32; MESSAGE]],
    gso: bool,
) -> Result<Outcome, Errno> {
    let rows = Rows::Table(rows);
    let letters = Letters {
        base: bytes.as_ptr(),
        length: bytes.len(),
        rows,
        messages,
        names: &[],
        to: None,
        to_name: None,
    };
    // SAFETY: `bytes` outlives the call.
    unsafe { socket.send_many(&letters, 0, gso, Pending::Passes) }
}

/// The payloads that have come, and in how many messages.
fn received(socket: &mut Socket) -> (Vec<Vec<u8>>, u64) {
    const CAPACITY: usize = 64;
    const SLOT: usize = 65_536;
    let mut memory = vec![0; CAPACITY * SLOT];
    let mut words = vec![
        0;
        record::HEADER
            + CAPACITY * (MESSAGE + 128 * record::DATAGRAM + record::DETAIL + record::NAME)
    ];
    let mut payloads = Vec::new();
    loop {
        let table = Table::new(&mut words, CAPACITY, SLOT).unwrap();
        let call = Call { vlen: CAPACITY, flags: 0, timeout: Some(Duration::ZERO) };
        // SAFETY: `memory` outlives the call.
        let count = unsafe {
            let slots = Slots::new(memory.as_mut_ptr(), memory.len(), SLOT);
            socket.receive(slots, table, &call, &mut || false).unwrap()
        };
        if count == 0 {
            return (payloads, socket.counters().total.messages);
        }
        let rows = &words[record::HEADER + CAPACITY * MESSAGE..];
        for row in rows.chunks_exact(record::DATAGRAM).take(count) {
            payloads.push(memory[row[0] as usize..][..row[1] as usize].to_vec());
        }
    }
}

fn backends() -> [Backend; 2] {
    [Backend::Portable, Backend::best()]
}

/// `count` datagrams of `size` bytes, one after the other in memory.
fn rows(count: u32, size: u32) -> Vec<outgoing::Row> {
    (0..count).map(|nth| [nth * size, size, 0, 0]).collect()
}

#[test]
fn everything_arrives_in_order() {
    for backend in backends() {
        for gso in [false, true] {
            let (mut sender, mut receiver) = (bind(backend, false), bind(backend, true));
            let messages = [target(receiver.local_address().unwrap())];
            let bytes: Vec<u8> = (0..3000u32).flat_map(u32::to_le_bytes).collect();
            let outcome = send(&mut sender, &bytes, &rows(3000, 4), &messages, gso).unwrap();
            assert_eq!(outcome, Outcome { sent: 3000, next: 3000, ..Outcome::default() }, "{backend:?}");
            let (payloads, count) = received(&mut receiver);
            assert_eq!(payloads.concat(), bytes, "{backend:?}");
            if gso && cfg!(linux_sockets) {
                assert!(count < 100, "3,000 datagrams in {count} messages");
            }
        }
    }
}

#[test]
fn one_that_cannot_be_sent_does_not_stop_the_rest() {
    for backend in backends() {
        let (mut sender, mut receiver) = (bind(backend, false), bind(backend, true));
        let good = target(receiver.local_address().unwrap());
        let messages = [good, target("[2001:db8::1]:9".parse().unwrap())];
        let bytes = b"abcdef";
        for bad in 0..3 {
            let rows: Vec<_> = (0..3).map(|nth| [nth * 2, 2, u32::from(nth == bad), 0]).collect();
            let outcome = send(&mut sender, bytes, &rows, &messages, true).unwrap();
            let error = Errno(libc::EINVAL);
            let expected = Outcome {
                sent: 2,
                failed: 1,
                next: 3,
                error: Some((error, bad as usize)),
                errors: vec![(error, 1)],
                passing: vec![],
                ..Outcome::default()
            };
            assert_eq!(outcome, expected, "{backend:?}");
            assert_eq!(received(&mut receiver).0.len(), 2);
        }
    }
}

#[test]
fn a_pending_error_is_told_and_the_datagram_sent_again() {
    for backend in backends() {
        let mut sender = bind(backend, false);
        let gone = bind(backend, false).local_address().unwrap();
        sender.connect(gone).unwrap();
        // The answer to the first is an ICMP message, which is pending when this returns: loopback delivers at once.
        assert_eq!(send(&mut sender, b"x", &rows(1, 1), &[], true).unwrap().sent, 1);
        let outcome = send(&mut sender, b"yz", &rows(2, 1), &[], false).unwrap();
        assert_eq!((outcome.sent, outcome.failed, outcome.next), (2, 0, 2), "{backend:?}");
        // The second of the two met the answer to the first.
        assert!(!outcome.passing.is_empty());
        assert!(outcome.passing.iter().all(|error| *error == Errno(libc::ECONNREFUSED)));
    }
}

#[test]
fn a_parked_error_is_told_once() {
    for backend in backends() {
        let (mut sender, mut receiver) = (bind(backend, false), bind(backend, true));
        let messages = [target(receiver.local_address().unwrap())];
        sender.parked = Some(Errno(libc::EHOSTUNREACH));
        let outcome = send(&mut sender, b"x", &rows(1, 1), &messages, true).unwrap();
        assert_eq!((outcome.sent, outcome.passing), (1, vec![Errno(libc::EHOSTUNREACH)]));
        assert_eq!(send(&mut sender, b"x", &rows(1, 1), &messages, true).unwrap().passing, []);
        assert_eq!(received(&mut receiver).0.len(), 2);
    }
}

#[test]
fn memory_outside_of_the_bytes_is_refused_and_never_read() {
    let mut sender = bind(Backend::best(), false);
    let messages = [target(sender.local_address().unwrap())];
    for row in [[0, 5, 0, 0], [4, 1, 0, 0], [u32::MAX, u32::MAX, 0, 0]] {
        let outcome = send(&mut sender, b"abcd", &[row], &messages, true).unwrap();
        assert_eq!((outcome.sent, outcome.error), (0, Some((Errno(libc::EFAULT), 0))));
    }
}

#[test]
fn a_descriptor_that_is_none_is_an_error_of_the_call() {
    use std::os::fd::AsRawFd;
    let mut sender = bind(Backend::best(), false);
    let file = std::fs::File::open("/dev/null").unwrap();
    let number = sender.number();
    // SAFETY: dup2(2) takes numbers. It closes the socket's and makes the number the file's.
    assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), number) }, number);
    let messages = [target("127.0.0.1:9".parse().unwrap())];
    assert_eq!(send(&mut sender, b"x", &rows(1, 1), &messages, true), Err(Errno(libc::EBADF)));
    assert_eq!(sender.close(), Err(Errno(libc::EBADF)));
    // SAFETY: the number is the file's.
    unsafe { libc::close(number) };
}

/// What the kernel said of messages, and what became of these.
fn attempt(error: c_int, run: Run, again: bool) -> (Outcome, Attempt) {
    let mut outcome = Outcome { next: 10, ..Outcome::default() };
    let mut attempt = Attempt::default();
    refused(Errno(error), run, &mut outcome, &mut attempt);
    if again {
        refused(Errno(error), run, &mut outcome, &mut attempt);
    }
    (outcome, attempt)
}

const PLAIN: Run = Run { count: 1, segment: 100, bytes: 100, sourced: false };
const MANY: Run = Run { count: 40, segment: 100, bytes: 4000, sourced: false };

#[test]
fn no_memory_for_it_is_a_loss() {
    for run in [PLAIN, MANY] {
        let (outcome, _) = attempt(libc::ENOBUFS, run, false);
        assert_eq!((outcome.failed, outcome.next), (run.count, 10 + run.count));
        assert_eq!(outcome.errors, [(Errno(libc::ENOBUFS), run.count)]);
    }
}

#[test]
fn a_message_of_many_is_tried_one_by_one_before_anything_is_made_of_it() {
    // EINVAL is never pending, the others may be and are tried again first.
    for (error, again) in [(libc::EINVAL, false), (libc::EMSGSIZE, true), (libc::EIO, true)] {
        let (outcome, attempt) = attempt(error, MANY, again);
        assert_eq!((outcome.failed, outcome.next, attempt.singly_until), (0, 10, 50));
        assert_eq!(attempt.suspect.map(|(error, _)| error), Some(Errno(error)));
        assert_eq!((outcome.passing, attempt.pending), (vec![], None));
    }
}

#[test]
fn a_source_that_is_refused_is_left_out() {
    let sourced = Run { sourced: true, ..PLAIN };
    let (outcome, mut attempt) = attempt(libc::EINVAL, sourced, false);
    assert_eq!((outcome.failed, outcome.next, attempt.sourceless_until), (0, 10, 11));
    // Of many, the segments are suspected first; when one alone is refused, all of them are tried without.
    let mut outcome = Outcome { next: 10, ..Outcome::default() };
    refused(Errno(libc::EINVAL), Run { sourced: true, ..MANY }, &mut outcome, &mut attempt);
    assert_eq!(attempt.singly_until, 50);
    refused(Errno(libc::EINVAL), sourced, &mut outcome, &mut attempt);
    assert_eq!((outcome.next, attempt.singly_until, attempt.sourceless_until), (10, 0, 50));
    assert!(attempt.suspect.is_none());
}

#[test]
fn an_error_that_comes_twice_is_the_datagrams_own() {
    for error in [libc::EACCES, libc::EMSGSIZE] {
        let (once, pending) = attempt(error, PLAIN, false);
        assert_eq!((once.failed, once.passing, pending.pending), (0, vec![], Some(Errno(error))));
        let (twice, pending) = attempt(error, PLAIN, true);
        assert_eq!((twice.failed, twice.passing, twice.next, pending.pending), (1, vec![], 11, None));
    }
    assert_eq!(attempt(libc::EINVAL, PLAIN, false).0.failed, 1, "its own at once");
}

#[test]
fn another_error_behind_a_pending_one_leaves_that_told() {
    let mut outcome = Outcome { next: 10, ..Outcome::default() };
    let mut attempt = Attempt::default();
    refused(Errno(libc::ECONNREFUSED), PLAIN, &mut outcome, &mut attempt);
    refused(Errno(libc::EACCES), PLAIN, &mut outcome, &mut attempt);
    assert_eq!((outcome.failed, outcome.passing), (1, vec![Errno(libc::ECONNREFUSED)]));
}

#[test]
fn what_is_learnt_of_segments() {
    let learnt = |error, count, segment| {
        let mut sending = Sending::new(Backend::Portable);
        sending.learn(Errno(error), Run { count, segment, bytes: count * segment, sourced: false });
        (sending.refused, sending.too_big)
    };
    assert_eq!(learnt(libc::EMSGSIZE, 2, 1473), (false, 1473));
    assert_eq!(learnt(libc::EINVAL, 2, 1473), (false, 1473));
    assert_eq!(learnt(libc::EMSGSIZE, 2, 900), (false, 900), "a path narrower than most");
    assert_eq!(learnt(libc::EINVAL, 2, 900), (true, usize::MAX));
    assert_eq!(learnt(libc::EIO, 2, 1473), (true, usize::MAX));
    assert_eq!(learnt(libc::ENOPROTOOPT, 64, 10), (true, usize::MAX));
}

#[test]
fn a_pending_error_fails_the_datagram_that_meets_it_where_each_is_told() {
    for backend in backends() {
        for gso in [false, true] {
            let mut sender = bind(backend, false);
            let gone = bind(backend, false).local_address().unwrap();
            sender.connect(gone).unwrap();
            assert_eq!(send(&mut sender, b"x", &rows(1, 1), &[], true).unwrap().sent, 1);
            let (bytes, rows) = (b"yzw", rows(3, 1));
            let letters = Letters {
                base: bytes.as_ptr(),
                length: bytes.len(),
                rows: Rows::Table(&rows),
                messages: &[],
                names: &[],
                to: None,
                to_name: None,
            };
            // SAFETY: `bytes` outlives the call.
            let outcome = unsafe { sender.send_many(&letters, 0, gso, Pending::Fails) }.unwrap();
            let refused = Errno(libc::ECONNREFUSED);
            // Without segments each of them is answered before the next.
            let failed = if gso { vec![(0, refused)] } else { vec![(0, refused), (2, refused)] };
            assert_eq!((outcome.next, outcome.sent), (3, 3 - failed.len()), "{backend:?} {gso}");
            assert_eq!(outcome.rows, failed);
            assert_eq!(outcome.passing, []);
        }
    }
}
