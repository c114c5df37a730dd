//! One datagram socket: its descriptor, how it receives, and what it has counted.
//!
//! The descriptor's number is the process's, not ours: anybody may close it, and the kernel gives it out again. So the
//! socket keeps the identity of what it opened and compares before each call; from then on such a socket says EBADF,
//! and neither reads nor closes what is not its own.

mod counters;
mod create;
mod options;
mod receive;
mod send;
mod unix;
#[cfg_attr(windows, path = "unix_file_missing.rs")]
mod unix_file;

use std::net::SocketAddr;

use crate::arena::Arena;
use crate::outgoing::Family;
use crate::sys::descriptor::Identity;
use crate::sys::error_queue::{self, IcmpError};
use crate::sys::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use crate::sys::options::Telling;
use crate::sys::tap::Tap;
use crate::sys::{self, Backend, Errno, libc, wait};

pub use counters::{Counters, FIGURES};
pub use create::{Adoption, BindOptions, NotAdopted, reuse_port};
pub use receive::Call;
use send::Sending;
pub use send::{Outcome, Pending};
use unix::Unix;
pub use unix::{UnixOptions, UnixTelling};

/// See the module's documentation.
pub struct Socket {
    /// What a Unix socket has of its own. First, as its file is to go before its descriptor does.
    unix: Option<Unix>,
    inner: socket2::Socket,
    identity: Identity,
    backend: Backend,
    gro: bool,
    v6: bool,
    /// It is bound to all addresses, and says with what it sends where that comes from, where that is known.
    everywhere: bool,
    /// Set when `fromFd` changed the mode of a file that others may hold too.
    restore_blocking: bool,
    /// An error that the portable loop took from the kernel behind a batch: the next call's.
    parked: Option<Errno>,
    telling: Telling,
    /// The drop counter, modulo 2³², as it was last told.
    drops: u32,
    /// Where it was when the counts were reset.
    drops_before: u32,
    arena: Arena,
    sending: Sending,
    counters: Counters,
    recv_calls: Tap,
    send_calls: Tap,
}

/// What every socket is made of; the rest is as it is for a socket that nothing is known of.
struct Parts {
    inner: socket2::Socket,
    identity: Identity,
    backend: Backend,
    telling: Telling,
    restore_blocking: bool,
}

impl Socket {
    fn new(parts: Parts) -> Socket {
        let Parts { inner, identity, backend, telling, restore_blocking } = parts;
        Socket {
            unix: None,
            inner,
            identity,
            backend,
            gro: false,
            v6: false,
            everywhere: false,
            restore_blocking,
            parked: None,
            telling,
            drops: 0,
            drops_before: 0,
            arena: Arena::default(),
            sending: Sending::new(backend),
            counters: Counters::default(),
            recv_calls: Tap::default(),
            send_calls: Tap::default(),
        }
    }

    /// The descriptor, or EBADF where it is no longer ours.
    pub fn fd(&self) -> Result<RawFd, Errno> {
        let fd = self.inner.as_raw_fd();
        if Identity::of(fd) == Ok(self.identity) { Ok(fd) } else { Err(Errno(libc::EBADF)) }
    }

    /// The descriptor's number, whoever it belongs to now.
    pub fn number(&self) -> RawFd {
        self.inner.as_raw_fd()
    }

    /// Another descriptor of the same socket, close-on-exec, that nobody else knows.
    pub fn duplicate(&self) -> Result<OwnedFd, Errno> {
        self.fd()?;
        Ok(self.inner.try_clone()?.into())
    }

    /// How the next call will receive.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether a message may hold many datagrams.
    pub fn gro(&self) -> bool {
        self.gro
    }

    fn family(&self) -> Family {
        match (&self.unix, self.v6) {
            (Some(_), _) => Family::Unix,
            (None, true) => Family::V6,
            (None, false) => Family::V4,
        }
    }

    /// What has been counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The system calls that receive, or with `sending` those that send.
    pub fn tap(&mut self, sending: bool) -> &mut Tap {
        if sending { &mut self.send_calls } else { &mut self.recv_calls }
    }

    /// Messages that the kernel dropped, see [`sys::options::drops`].
    pub fn kernel_drops(&self) -> Option<u32> {
        sys::options::drops(self.fd().ok()?)
    }

    /// Takes the next ICMP error from the error queue, see [`error_queue::take`].
    pub fn take_icmp_error(&mut self) -> Result<Option<IcmpError>, Errno> {
        error_queue::take(self.fd()?)
    }

    /// The address it is bound to, getsockname(2).
    pub fn local_address(&self) -> Result<SocketAddr, Errno> {
        self.fd()?;
        self.inner.local_addr()?.as_socket().ok_or(Errno(libc::EAFNOSUPPORT))
    }

    /// The address it is connected to, getpeername(2); ENOTCONN where it is not.
    pub fn peer_address(&self) -> Result<SocketAddr, Errno> {
        self.fd()?;
        self.inner.peer_addr()?.as_socket().ok_or(Errno(libc::ENOTCONN))
    }

    /// Receive and send buffer in bytes, as the kernel has them: socket(7) doubles what was asked for.
    pub fn buffer_sizes(&self) -> Result<(usize, usize), Errno> {
        self.fd()?;
        Ok((self.inner.recv_buffer_size()?, self.inner.send_buffer_size()?))
    }

    /// Asks for a receive buffer of this many bytes; the kernel clamps it to net.core.rmem_max.
    pub fn set_recv_buffer_size(&self, bytes: usize) -> Result<(), Errno> {
        self.fd()?;
        Ok(self.inner.set_recv_buffer_size(bytes)?)
    }

    /// Asks for a send buffer of this many bytes; the kernel clamps it to net.core.wmem_max.
    pub fn set_send_buffer_size(&self, bytes: usize) -> Result<(), Errno> {
        self.fd()?;
        Ok(self.inner.set_send_buffer_size(bytes)?)
    }

    /// What a wait for something to receive has to watch, or `None` where a receive has something to tell already: an
    /// error.
    pub fn wait_on(&self) -> Option<RawFd> {
        if self.parked.is_some() { None } else { self.fd().ok() }
    }

    /// Whether a receive would find something now.
    pub fn is_readable(&self) -> Result<bool, Errno> {
        if self.parked.is_some() {
            return Ok(true);
        }
        wait::is_readable(self.fd()?)
    }

    /// Whether reading has been shut down, see [`wait::is_shut_down`].
    pub fn is_shut_down(&self) -> bool {
        self.fd().is_ok_and(wait::is_shut_down)
    }

    /// Closes the descriptor if it is still ours; EBADF, and nothing closed, if not.
    pub fn close(self) -> Result<(), Errno> {
        let ours = self.fd();
        if ours.is_ok() && self.restore_blocking {
            // It fails only where the descriptor is none, and it is one.
            let _ = self.inner.set_nonblocking(false);
        }
        // Its file first, see there.
        drop(self.unix);
        match ours {
            Ok(_) => drop(self.inner),
            // Let go of the number without closing what has it now.
            Err(_) => _ = self.inner.into_raw_fd(),
        }
        ours.map(drop)
    }
}
