//! Options that a program sets on an open socket, under the names that ip(7) and ipv6(7) give them.
//!
//! On Linux a socket of IPv6 has some of IPv4's options as well, for mapped peers: both are set there. (libuv sets its own
//! family's only, and then what goes to mapped peers has the system's time to live.) Memberships are of the group's family.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};

use super::Socket;
use crate::sys::filter::{self, Instruction};
use crate::sys::libc::{self, c_int};
use crate::sys::named::{self, Named};
use crate::sys::{Errno, options};

impl Socket {
    /// Time to live, or hop limit, of unicast datagrams: IP_TTL, IPV6_UNICAST_HOPS; 1 to 255.
    pub fn set_ttl(&self, ttl: i32) -> Result<(), Errno> {
        if !(1..=255).contains(&ttl) {
            return Err(Errno(libc::EINVAL));
        }
        #[cfg(linux_sockets)]
        self.set_for_mapped(libc::IP_TTL, ttl)?;
        self.set(libc::IP_TTL, libc::IPV6_UNICAST_HOPS, ttl)
    }

    /// Time to live, or hop limit, of multicast datagrams: IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS; 0 to 255.
    pub fn set_multicast_ttl(&self, ttl: i32) -> Result<(), Errno> {
        if !(0..=255).contains(&ttl) {
            return Err(Errno(libc::EINVAL));
        }
        self.fd()?;
        #[cfg(linux_sockets)]
        self.set_for_mapped(libc::IP_MULTICAST_TTL, ttl)?;
        Ok(match self.v6 {
            true => self.inner.set_multicast_hops_v6(ttl.cast_unsigned()),
            false => self.inner.set_multicast_ttl_v4(ttl.cast_unsigned()),
        }?)
    }

    /// Whether this host gets its own multicast datagrams: IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP.
    pub fn set_multicast_loopback(&self, on: bool) -> Result<(), Errno> {
        self.fd()?;
        #[cfg(linux_sockets)]
        self.set_for_mapped(libc::IP_MULTICAST_LOOP, on.into())?;
        Ok(match self.v6 {
            true => self.inner.set_multicast_loop_v6(on),
            false => self.inner.set_multicast_loop_v4(on),
        }?)
    }

    /// Whether it may send to broadcast addresses: SO_BROADCAST, socket(7).
    pub fn set_broadcast(&self, on: bool) -> Result<(), Errno> {
        self.fd()?;
        Ok(self.inner.set_broadcast(on)?)
    }

    /// The interface by which multicast datagrams leave: of IPv4 the one that has this address, of IPv6 the one of this
    /// scope (IP_MULTICAST_IF, IPV6_MULTICAST_IF). Unspecified: the system's choice.
    pub fn set_multicast_interface(&self, interface: SocketAddr) -> Result<(), Errno> {
        self.fd()?;
        Ok(match interface {
            SocketAddr::V4(v4) => self.inner.set_multicast_if_v4(v4.ip()),
            SocketAddr::V6(v6) => self.inner.set_multicast_if_v6(v6.scope_id()),
        }?)
    }

    /// Joins a group, or leaves it, on the interface that has this address (IPv4) or this scope (IPv6): IP_ADD_MEMBERSHIP,
    /// IPV6_JOIN_GROUP. Without one the system chooses.
    pub fn membership(&self, join: bool, group: IpAddr, interface: Option<SocketAddr>) -> Result<(), Errno> {
        self.fd()?;
        Ok(match group {
            IpAddr::V4(group) => {
                let interface = v4(interface)?;
                match join {
                    true => self.inner.join_multicast_v4(&group, &interface),
                    false => self.inner.leave_multicast_v4(&group, &interface),
                }
            }
            IpAddr::V6(group) => {
                let scope = scope(interface)?;
                match join {
                    true => self.inner.join_multicast_v6(&group, scope),
                    false => self.inner.leave_multicast_v6(&group, scope),
                }
            }
        }?)
    }

