//! Socket options under the names that socket(7), ip(7) and ipv6(7) give them.
//!
//! An option that IPv4 and IPv6 each have goes by either name, and which one is set is the socket's family to say. On Linux
//! an IPv6 socket has IPv4's beside its own, for mapped peers: both are set there, and its own is read.

use super::Errno;
use super::fd::RawFd;
use super::libc::{self, c_int};
use super::options::{get_int, set_int};

/// Level and name, as setsockopt(2) takes them, for each family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    v4: (c_int, c_int),
    v6: (c_int, c_int),
}

impl Named {
    /// One of every socket.
    #[cfg(unix)]
    pub(super) const fn socket(name: c_int) -> Named {
        Named { v4: (libc::SOL_SOCKET, name), v6: (libc::SOL_SOCKET, name) }
    }

    /// One of each family.
    pub(super) const fn kin(v4: c_int, v6: c_int) -> Named {
        Named { v4: (libc::IPPROTO_IP, v4), v6: (libc::IPPROTO_IPV6, v6) }
    }

    /// Sets it on a socket of this family.
    pub fn set(self, fd: RawFd, v6: bool, value: c_int) -> Result<(), Errno> {
        if v6 {
            set_int(fd, self.v6.0, self.v6.1, value)?;
        }
        if !v6 || cfg!(linux_sockets) && self.v4 != self.v6 {
            set_int(fd, self.v4.0, self.v4.1, value)?;
        }
        Ok(())
    }

    /// Reads it from a socket of this family.
    pub fn get(self, fd: RawFd, v6: bool) -> Result<c_int, Errno> {
        let (level, name) = if v6 { self.v6 } else { self.v4 };
        get_int(fd, level, name)
    }
}

/// IP_MULTICAST_ALL, ip(7), and IPV6_MULTICAST_ALL, ipv6(7) (Linux 4.20): the socket gets what is sent to any group that
/// somebody on this host has joined.
#[cfg(linux_sockets)]
const MULTICAST_ALL: Named = Named::kin(libc::IP_MULTICAST_ALL, libc::IPV6_MULTICAST_ALL);
/// IP_MTU_DISCOVER, ip(7), and IPV6_MTU_DISCOVER, ipv6(7).
#[cfg(linux_sockets)]
const MTU_DISCOVER: Named = Named::kin(libc::IP_MTU_DISCOVER, libc::IPV6_MTU_DISCOVER);

/// The option of this name; `None` where this system has none.
pub fn find(name: &str) -> Option<Named> {
    #[cfg(linux_sockets)]
    {
        /// include/uapi/asm-generic/socket.h (Linux 3.19); libc has it not for Android.
        const SO_INCOMING_CPU: c_int = 49;
        let found = match name {
            "SO_BUSY_POLL" => Named::socket(libc::SO_BUSY_POLL),
            "SO_INCOMING_CPU" => Named::socket(SO_INCOMING_CPU),
            "SO_MARK" => Named::socket(libc::SO_MARK),
            "SO_PRIORITY" => Named::socket(libc::SO_PRIORITY),
            "SO_BINDTODEVICE" => Named::socket(libc::SO_BINDTODEVICE),
            "SO_ATTACH_FILTER" => Named::socket(libc::SO_ATTACH_FILTER),
            "IP_FREEBIND" | "IPV6_FREEBIND" => Named::kin(libc::IP_FREEBIND, libc::IPV6_FREEBIND),
            "IP_TRANSPARENT" | "IPV6_TRANSPARENT" => Named::kin(libc::IP_TRANSPARENT, libc::IPV6_TRANSPARENT),
            "IP_MULTICAST_ALL" => MULTICAST_ALL,
            "IP_MTU_DISCOVER" => MTU_DISCOVER,
            _ => return everywhere(name),
        };
        Some(found)
    }
    #[cfg(not(linux_sockets))]
    everywhere(name)
}

/// What every Unix has.
fn everywhere(name: &str) -> Option<Named> {
    match name {
        "IP_TOS" | "IPV6_TCLASS" => Some(Named::kin(libc::IP_TOS, libc::IPV6_TCLASS)),
        _ => None,
    }
}

/// Whether the socket gets what is sent to groups that others have joined. Linux; elsewhere ENOTSUP.
pub fn set_multicast_all(fd: RawFd, v6: bool, on: bool) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    return MULTICAST_ALL.set(fd, v6, on.into());
    #[cfg(not(linux_sockets))]
    return {
        let _ = (fd, v6, on);
        Err(Errno(libc::ENOTSUP))
    };
}

/// Whether a datagram that is larger than the path's MTU is refused, EMSGSIZE (IP_PMTUDISC_DO), or goes in fragments
/// (IP_PMTUDISC_WANT, the system's default). Linux; elsewhere ENOTSUP.
pub fn set_dont_fragment(fd: RawFd, v6: bool, on: bool) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    {
        // IPV6_PMTUDISC_DO and IPV6_PMTUDISC_WANT are the same numbers, include/uapi/linux/in6.h.
        let how = if on { libc::IP_PMTUDISC_DO } else { libc::IP_PMTUDISC_WANT };
        MTU_DISCOVER.set(fd, v6, how)
    }
    #[cfg(not(linux_sockets))]
    {
        let _ = (fd, v6, on);
        Err(Errno(libc::ENOTSUP))
    }
}

/// Has the socket receive from and send to one interface only, SO_BINDTODEVICE, socket(7); an empty name undoes it. The
/// kernel cuts names at 15 bytes. Linux; elsewhere ENOTSUP.
pub fn bind_to_device(fd: RawFd, device: &str) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    {
        let length = device.len() as libc::socklen_t;
        let name = device.as_ptr().cast();
        // SAFETY: `length` bytes at `name` are readable.
        unsafe { super::syscall!(setsockopt(fd, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name, length)) }?;
        Ok(())
    }
    #[cfg(not(linux_sockets))]
    {
        let _ = (fd, device);
        Err(Errno(libc::ENOTSUP))
    }
}

#[cfg(all(test, linux_sockets))]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    #[test]
    fn sets_both_families_of_an_ipv6_socket() {
        let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
        let fd = socket.as_raw_fd();
        for name in ["IP_TOS", "IPV6_TCLASS"] {
            let option = find(name).unwrap();
            for tos in [0x28, 0xb8] {
                option.set(fd, true, tos).unwrap();
                assert_eq!((option.get(fd, true), option.get(fd, false)), (Ok(tos), Ok(tos)));
            }
        }
    }

    #[test]
    fn sets_an_ipv4_socket() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let fd = socket.as_raw_fd();
        set_dont_fragment(fd, false, true).unwrap();
        assert_eq!(find("IP_MTU_DISCOVER").unwrap().get(fd, false), Ok(libc::IP_PMTUDISC_DO));
        set_dont_fragment(fd, false, false).unwrap();
        assert_eq!(find("IP_MTU_DISCOVER").unwrap().get(fd, false), Ok(libc::IP_PMTUDISC_WANT));
        set_multicast_all(fd, false, false).unwrap();
        assert_eq!(find("IP_MULTICAST_ALL").unwrap().get(fd, false), Ok(0));
        assert_eq!(bind_to_device(fd, "no-such-device"), Err(Errno(libc::ENODEV)));
        assert_eq!(find("IP_TTL"), None);
    }
}
