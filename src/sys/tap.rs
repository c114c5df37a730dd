//! The system calls that receive on a socket, or those that send: counted always, timed and written down where somebody
//! asks.
//!
//! It is where a call is made that its arguments are taken, so what is written down is what the kernel was asked.

use std::mem;
use std::time::Instant;

use super::Errno;
use super::fd::RawFd;
use super::libc::c_int;

/// Which system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syscall {
    /// recvmmsg(2).
    Recvmmsg,
    /// recvmsg(2).
    Recvmsg,
    /// Winsock's recvfrom.
    Recvfrom,
    /// sendmmsg(2).
    Sendmmsg,
    /// sendmsg(2).
    Sendmsg,
    /// sendto(2).
    Sendto,
}

/// What it was called with. Pointers are numbers: nobody follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The call.
    pub syscall: Syscall,
    /// `sockfd`.
    pub sockfd: RawFd,
    /// `msgvec`, `msg` or `buf`.
    pub memory: usize,
    /// `vlen` or `len`; 0 where there is neither.
    pub length: usize,
    /// `flags`.
    pub flags: c_int,
    /// `dest_addr` or `src_addr`, and 0 where there is neither.
    pub name: usize,
    /// `addrlen`.
    pub namelen: usize,
}

/// A call that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it was called with.
    pub arguments: Arguments,
    /// What it returned.
    pub result: Result<i64, Errno>,
    /// How long it took.
    pub nanoseconds: u64,
    /// Messages that it carried and that were looked at, their datagrams, and the bytes of these.
    pub messages: u64,
    /// See there.
    pub datagrams: u64,
    /// See there.
    pub bytes: u64,
}

impl Made {
    /// How many messages it carried.
    fn carried(&self) -> u64 {
        match (self.arguments.syscall, self.result) {
            (_, Err(_)) => 0,
            (Syscall::Recvmmsg | Syscall::Sendmmsg, Ok(count)) => count.cast_unsigned(),
            (_, Ok(_)) => 1,
        }
    }
}

/// What is written down, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A system call.
    Made(Made),
    /// The call for many messages is not allowed any more, and was given up for the loop; what it had said.
    GaveUp(Errno),
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Tap {
    /// How many calls were made.
    pub calls: u64,
    /// How long they took, where they are timed.
    pub nanoseconds: u64,
    timing: bool,
    tracing: bool,
    entries: Vec<Entry>,
    /// Where the present call's entries begin, but for those whose messages have all been looked at.
    next: usize,
}

impl Tap {
    /// Makes the call.
    #[inline]
    pub fn call<T: Copy + TryInto<i64>>(
        &mut self,
        arguments: impl FnOnce() -> Arguments,
        call: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        self.calls += 1;
        if !(self.timing | self.tracing) {
            return call();
        }
        self.watched(arguments(), call)
    }

    #[cold]
    fn watched<T: Copy + TryInto<i64>>(
        &mut self,
        arguments: Arguments,
        call: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let begun = Instant::now();
        let result = call();
        let nanoseconds = begun.elapsed().as_nanos() as u64;
        if self.timing {
            self.nanoseconds += nanoseconds;
        }
        if self.tracing {
            let result = result.map(|value| value.try_into().unwrap_or(i64::MAX));
            let (messages, datagrams, bytes) = (0, 0, 0);
            self.entries.push(Entry::Made(Made {
                arguments,
                result,
                nanoseconds,
                messages,
                datagrams,
                bytes,
            }));
        }
        result
    }

    /// Times the calls from now on.
    pub fn time(&mut self) {
        self.timing = true;
    }

    /// How long the calls took, where they are timed.
    pub fn timed(&self) -> Option<u64> {
        self.timing.then_some(self.nanoseconds)
    }

    /// Begins to count anew.
    pub fn reset(&mut self) {
        (self.calls, self.nanoseconds) = (0, 0);
    }

    /// Writes the calls down from now on.
    pub fn trace(&mut self) {
        self.tracing = true;
    }

