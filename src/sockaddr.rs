//! Socket addresses: from the bytes the kernel wrote, and from the text a user wrote.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ptr;

use crate::sys::libc::{self, sa_family_t, sockaddr_in, sockaddr_in6, sockaddr_storage};

/// The address in `storage`, of which the kernel filled `namelen` bytes (`msg_namelen`, in-out in recvmsg(2)).
///
/// The family decides only together with the length: a name shorter than its family's structure, a length of 0 (the
/// kernel gave no name) and every other family are no address. The bytes behind `namelen` are an earlier message's.
#[inline]
pub fn read(storage: &sockaddr_storage, namelen: usize) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET if full::<sockaddr_in>(namelen) => {
            // SAFETY: sockaddr_storage is larger than, and aligned for, every sockaddr_* (POSIX, <sys/socket.h>), and
            // sockaddr_in is plain integers, valid for any bytes.
            let name = unsafe { &*ptr::from_ref(storage).cast::<sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(name.sin_port))))
        }
        libc::AF_INET6 if full::<sockaddr_in6>(namelen) => {
            // SAFETY: as above; sockaddr_in6 is plain integers too.
            let name = unsafe { &*ptr::from_ref(storage).cast::<sockaddr_in6>() };
            Some(SocketAddr::V6(SocketAddrV6::new(
                Ipv6Addr::from(name.sin6_addr.s6_addr),
                u16::from_be(name.sin6_port),
                name.sin6_flowinfo,
                name.sin6_scope_id,
            )))
        }
        _ => None,
    }
}

fn full<T>(namelen: usize) -> bool {
    // The kernel tells the length it wanted to write even where it had less room (recvmsg(2): "msg_namelen").
    (size_of::<T>()..=size_of::<sockaddr_storage>()).contains(&namelen) && size_of::<sa_family_t>() <= namelen
}

/// Parses an IP literal: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`, `fe80::1%2`. A host name is `None`.
pub fn parse(text: &str, port: u16) -> Option<SocketAddr> {
    let (text, zone) = match text.split_once('%') {
        Some((text, zone)) => (text, Some(zone)),
        None => (text, None),
    };
    match (text.parse().ok()?, zone) {
        (IpAddr::V4(ip), None) => Some(SocketAddr::V4(SocketAddrV4::new(ip, port))),
        (IpAddr::V4(_), Some(_)) => None,
        (IpAddr::V6(ip), zone) => {
            let scope_id = zone.map_or(Some(0), scope_id)?;
            Some(SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope_id)))
        }
    }
}

/// The same address as a socket of `AF_INET6` has to be told it: IPv4 becomes IPv4-mapped (RFC 4291, 2.5.5.2).
///
/// Whether the socket takes mapped addresses is the kernel's to say (`IPV6_V6ONLY`, ipv6(7)).
pub fn mapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) => SocketAddr::new(IpAddr::V6(v4.ip().to_ipv6_mapped()), v4.port()),
        v6 => v6,
    }
}

/// RFC 4007, 11.2: a zone is a number or, here, an interface's name.
fn scope_id(zone: &str) -> Option<u32> {
    if let Ok(index) = zone.parse() {
        return Some(index);
    }
    let name = std::ffi::CString::new(zone).ok()?;
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}

/// The name of the interface with this index, `None` where there is none now.
pub fn interface_name(index: u32) -> Option<String> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: if_indextoname(3) writes at most IF_NAMESIZE bytes, the terminating NUL among them.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: it has written a NUL-terminated string there.
    let name = unsafe { std::ffi::CStr::from_ptr(name.as_ptr()) };
    name.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::SockAddr;

    fn read_of(address: &SockAddr, namelen: usize) -> Option<SocketAddr> {
        // SAFETY: `as_storage` hands out a copy of the whole, initialised structure.
        let storage = unsafe { *address.as_ptr().cast::<sockaddr_storage>() };
        read(&storage, namelen)
    }

    #[test]
    fn reads_back_what_socket2_wrote() {
        for address in ["127.0.0.1:53", "[::1]:65535", "[::ffff:192.0.2.1]:1"] {
            let address: SocketAddr = address.parse().unwrap();
            let written = SockAddr::from(address);
            assert_eq!(read_of(&written, written.len() as usize), Some(address));
        }
    }

    #[test]
    fn keeps_flowinfo_and_scope_id() {
        let address = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 9, 0x0102_0304, 7));
        let written = SockAddr::from(address);
        assert_eq!(read_of(&written, written.len() as usize), Some(address));
    }

    #[test]
    fn a_short_or_missing_name_is_no_address() {
        for address in ["127.0.0.1:53", "[::1]:53"] {
            let written = SockAddr::from(address.parse::<SocketAddr>().unwrap());
            for namelen in 0..written.len() as usize {
                assert_eq!(read_of(&written, namelen), None, "{address} of {namelen} bytes");
            }
            assert_eq!(read_of(&written, 129), None, "longer than sockaddr_storage");
        }
    }

    #[test]
    fn another_family_is_no_address() {
        let written = SockAddr::unix("/tmp/x").unwrap();
        assert_eq!(read_of(&written, written.len() as usize), None);
        // The length of an IPv4 name does not make an IPv6 name of it.
        let mut v6 = SockAddr::from("[::1]:53".parse::<SocketAddr>().unwrap());
        // SAFETY: only the family and the length of an initialised name are changed.
        unsafe { v6.set_length(size_of::<sockaddr_in>() as _) };
        assert_eq!(read_of(&v6, v6.len() as usize), None);
    }

    #[test]
    fn parses_literals_and_refuses_names() {
        assert_eq!(parse("192.0.2.1", 53), "192.0.2.1:53".parse().ok());
        assert_eq!(parse("2001:db8::1", 53), "[2001:db8::1]:53".parse().ok());
        assert_eq!(
            parse("fe80::1%7", 1),
            Some(SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 1, 0, 7)))
        );
        for bad in ["localhost", "", "1.2.3", "1.2.3.4%lo", "::1%no-such-interface", "01.2.3.4", "::1%a\0b"] {
            assert_eq!(parse(bad, 1), None, "{bad:?}");
        }
    }

    #[test]
    fn knows_the_loopback_interface_by_name_and_index() {
        let Some(name) = (1..64).find_map(interface_name) else { panic!("no interface at all") };
        let Some(SocketAddr::V6(address)) = parse(&format!("fe80::1%{name}"), 1) else { panic!("{name}") };
        assert_eq!(interface_name(address.scope_id()), Some(name));
        assert_eq!(interface_name(u32::MAX), None);
    }
}
