//! Sending one datagram or many, and choosing a peer.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use socket2::SockAddr;

use super::Socket;
use crate::outgoing::{self, Family, Letters, Outgoing, Rules, Run};
use crate::sys::fd::RawFd;
use crate::sys::libc::{self, c_int};
#[cfg(mmsg)]
use crate::sys::mmsg;
use crate::sys::tap::{Arguments, Syscall};
use crate::sys::{Backend, Errno, retry, syscall};

/// Never wait for room, whatever the descriptor's mode.
const FLAGS: c_int = libc::MSG_DONTWAIT;

/// The most datagrams that this process may put into one message: UDP_MAX_SEGMENTS, 128 since Linux 6.9 and 64 before.
/// The kernel does not tell, so it is tried.
static MOST_SEGMENTS: AtomicUsize = AtomicUsize::new(128);
const FEWER_SEGMENTS: usize = 64;

/// Datagrams that fit the path of everybody (RFC 8200, 5: 1,280 bytes with the headers). An EINVAL that comes with smaller
/// ones is not for the size.
const SAFE_SIZE: usize = 1200;

/// What the kernel says of a message of segments that would say something else, or nothing, of each datagram alone.
const SEGMENTS: [c_int; 5] = [libc::EINVAL, libc::EMSGSIZE, libc::EIO, libc::ENOPROTOOPT, libc::EOPNOTSUPP];

/// A socket's means of sending many.
pub struct Sending {
    backend: Backend,
    outgoing: Outgoing,
    /// UDP_SEGMENT is refused on this socket.
    refused: bool,
    /// Datagrams of this size and above do not pass as parts of a message.
    too_big: usize,
}

impl Sending {
    /// With the call that goes with `backend`, the receiving one.
    pub fn new(backend: Backend) -> Sending {
        let backend = match backend {
            Backend::Portable => Backend::Portable,
            #[cfg(mmsg)]
            Backend::Mmsg => Backend::best_to_send(),
        };
        Sending { backend, outgoing: Outgoing::default(), refused: false, too_big: usize::MAX }
    }
}

/// What has become of many datagrams.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Datagrams that the kernel took.
    pub sent: usize,
    /// Datagrams that it refused, each for a reason of its own.
    pub failed: usize,
    /// The first row that nobody has looked at: all are dealt with, or the send buffer is full.
    pub next: usize,
    /// Why the first of those that failed did, and its row.
    pub error: Option<(Errno, usize)>,
    /// How often each error came.
    pub errors: Vec<(Errno, usize)>,
    /// Every row that failed, and why; with [`Pending::Fails`] only.
    pub rows: Vec<(usize, Errno)>,
    /// Errors that were pending, of other datagrams: what they kept from being sent was sent again.
    pub passing: Vec<Errno>,
}

/// What becomes of a datagram that was kept from being sent by an error which was pending at a connected socket: an
/// earlier datagram's, which an ICMP message told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// It is sent again, and the error is told as one that passed.
    Passes,
    /// It has failed, as send(2) has it.
    Fails,
}

impl Outcome {
    fn fail(&mut self, error: Errno, count: usize) {
        self.error.get_or_insert((error, self.next));
        match self.errors.iter_mut().find(|(known, _)| *known == error) {
            Some((_, times)) => *times += count,
            None => self.errors.push((error, count)),
        }
        self.failed += count;
        self.next += count;
    }

    /// The present row has failed, and it alone.
    fn fail_alone(&mut self, error: Errno) {
        self.rows.push((self.next, error));
        self.fail(error, 1);
    }

    fn sent(&mut self, count: usize) {
        self.sent += count;
        self.next += count;
    }
}

/// What is being tried at the present row.
#[derive(Default)]
struct Attempt {
    /// Rows before this one go singly, and why: their message was refused, which may be for its segments or for itself.
    singly_until: usize,
    suspect: Option<(Errno, Run)>,
    /// Rows before this one go without a source.
    sourceless_until: usize,
    /// The row that was tried again because its error may have been a pending one; and that error, until it is known.
    again: Option<usize>,
    /// The row for which a Unix socket was connected anew.
    reconnected: Option<usize>,
    pending: Option<Errno>,
}