    /// Whether calls are written down.
    pub fn is_tracing(&self) -> bool {
        self.tracing
    }

    /// What has been written down, the first `most` of it; nothing is from now on.
    pub fn traced(&mut self, most: usize) -> Vec<Entry> {
        self.tracing = false;
        self.next = 0;
        let rest = self.entries.split_off(most.min(self.entries.len()));
        mem::replace(&mut self.entries, rest)
    }

    /// The messages that are looked at next are of the calls that follow.
    pub fn mark(&mut self) {
        self.next = self.entries.len();
    }

    /// The next message that the calls have carried held this.
    pub fn carried(&mut self, datagrams: u64, bytes: u64) {
        while let Some(entry) = self.entries.get_mut(self.next) {
            if let Entry::Made(made) = entry
                && made.messages < made.carried()
            {
                made.messages += 1;
                made.datagrams += datagrams;
                made.bytes += bytes;
                return;
            }
            self.next += 1;
        }
    }

    /// The call for many messages was given up for the loop.
    pub fn gave_up(&mut self, error: Errno) {
        if self.tracing {
            self.entries.push(Entry::GaveUp(error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tap: &mut Tap, syscall: Syscall, result: Result<c_int, Errno>) {
        let arguments =
            Arguments { syscall, sockfd: 7, memory: 4096, length: 64, flags: 0, name: 0, namelen: 0 };
        assert_eq!(tap.call(|| arguments, || result), result);
    }

    fn carried(entries: &[Entry]) -> Vec<(u64, u64, u64)> {
        entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Made(made) => Some((made.messages, made.datagrams, made.bytes)),
                Entry::GaveUp(_) => None,
            })
            .collect()
    }

    #[test]
    fn counts_and_neither_times_nor_writes_unless_asked() {
        let mut tap = Tap::default();
        let unasked = || -> Arguments { panic!("the arguments are nobody's") };
        assert_eq!(tap.call(unasked, || Ok(1)), Ok(1));
        tap.gave_up(Errno(1));
        assert_eq!((tap.calls, tap.timed(), tap.traced(9)), (1, None, vec![]));
        tap.time();
        let slow = || {
            let begun = Instant::now();
            while begun.elapsed().as_millis() < 2 {}
            Err::<c_int, _>(Errno(11))
        };
        let arguments = Arguments {
            syscall: Syscall::Recvmsg,
            sockfd: 1,
            memory: 0,
            length: 0,
            flags: 0,
            name: 0,
            namelen: 0,
        };
        assert_eq!(tap.call(|| arguments, slow), Err(Errno(11)));
        assert!(tap.timed().is_some_and(|time| time >= 2_000_000));
        assert_eq!((tap.calls, tap.traced(9)), (2, vec![]));
        tap.reset();
        assert_eq!((tap.calls, tap.timed()), (0, Some(0)));
    }

    #[test]
    fn messages_are_those_of_the_call_that_carried_them() {
        let mut tap = Tap::default();
        tap.trace();
        call(&mut tap, Syscall::Recvmmsg, Ok(1));
        tap.mark();
        call(&mut tap, Syscall::Recvmmsg, Err(Errno(1)));
        tap.gave_up(Errno(1));
        call(&mut tap, Syscall::Recvmsg, Ok(0));
        call(&mut tap, Syscall::Recvmmsg, Ok(2));
        call(&mut tap, Syscall::Recvmsg, Err(Errno(11)));
        for message in 1..5 {
            tap.carried(message, 10 * message);
        }
        let mut entries = tap.traced(3);
        assert_eq!((entries.len(), tap.is_tracing()), (3, false));
        entries.extend(tap.traced(3));
        assert_eq!(carried(&entries), [(0, 0, 0), (0, 0, 0), (1, 1, 10), (2, 5, 50), (0, 0, 0)]);
        assert_eq!(entries[2], Entry::GaveUp(Errno(1)));
        call(&mut tap, Syscall::Recvmmsg, Ok(1));
        assert_eq!(tap.traced(9), [], "it was read, and that was the end of it");
    }
}
