//! Addresses out of any bytes the kernel may leave, and out of any text a user may write.

#![no_main]
#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use arbitrary::Arbitrary;
use libc::{sockaddr_in, sockaddr_in6, sockaddr_storage};
use libfuzzer_sys::fuzz_target;
use recvmmsg::sockaddr::{mapped, parse, read};

const SIZE: usize = size_of::<sockaddr_storage>();

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    family: Family,
    name: [u8; SIZE - 2],
    namelen: u8,
    text: &'a str,
    port: u16,
}

#[derive(Arbitrary, Debug)]
enum Family {
    V4,
    V6,
    Other(u16),
}

fuzz_target!(|input: Input| {
    let family = match input.family {
        Family::V4 => libc::AF_INET as u16,
        Family::V6 => libc::AF_INET6 as u16,
        Family::Other(family) => family,
    };
    let mut bytes = [0; SIZE];
    bytes[..2].copy_from_slice(&family.to_ne_bytes());
    bytes[2..].copy_from_slice(&input.name);
    let namelen = usize::from(input.namelen);

    let address = read(&storage(bytes), namelen);
    assert_eq!(address, expected(family, &bytes, namelen));
    // What is behind the name's length is an earlier message's.
    let mut other = bytes;
    for byte in other.iter_mut().skip(namelen.max(2)) {
        *byte = !*byte;
    }
    assert_eq!(read(&storage(other), namelen), address);
    if let Some(address) = address {
        round_trip(address);
    }

    if let Some(address) = parse(input.text, input.port) {
        assert_eq!(address.port(), input.port);
        round_trip(address);
    }
});

fn storage(bytes: [u8; SIZE]) -> sockaddr_storage {
    // SAFETY: the sizes are the same, and every field is an integer, of which any bytes are a value.
    unsafe { std::mem::transmute(bytes) }
}

/// The fields at their offsets in the manual pages ip(7) and ipv6(7), where the name is long enough to have them.
fn expected(family: u16, bytes: &[u8; SIZE], namelen: usize) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    let word = |at: usize| bytes[at..].first_chunk().copied().unwrap();
    if namelen > SIZE {
        None
    } else if i32::from(family) == libc::AF_INET && namelen >= size_of::<sockaddr_in>() {
        Some((Ipv4Addr::from(word(4)), port).into())
    } else if i32::from(family) == libc::AF_INET6 && namelen >= size_of::<sockaddr_in6>() {
        let ip: [u8; 16] = bytes[8..].first_chunk().copied().unwrap();
        let (flow, scope) = (u32::from_ne_bytes(word(4)), u32::from_ne_bytes(word(24)));
        Some(SocketAddrV6::new(Ipv6Addr::from(ip), port, flow, scope).into())
    } else {
        None
    }
}

/// Written as text it is read as the same address, and mapped to IPv6 it is still the same host.
fn round_trip(address: SocketAddr) {
    let text = match address {
        SocketAddr::V6(v6) if v6.scope_id() > 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => address.ip().to_string(),
    };
    let mut same = address;
    if let SocketAddr::V6(v6) = &mut same {
        v6.set_flowinfo(0); // no text has it
    }
    assert_eq!(parse(&text, address.port()), Some(same), "{text}");

    let SocketAddr::V6(v6) = mapped(address) else { panic!("{address} was not mapped") };
    assert_eq!(v6.port(), address.port());
    match address.ip() {
        IpAddr::V4(ip) => assert_eq!(v6.ip().to_ipv4_mapped(), Some(ip)),
        IpAddr::V6(ip) => assert_eq!(*v6.ip(), ip),
    }
}
