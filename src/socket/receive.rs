//! Receiving: wait if asked to, take what is there, describe it.

use std::mem;
use std::time::{Duration, Instant};

use super::{Socket, unix};
use crate::arena::Slots;
use crate::record::{Arrived, Details, Table, Tally};
use crate::sys::fd::RawFd;
use crate::sys::libc::{self, c_int};
#[cfg(mmsg)]
use crate::sys::mmsg;
use crate::sys::wait::{self, Ended};
use crate::sys::{Backend, Errno, options};

/// For the moment that a peer's descriptors are open here: no program that another thread starts is to have them.
#[cfg(linux_sockets)]
const CLOEXEC: c_int = libc::MSG_CMSG_CLOEXEC;
#[cfg(not(linux_sockets))]
const CLOEXEC: c_int = 0;

/// How one receive is to go.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The most messages to take; the slots' count bounds it too.
    pub vlen: usize,
    /// `MSG_PEEK`, `MSG_TRUNC`; waiting is `timeout`'s alone.
    pub flags: c_int,
    /// How long to wait for the first message: `None` for ever, zero not at all.
    pub timeout: Option<Duration>,
}

impl Socket {
    /// Receives into `slots`, describes what came in `table`, and gives the number of datagrams: 0 where none came.
    ///
    /// `interrupted` is asked now and then while it waits; `true` ends the call with 0.
    ///
    /// # Safety
    /// `slots` were made of memory that is valid for writes until this returns.
    pub unsafe fn receive(
        &mut self,
        slots: Slots,
        mut table: Table<'_>,
        call: &Call,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<usize, Errno> {
        let fd = self.fd()?;
        if let Some(error) = self.parked.take() {
            return Err(error);
        }
        // SAFETY: the caller's promise is the callee's.
        let count = match unsafe { self.take_or_wait(fd, slots, call, interrupted) } {
            Err(Errno(libc::EAGAIN)) => return Ok(table.finish(false).datagrams as usize),
            count => count?,
        };
        let mut control_truncated = 0;
        let mut descriptors = 0;
        let mut drops = self.drops;
        let tracing = self.recv_calls.is_tracing();
        for index in 0..count {
            let message = self.arena.message(index);
            control_truncated += u64::from(message.flags & libc::MSG_CTRUNC != 0);
            // Also where UDP_GRO is off: another holder of the descriptor may have turned it on.
            let told = options::told(message.control);
            let details = self.telling.any().then(|| Details {
                timestamp: told.timestamp,
                tos: told.tos,
                ttl: told.ttl,
                dropped: told.drops.map_or(0, |now| now.wrapping_sub(mem::replace(&mut drops, now))),
            });
            let before = tracing.then(|| table.tally());
            table.push(
                index,
                &Arrived {
                    length: message.length,
                    truncated: message.flags & libc::MSG_TRUNC != 0,
                    from: message.from,
                    to: told.to,
                    segment: told.segment,
                    details,
                },
            );
            if self.unix.is_some() {
                let control = self.arena.message(index).control;
                // SAFETY: this call received it, and nobody has looked for descriptors in it before.
                let (peer, closed) = unsafe { unix::peer(self.arena.unix_name(index), control) };
                descriptors += closed as u64;
                table.name(index, &peer);
            }
            if let Some(before) = before {
                let now = table.tally();
                self.recv_calls.carried(now.datagrams - before.datagrams, now.bytes - before.bytes);
            }
        }
        // A short count means that the queue was empty; an error parked behind it is something to come for all the same.
        let full = count == call.vlen.min(slots.count());
        let tally = table.finish(full || self.parked.is_some());
        if call.flags & libc::MSG_PEEK == 0 {
            self.counters.control_truncated += control_truncated;
            self.counters.descriptors += descriptors;
            self.counters.dropped += u64::from(drops.wrapping_sub(self.drops));
            self.drops = drops;
            self.count(tally, full);
        }
        Ok(tally.datagrams as usize)
    }

    /// # Safety
    /// As for [`Socket::receive`].
    unsafe fn take_or_wait(
        &mut self,
        fd: RawFd,
        slots: Slots,
        call: &Call,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<usize, Errno> {
        // A timeout beyond what the clock can tell is for ever.
        let deadline = call.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut shut_down = false;
        loop {
            // SAFETY: the caller's promise is the callee's.
            match unsafe { self.take(fd, slots, call) } {
                Err(Errno(libc::EAGAIN)) if shut_down => return Err(Errno(libc::ESHUTDOWN)),
                Err(Errno(libc::EAGAIN)) if call.timeout != Some(Duration::ZERO) => {}
                result => return result,
            }
            match wait::readable(fd, deadline, interrupted)? {
                Ended::Readable => {}
                Ended::ShutDown => shut_down = true,
                Ended::TimedOut | Ended::Interrupted => return Err(Errno(libc::EAGAIN)),
            }
        }
    }

    /// One call of the backend, or two where the first finds that it is not allowed.
    ///
    /// # Safety
    /// As for [`Socket::receive`].
    unsafe fn take(&mut self, fd: RawFd, slots: Slots, call: &Call) -> Result<usize, Errno> {
        let flags = if self.unix.is_some() { call.flags | CLOEXEC } else { call.flags };
        let headers = self.arena.prepare(slots, call.vlen);
        self.recv_calls.mark();
        // SAFETY: the headers lead to the arena's own names and controls, and to the caller's slots.
        let mut received = unsafe { self.backend.receive(fd, headers, flags, &mut self.recv_calls) };
        if let Err(error) = received
            && refused(self.backend, error)
        {
            self.backend = Backend::Portable;
            self.recv_calls.gave_up(error);
            let headers = self.arena.prepare(slots, call.vlen);
            // SAFETY: as above.
            received = unsafe { self.backend.receive(fd, headers, flags, &mut self.recv_calls) };
        }
        if received == Err(Errno(libc::EAGAIN)) {
            self.arena.used(1);
        }
        let received = received?;
        // The kernel writes to the header of a message that it hands over, and to no other. (recvmsg(2), the loop's, has
        // written to one more where it failed behind others.)
        self.arena.used(received.count + 1);
        self.parked = received.parked;
        Ok(received.count)
    }

    fn count(&mut self, tally: Tally, full: bool) {
        let total = &mut self.counters.total;
        total.datagrams += tally.datagrams;
        total.bytes += tally.bytes;
        total.messages += tally.messages;
        total.coalesced_messages += tally.coalesced_messages;
        total.coalesced_datagrams += tally.coalesced_datagrams;
        total.truncated += tally.truncated;
        total.overflow += tally.overflow;
        if let Some(class) = tally.datagrams.checked_ilog2() {
            self.counters.batches += 1;
            self.counters.full_batches += u64::from(full);
            self.counters.batch_sizes[(class as usize).min(super::counters::BATCH_SIZES - 1)] += 1;
        }
    }
}

/// Whether the system call itself is refused, and not this use of it.
///
/// ENOSYS, EPERM and EACCES are what sandboxes say, but also what a packet filter (EPERM) or an ICMPv6 "prohibited"
/// (EACCES) makes a healthy socket say. So the errno only raises the question, and the probe answers it.
fn refused(backend: Backend, error: Errno) -> bool {
    #[cfg(mmsg)]
    return backend == Backend::Mmsg
        && matches!(error.0, libc::ENOSYS | libc::EPERM | libc::EACCES)
        && !mmsg::supported();
    #[cfg(not(mmsg))]
    {
        let _ = (backend, error);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{DATAGRAM, DETAIL, HEADER, MESSAGE, NAME};
    use crate::socket::BindOptions;
    use std::ptr;

    fn bind(backend: Backend) -> Socket {
        let options = BindOptions { backend, ..Default::default() };
        Socket::bind("127.0.0.1:0".parse().unwrap(), &options).unwrap()
    }

    /// Two slots, of which the second can be read and written by nobody.
    struct HalfMapped {
        base: *mut u8,
        slot: usize,
    }

    impl HalfMapped {
        fn new() -> HalfMapped {
            let slot = 16_384; // a multiple of every page size
            // SAFETY: a new private mapping, of which the second half is then taken away again.
            let base = unsafe {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
                let base =
                    libc::mmap(ptr::null_mut(), 2 * slot, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
                assert_ne!(base, libc::MAP_FAILED);
                assert_eq!(libc::mprotect(base.byte_add(slot), slot, libc::PROT_NONE), 0);
                base.cast()
            };
            HalfMapped { base, slot }
        }

        fn receive(&self, socket: &mut Socket) -> Result<usize, Errno> {
            let mut words = [0; HEADER + 2 * (MESSAGE + DATAGRAM + DETAIL + NAME)];
            let table = Table::new(&mut words, 2, self.slot).unwrap();
            let call = Call { vlen: 2, flags: 0, timeout: Some(Duration::ZERO) };
            // SAFETY: mapped until drop; to the half that is not writable the kernel answers EFAULT.
            unsafe {
                let slots = Slots::new(self.base, 2 * self.slot, self.slot);
                socket.receive(slots, table, &call, &mut || false)
            }
        }
    }

    impl Drop for HalfMapped {
        fn drop(&mut self) {
            // SAFETY: the mapping made by `new`.
            unsafe { libc::munmap(self.base.cast(), 2 * self.slot) };
        }
    }

    #[test]
    fn an_error_behind_a_batch_is_the_next_calls_a_send_included() {
        let backends = [Backend::Portable, Backend::best()];
        for backend in backends {
            for sending in [false, true] {
                let mut socket = bind(backend);
                let own = socket.local_address().unwrap();
                for _ in 0..3 {
                    socket.send(b"x", Some(own)).unwrap();
                }
                let memory = HalfMapped::new();
                assert_eq!(memory.receive(&mut socket), Ok(1), "{backend:?}");
                assert_eq!(socket.is_readable(), Ok(true), "{backend:?}");
                let next = if sending {
                    socket.send(b"y", Some(own)).map(usize::from)
                } else {
                    memory.receive(&mut socket)
                };
                assert_eq!(next, Err(Errno(libc::EFAULT)), "{backend:?}, sending {sending}");
                assert_eq!(memory.receive(&mut socket), Ok(1), "{backend:?}: the data behind it");
                assert_eq!(socket.counters().total.datagrams, 2);
            }
        }
    }

    #[test]
    fn a_healthy_sockets_own_eperm_does_not_change_the_backend() {
        for error in [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::ECONNREFUSED] {
            assert!(!refused(Backend::best(), Errno(error)), "the probe says that the call works");
        }
    }

    #[test]
    fn a_number_that_is_another_files_now_is_ebadf_and_stays_open() {
        use std::os::fd::AsRawFd;
        let mut socket = bind(Backend::best());
        let file = std::fs::File::open("/dev/null").unwrap();
        // SAFETY: dup2(2) takes numbers. It closes the socket's and makes the number the file's.
        assert_eq!(unsafe { libc::dup2(file.as_raw_fd(), socket.number()) }, socket.number());
        let number = socket.number();
        assert_eq!(HalfMapped::new().receive(&mut socket), Err(Errno(libc::EBADF)));
        assert_eq!(socket.send(b"x", None), Err(Errno(libc::EBADF)));
        assert_eq!(socket.close(), Err(Errno(libc::EBADF)));
        // SAFETY: fcntl(F_GETFD) takes and gives numbers; the number is the file's and closed below.
        assert!(unsafe { libc::fcntl(number, libc::F_GETFD) } >= 0, "somebody else's descriptor was closed");
        // SAFETY: as above.
        unsafe { libc::close(number) };
    }
}