    /// The same for what one source sends to the group: IP_ADD_SOURCE_MEMBERSHIP, MCAST_JOIN_SOURCE_GROUP (RFC 3678).
    pub fn source_membership(
        &self,
        join: bool,
        source: IpAddr,
        group: IpAddr,
        interface: Option<SocketAddr>,
    ) -> Result<(), Errno> {
        let fd = self.fd()?;
        match (source, group) {
            (IpAddr::V4(source), IpAddr::V4(group)) => {
                let interface = v4(interface)?;
                Ok(match join {
                    true => self.inner.join_ssm_v4(&source, &group, &interface),
                    false => self.inner.leave_ssm_v4(&source, &group, &interface),
                }?)
            }
            (IpAddr::V6(source), IpAddr::V6(group)) => {
                let name = |ip| SocketAddrV6::new(ip, 0, 0, 0);
                options::source_group(fd, join, name(source), name(group), scope(interface)?)
            }
            _ => Err(Errno(libc::EINVAL)),
        }
    }

    /// Whether it gets what is sent to groups that others have joined, see [`named::set_multicast_all`].
    pub fn set_multicast_all(&self, on: bool) -> Result<(), Errno> {
        named::set_multicast_all(self.fd()?, self.v6, on)
    }

    /// Whether what is too large for the path is refused, see [`named::set_dont_fragment`].
    pub fn set_dont_fragment(&self, on: bool) -> Result<(), Errno> {
        named::set_dont_fragment(self.fd()?, self.v6, on)
    }

    /// The only interface that it receives from and sends to, see [`named::bind_to_device`].
    pub fn bind_to_device(&self, device: &str) -> Result<(), Errno> {
        named::bind_to_device(self.fd()?, device)
    }

    /// Sets an option by its name; ENOPROTOOPT where this system has none.
    pub fn set_named(&self, name: &str, value: c_int) -> Result<(), Errno> {
        find(name)?.set(self.fd()?, self.v6, value)
    }

    /// Reads an option by its name; ENOPROTOOPT where this system has none.
    pub fn get_named(&self, name: &str) -> Result<c_int, Errno> {
        find(name)?.get(self.fd()?, self.v6)
    }

    /// Attaches a program, see [`filter::attach`].
    pub fn attach_filter(&self, program: &[Instruction]) -> Result<(), Errno> {
        filter::attach(self.fd()?, program)
    }

    /// Takes the program away, see [`filter::detach`].
    pub fn detach_filter(&self) -> Result<(), Errno> {
        filter::detach(self.fd()?)
    }

    /// Bytes of the receive buffer, where they are fewer than were asked for.
    pub fn clamped_recv_buffer(&self, asked: usize) -> Option<usize> {
        options::clamped_recv_buffer(self.fd().ok()?, asked)
    }

    /// Sets IPv4's option of an IPv6 socket, for mapped peers.
    #[cfg(linux_sockets)]
    fn set_for_mapped(&self, name: c_int, value: i32) -> Result<(), Errno> {
        if self.v6 { options::set_int(self.fd()?, libc::IPPROTO_IP, name, value) } else { Ok(()) }
    }

    fn set(&self, v4: c_int, v6: c_int, value: i32) -> Result<(), Errno> {
        let (level, name) = if self.v6 { (libc::IPPROTO_IPV6, v6) } else { (libc::IPPROTO_IP, v4) };
        options::set_int(self.fd()?, level, name, value)
    }
}

fn find(name: &str) -> Result<Named, Errno> {
    named::find(name).ok_or(Errno(libc::ENOPROTOOPT))
}

fn v4(interface: Option<SocketAddr>) -> Result<Ipv4Addr, Errno> {
    match interface {
        None => Ok(Ipv4Addr::UNSPECIFIED),
        Some(SocketAddr::V4(interface)) => Ok(*interface.ip()),
        Some(SocketAddr::V6(_)) => Err(Errno(libc::EINVAL)),
    }
}

fn scope(interface: Option<SocketAddr>) -> Result<u32, Errno> {
    match interface {
        None => Ok(0),
        Some(SocketAddr::V6(interface)) => Ok(interface.scope_id()),
        Some(SocketAddr::V4(_)) => Err(Errno(libc::EINVAL)),
    }
}
