//! Making a socket: bind(2), or taking a descriptor over.

use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockAddr, Type};

use super::{Parts, Socket};
use crate::sys::descriptor::{self, Identity};
use crate::sys::fd::{AsRawFd, FromRawFd, RawFd};
use crate::sys::filter::{self, Instruction};
use crate::sys::named::{self, Named};
use crate::sys::options::{self, Telling};
use crate::sys::{Backend, Errno, Wanted, libc};

/// What a socket is to be before it is bound.
#[derive(Clone, Debug, Default)]
pub struct BindOptions {
    /// Share the port with other sockets that ask so, as node:dgram does it: SO_REUSEADDR, on BSDs SO_REUSEPORT.
    pub reuse_addr: bool,
    /// Share the port and let the kernel spread flows over the sockets: SO_REUSEPORT, socket(7).
    pub reuse_port: bool,
    /// No IPv4-mapped peers: IPV6_V6ONLY, ipv6(7).
    pub v6_only: bool,
    /// Bytes asked for SO_RCVBUF, or SO_RCVBUFFORCE where it may; `None` for the system's default.
    pub recv_buffer_size: Option<usize>,
    /// Bytes asked for SO_SNDBUF, `None` for the system's default.
    pub send_buffer_size: Option<usize>,
    /// UDP_GRO, where the kernel has it.
    pub gro: bool,
    /// Have the kernel tell where each datagram was sent to, where it can. `None`: on a socket of all addresses.
    pub destinations: Option<bool>,
    /// Whether it gets what is sent to groups that others have joined, see [`named::set_multicast_all`].
    pub multicast_all: Option<bool>,
    /// Whether what is too large for the path is refused, see [`named::set_dont_fragment`].
    pub dont_fragment: Option<bool>,
    /// The only interface that it receives from and sends to, see [`named::bind_to_device`].
    pub device: Option<String>,
    /// Options by name, and what they are to be.
    pub named: Vec<(Named, i32)>,
    /// A program that each datagram has to pass from the first on; none where it is empty.
    pub filter: Vec<Instruction>,
    /// What else the kernel is to tell.
    pub telling: Telling,
    /// Which system call receives.
    pub backend: Backend,
}

/// How a descriptor is taken over.
#[derive(Clone, Copy, Debug)]
pub struct Adoption {
    /// Leave the descriptor the caller's and use a duplicate.
    pub dup: bool,
    /// Turn UDP_GRO on. Where it is on already it stays on.
    pub gro: bool,
    /// Its messages will be received into slots that hold a coalesced one; a socket with UDP_GRO on needs that.
    pub large_slots: bool,
    /// Have the kernel tell where each datagram was sent to, where it can. `None`: on a socket of all addresses.
    pub destinations: Option<bool>,
    /// What else the kernel is to tell.
    pub telling: Telling,
    /// Which system call receives.
    pub backend: Backend,
}

/// Why a descriptor was not taken over. It is still the caller's, as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdopted {
    /// Not a datagram socket of the families that were asked for: what it is instead.
    Kind(&'static str),
    /// UDP_GRO is on, and the slots are too small for it.
    Coalesces,
    /// The system's word.
    Errno(Errno),
}

impl From<Errno> for NotAdopted {
    fn from(errno: Errno) -> NotAdopted {
        NotAdopted::Errno(errno)
    }
}

impl Socket {
    /// Makes a socket and binds it to `address`.
    pub fn bind(address: SocketAddr, options: &BindOptions) -> Result<Socket, Errno> {
        let domain = Domain::for_address(address);
        // Non-blocking and close-on-exec from the start, where the system can.
        let inner = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        descriptor::prepare(&inner)?;
        let v6 = domain == Domain::IPV6;
        if v6 {
            inner.set_only_v6(options.v6_only)?;
        }
        if options.reuse_addr {
            reuse_addr(&inner)?;
        }
        if options.reuse_port {
            reuse_port(&inner)?;
        }
        if let Some(bytes) = options.recv_buffer_size {
            options::set_recv_buffer(inner.as_raw_fd(), bytes)?;
        }
        if let Some(bytes) = options.send_buffer_size {
            inner.set_send_buffer_size(bytes)?;
        }
        if let Some(on) = options.multicast_all {
            named::set_multicast_all(inner.as_raw_fd(), v6, on)?;
        }
        if let Some(on) = options.dont_fragment {
            named::set_dont_fragment(inner.as_raw_fd(), v6, on)?;
        }
        // Before bind: sockets of different interfaces may share a port.
        if let Some(device) = &options.device {
            named::bind_to_device(inner.as_raw_fd(), device)?;
        }
        // Before bind: what may use an address that is not this host's has to say so first.
        for (option, value) in &options.named {
            option.set(inner.as_raw_fd(), v6, *value)?;
        }
        // Before bind: what arrives earlier would not have passed it.
        if !options.filter.is_empty() {
            filter::attach(inner.as_raw_fd(), &options.filter)?;
        }
        // Before bind: a datagram queued earlier than the option stays as it was queued.
        let gro = options.gro && options::set_gro(inner.as_raw_fd());
        let everywhere = address.ip().is_unspecified();
        if options.destinations.unwrap_or(everywhere) {
            options::set_destinations(inner.as_raw_fd(), v6);
        }
        options::set_telling(inner.as_raw_fd(), v6, options.telling)?;
        inner.bind(&SockAddr::from(address))?;
        let identity = Identity::of(inner.as_raw_fd())?;
        let (backend, telling) = (options.backend, options.telling);
        let parts = Parts { inner, identity, backend, telling, restore_blocking: false };
        Ok(Socket { gro, v6, everywhere, ..Socket::new(parts) })
    }