impl Socket {
    /// Sends one datagram to `to`, or to the connected peer: sendto(2). `false` when the send buffer is full.
    pub fn send(&mut self, data: &[u8], to: Option<SocketAddr>) -> Result<bool, Errno> {
        // SAFETY: a slice is readable for its length.
        unsafe { self.send_from(data.as_ptr(), data.len(), to) }
    }

    /// The same for memory that others may write to meanwhile; what is sent then is anybody's guess.
    ///
    /// # Safety
    /// `length` bytes at `data` are readable until this returns.
    pub unsafe fn send_from(
        &mut self,
        data: *const u8,
        length: usize,
        to: Option<SocketAddr>,
    ) -> Result<bool, Errno> {
        let to = to.map(|to| outgoing::name(to, self.family())).transpose()?;
        // SAFETY: the caller's promise is the callee's.
        unsafe { self.send_to(data, length, to.as_ref()) }
    }

    /// # Safety
    /// As for [`Socket::send_from`].
    pub(super) unsafe fn send_to(
        &mut self,
        data: *const u8,
        length: usize,
        to: Option<&SockAddr>,
    ) -> Result<bool, Errno> {
        let fd = self.fd()?;
        if let Some(error) = self.parked.take() {
            return Err(error);
        }
        let (name, namelen) = match to {
            Some(to) => (to.as_ptr().cast::<libc::sockaddr>(), to.len()),
            None => (std::ptr::null(), 0),
        };
        let arguments = || Arguments {
            syscall: Syscall::Sendto,
            sockfd: fd,
            memory: data.addr(),
            length,
            flags: FLAGS,
            name: name.addr(),
            namelen: namelen as usize,
        };
        let tap = &mut self.send_calls;
        tap.mark();
        let sent = retry(|| {
            // SAFETY: `data` and the name are readable for the lengths beside them; no name is a null of length 0.
            tap.call(arguments, || unsafe { syscall!(sendto(fd, data.cast(), length, FLAGS, name, namelen)) })
        });
        match sent {
            Ok(_) => {
                // A datagram goes whole or not at all.
                self.counters.sent.add(1, length);
                if tap.is_tracing() {
                    tap.carried(1, length as u64);
                }
                Ok(true)
            }
            Err(Errno(libc::EAGAIN)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends the rows of `letters` from `first` on, in order, until all are dealt with or the send buffer is full.
    ///
    /// One that cannot be sent is counted and does not stop the others. `Err` is for a descriptor that is none or no
    /// socket, and only where nothing was dealt with.
    ///
    /// # Safety
    /// The letters' memory is readable until this returns.
    pub unsafe fn send_many(
        &mut self,
        letters: &Letters<'_>,
        first: usize,
        gso: bool,
        pending: Pending,
    ) -> Result<Outcome, Errno> {
        let fd = self.fd()?;
        let mut outcome = Outcome { next: first, ..Outcome::default() };
        let mut attempt = Attempt::default();
        if let Some(error) = self.parked.take() {
            match pending {
                Pending::Passes => outcome.passing.push(error),
                Pending::Fails if first < letters.count() => outcome.fail_alone(error),
                Pending::Fails => self.parked = Some(error),
            }
        }
        while outcome.next < letters.count() {
            // SAFETY: the caller's promise is the callee's.
            match unsafe { self.call(fd, letters, outcome.next, gso, pending, &attempt) } {
                Ok(taken) => self.taken(&taken, &mut outcome, &mut attempt),
                Err((Errno(libc::EAGAIN), _)) => {
                    self.note_where_full(letters, outcome.next);
                    break;
                }
                Err((error @ Errno(libc::EBADF | libc::ENOTSOCK), _)) => {
                    if outcome.next == first {
                        return Err(error);
                    }
                    break; // the next call says so
                }
                Err((error, _))
                    if letters.connected()
                        && attempt.reconnected.replace(outcome.next) != Some(outcome.next)
                        && self.reconnected(error) == Ok(true) => {}
                Err((error, run)) => match pending {
                    Pending::Passes => refused(error, run, &mut outcome, &mut attempt),
                    Pending::Fails => refused_for_good(error, run, &mut outcome, &mut attempt),
                },
            }
        }
        outcome.passing.extend(attempt.pending);
        Ok(outcome)
    }

    /// One system call: the runs that the kernel took, or why it did not take the first.
    ///
    /// # Safety
    /// As for [`Socket::send_many`].
    unsafe fn call(
        &mut self,
        fd: RawFd,
        letters: &Letters<'_>,
        first: usize,
        gso: bool,
        pending: Pending,
        attempt: &Attempt,
    ) -> Result<Vec<Run>, (Errno, Run)> {
        let family = self.family();
        let Sending { backend, outgoing, refused, too_big } = &mut self.sending;
        let gso = gso && !*refused && cfg!(linux_sockets) && family != Family::Unix;
        let rules = Rules {
            family,
            segments: if gso { MOST_SEGMENTS.load(Ordering::Relaxed) } else { 1 },
            too_big: *too_big,
            singly_until: attempt.singly_until,
            sourceless_until: if self.everywhere { attempt.sourceless_until } else { usize::MAX },
        };
        let one = Run { count: 1, segment: 0, bytes: 0, sourced: false };
        let (headers, runs) = outgoing.load(letters, first, &rules).map_err(|error| (error, one))?;
        // sendmmsg(2) swallows an error that it meets behind the first message: it tells how many it has sent, and the
        // error is gone from the socket. So where it is to be told each message has a call of its own. Only a connected
        // socket's errors are told by sending.
        let most = if pending == Pending::Fails && letters.connected() { 1 } else { headers.len() };
        let headers = &mut headers[..most];
        let tap = &mut self.send_calls;
        tap.mark();
        // SAFETY: the headers lead to `outgoing`'s own vectors and, by the caller's promise, to readable memory.
        let sent = unsafe { backend.send(fd, headers, 0, tap) };
        #[cfg(mmsg)]
        let sent = match sent {
            Err(error @ Errno(libc::ENOSYS | libc::EPERM | libc::EACCES))
                if *backend == Backend::Mmsg && !mmsg::send_supported() =>
            {
                *backend = Backend::Portable;
                tap.gave_up(error);
                // SAFETY: as above.
                unsafe { backend.send(fd, headers, 0, tap) }
            }
            sent => sent,
        };
        let taken = match sent {
            Ok(count) => &runs[..count],
            Err(error) => return Err((error, runs[0])),
        };
        for run in taken {
            self.counters.sent.add(run.count, run.bytes);
        }
        if tap.is_tracing() {
            for run in taken {
                tap.carried(run.count as u64, run.bytes as u64);
            }
        }
        Ok(taken.to_vec())
    }

    /// There is no room for datagram `row`: where it goes, on a Unix socket, which is not the socket's own affair.
    fn note_where_full(&mut self, letters: &Letters<'_>, row: usize) {
        if self.family() == Family::Unix
            && let Ok(Some(name)) = letters.name_of(row, Family::Unix)
        {
            self.note_full(name);
        }
    }

    fn taken(&mut self, runs: &[Run], outcome: &mut Outcome, attempt: &mut Attempt) {
        if let Some((error, run)) = attempt.suspect.take() {
            // Its first datagram went alone: it was refused for being one of many.
            attempt.singly_until = 0;
            self.sending.learn(error, run);
        }
        outcome.passing.extend(attempt.pending.take());
        for run in runs {
            outcome.sent(run.count);
        }
    }

    /// Receives from and sends to `peer` only: connect(2).
    pub fn connect(&mut self, peer: SocketAddr) -> Result<(), Errno> {
        self.fd()?;
        Ok(self.inner.connect(&outgoing::name(peer, self.family())?)?)
    }

    /// Takes the peer away again: connect(2) to an address of AF_UNSPEC.
    pub fn disconnect(&mut self) -> Result<(), Errno> {
        let fd = self.fd()?;
        if let Some(unix) = &mut self.unix {
            unix.turn_to(None);
        }
        // SAFETY: zero is a value for each of sockaddr's integers.
        let mut nobody: libc::sockaddr = unsafe { std::mem::zeroed() };
        nobody.sa_family = libc::AF_UNSPEC as _;
        let length = size_of_val(&nobody) as _;
        // SAFETY: `nobody` is readable for its length.
        match unsafe { syscall!(connect(fd, &raw const nobody, length)) } {
            // The BSDs disconnect and then complain about the address, connect(2).
            #[cfg(bsd)]
            Err(Errno(libc::EAFNOSUPPORT | libc::EINVAL)) => Ok(()),
            result => result.map(drop),
        }
    }
}

impl Sending {
    /// A message of segments was refused, and its first datagram was taken alone.
    fn learn(&mut self, error: Errno, run: Run) {
        match error.0 {
            libc::EINVAL if run.count > FEWER_SEGMENTS => {
                MOST_SEGMENTS.store(FEWER_SEGMENTS, Ordering::Relaxed);
            }
            // Beyond the path's MTU: the kernel cuts a single one into fragments, but not a segment.
            libc::EMSGSIZE => self.too_big = self.too_big.min(run.segment),
            libc::EINVAL if run.segment >= SAFE_SIZE => self.too_big = self.too_big.min(run.segment),
            // EIO: the device computes no checksums (udp(7)). Or no such option, or no segments here.
            _ => self.refused = true,
        }
    }
}

/// The kernel has refused the first message of a call.
fn refused(error: Errno, run: Run, outcome: &mut Outcome, attempt: &mut Attempt) {
    // The system has no memory for it now: lost, as on the wire. It is not a matter of waiting until there is room.
    if error.0 == libc::ENOBUFS {
        outcome.passing.extend(attempt.pending.take());
        outcome.fail(error, run.count);
        return;
    }
    // An error that was pending, an ICMP message's, is told in place of sending, and only once. No ICMP message is EINVAL.
    if error.0 != libc::EINVAL && attempt.again != Some(outcome.next) {
        attempt.again = Some(outcome.next);
        attempt.pending = Some(error);
        return;
    }
    // The same again is this message's own.
    outcome.passing.extend(attempt.pending.take().filter(|&pending| pending != error));
    // Before its source is doubted: the datagrams of a message that is too much of one keep theirs.
    if run.count > 1 && SEGMENTS.contains(&error.0) {
        attempt.singly_until = outcome.next + run.count;
        attempt.suspect = Some((error, run));
        return;
    }
    // The address is nobody's any more, or one that nobody can send from: the kernel chooses.
    let source = [libc::EINVAL, libc::EADDRNOTAVAIL, libc::ENODEV, libc::ENXIO, libc::ENETUNREACH];
    if run.sourced && source.contains(&error.0) {
        // That is why the message of many was refused, too, so it is tried again as one.
        let count = attempt.suspect.take().map_or(run.count, |(_, many)| many.count);
        attempt.singly_until = 0;
        attempt.sourceless_until = outcome.next + count;
        return;
    }
    attempt.suspect = None;
    outcome.fail(error, run.count);
}

/// The same where each error is told to the datagram that met it.
fn refused_for_good(error: Errno, run: Run, outcome: &mut Outcome, attempt: &mut Attempt) {
    if run.count > 1 && SEGMENTS.contains(&error.0) {
        attempt.singly_until = outcome.next + run.count;
        attempt.suspect = Some((error, run));
        return;
    }
    attempt.suspect = None;
    // An error that was pending is gone with being told: what follows has done nothing wrong.
    outcome.fail_alone(error);
}

#[cfg(test)]
mod tests;