    /// Takes a bound or unbound UDP socket over.
    pub fn from_fd(fd: RawFd, adoption: &Adoption) -> Result<Socket, NotAdopted> {
        if options::gro(fd) && !adoption.large_slots {
            return Err(NotAdopted::Coalesces);
        }
        let tell = |fd| {
            let v6 = descriptor::domain(fd)? == libc::AF_INET6;
            options::set_telling(fd, v6, adoption.telling).map(|()| v6)
        };
        let (inner, identity, restore_blocking, v6) = adopt(fd, adoption.dup, Wanted::Udp, tell)?;
        let fd = inner.as_raw_fd();
        // A socket that has it on is read as one that has it on, whoever did it.
        let name = inner.local_addr().ok().and_then(|name| name.as_socket());
        let everywhere = name.is_some_and(|name| name.ip().is_unspecified());
        if adoption.destinations.unwrap_or(everywhere) {
            options::set_destinations(fd, v6);
        }
        let gro = options::gro(fd) || adoption.gro && options::set_gro(fd);
        // What was lost before is not ours to tell.
        let drops = options::drops(fd).unwrap_or(0);
        let (backend, telling) = (adoption.backend, adoption.telling);
        let parts = Parts { inner, identity, backend, telling, restore_blocking };
        Ok(Socket { gro, v6, everywhere, drops, ..Socket::new(parts) })
    }
}

/// The socket behind `fd`, or behind a duplicate of it, non-blocking and close-on-exec; who it is, and whether it was in
/// blocking mode and is to be so again; and what `prepare` gives, which sets the options that may be refused. Where it fails
/// `fd` is the caller's as before.
pub(super) fn adopt<T>(
    fd: RawFd,
    dup: bool,
    wanted: Wanted,
    prepare: impl FnOnce(RawFd) -> Result<T, Errno>,
) -> Result<(socket2::Socket, Identity, bool, T), NotAdopted> {
    let blocking = descriptor::is_blocking(fd)?;
    if let Some(kind) = descriptor::kind(fd, wanted)? {
        return Err(NotAdopted::Kind(kind));
    }
    let fd = if dup { descriptor::duplicate(fd)? } else { fd };
    // SAFETY: an open descriptor, checked above, which the caller hands over, or our duplicate of it.
    let inner = unsafe { socket2::Socket::from_raw_fd(fd) };
    let prepared = prepare(fd).and_then(|told| {
        descriptor::prepare(&inner)?;
        Ok((Identity::of(fd)?, told))
    });
    match prepared {
        Ok((identity, told)) => Ok((inner, identity, blocking, told)),
        Err(errno) => {
            if !dup {
                std::mem::forget(inner); // still the caller's
            }
            Err(errno.into())
        }
    }
}

fn reuse_addr(socket: &socket2::Socket) -> Result<(), Errno> {
    // The BSDs share a multicast port by SO_REUSEPORT only, and libuv takes it for node:dgram's reuseAddr.
    #[cfg(bsd)]
    socket.set_reuse_port(true)?;
    #[cfg(not(bsd))]
    socket.set_reuse_address(true)?;
    Ok(())
}

/// SO_REUSEPORT where it spreads load; ENOTSUP, as node:dgram says it, where it would only let one socket starve.
pub fn reuse_port(socket: &socket2::Socket) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    return Ok(socket.set_reuse_port(true)?);
    #[cfg(reuseport_lb)]
    return Ok(socket.set_reuse_port_lb(true)?);
    #[cfg(not(any(linux_sockets, reuseport_lb)))]
    {
        let _ = socket;
        Err(Errno(libc::ENOTSUP))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::IntoRawFd;

    #[test]
    fn a_descriptor_that_is_not_taken_over_is_the_callers_as_it_was() {
        let fd = UdpSocket::bind("127.0.0.1:0").unwrap().into_raw_fd();
        for dup in [false, true] {
            let refused = adopt(fd, dup, Wanted::Udp, |_| Err::<(), _>(Errno(libc::EPERM)));
            assert_eq!(refused.map(drop), Err(NotAdopted::Errno(Errno(libc::EPERM))));
            assert_eq!(descriptor::is_blocking(fd), Ok(true), "still open, and as it was");
        }
        // SAFETY: the descriptor that into_raw_fd gave, of which nobody else is the owner.
        drop(unsafe { UdpSocket::from_raw_fd(fd) });
    }
}
