//! Socket options that socket2 does not have, and what this system can do.

use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};

use super::fd::RawFd;
use super::libc::{self, c_int, c_void, socklen_t};
use super::named::Named;
use super::{Errno, syscall};
use crate::cmsg;
use crate::record::Destination;

/// UDP_GRO, udp(7): the kernel hands coalesced datagrams of one flow over as one message (Linux 5.0).
#[cfg(linux_sockets)]
pub const UDP_GRO: c_int = libc::UDP_GRO;
/// UDP_SEGMENT, udp(7): the kernel cuts one message into datagrams of this size (Linux 4.18).
#[cfg(linux_sockets)]
pub const UDP_SEGMENT: c_int = libc::UDP_SEGMENT;

/// Turns UDP_GRO on; `false` where the kernel has none. It is never turned off again: messages that are already
/// coalesced would come out as one datagram, with no sign.
pub fn set_gro(fd: RawFd) -> bool {
    #[cfg(linux_sockets)]
    return set_int(fd, libc::SOL_UDP, UDP_GRO, 1).is_ok();
    #[cfg(not(linux_sockets))]
    return {
        let _ = fd;
        false
    };
}

/// Whether UDP_GRO is on.
pub fn gro(fd: RawFd) -> bool {
    #[cfg(linux_sockets)]
    return get_int(fd, libc::SOL_UDP, UDP_GRO).is_ok_and(|on| on != 0);
    #[cfg(not(linux_sockets))]
    return {
        let _ = fd;
        false
    };
}

/// What a socket has the kernel tell beside each datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// SO_TIMESTAMPNS, socket(7), on BSDs SO_TIMESTAMP, setsockopt(2): when the kernel received it.
    pub timestamps: bool,
    /// IP_RECVTOS, ip(7), and IPV6_RECVTCLASS, ipv6(7).
    pub tos: bool,
    /// IP_RECVTTL, ip(7), and IPV6_RECVHOPLIMIT, ipv6(7).
    pub ttl: bool,
    /// SO_RXQ_OVFL, socket(7), Linux: how many messages the kernel had dropped when it queued this one.
    pub drops: bool,
    /// IP_RECVERR, ip(7), and IPV6_RECVERR, ipv6(7), Linux: errors wait in a queue of their own, each with what it is about.
    pub errors: bool,
}

impl Telling {
    /// Whether control messages tell any of it.
    pub fn any(self) -> bool {
        self.timestamps || self.tos || self.ttl || self.drops
    }
}

/// What has the kernel tell each of it; `None` where this system has no such thing.
#[cfg(linux_sockets)]
const TELLERS: [Option<Named>; 5] = [
    Some(Named::socket(libc::SO_TIMESTAMPNS)),
    Some(Named::kin(libc::IP_RECVTOS, libc::IPV6_RECVTCLASS)),
    Some(Named::kin(libc::IP_RECVTTL, libc::IPV6_RECVHOPLIMIT)),
    Some(Named::socket(libc::SO_RXQ_OVFL)),
    Some(Named::kin(libc::IP_RECVERR, libc::IPV6_RECVERR)),
];
#[cfg(bsd_telling)]
const TELLERS: [Option<Named>; 5] = [
    Some(Named::socket(libc::SO_TIMESTAMP)),
    Some(Named::kin(libc::IP_RECVTOS, libc::IPV6_RECVTCLASS)),
    Some(Named::kin(libc::IP_RECVTTL, libc::IPV6_RECVHOPLIMIT)),
    None,
    None,
];
#[cfg(not(any(linux_sockets, bsd_telling)))]
const TELLERS: [Option<Named>; 5] = [None; 5];

/// Has the kernel tell; ENOPROTOOPT where it cannot.
pub fn set_telling(fd: RawFd, v6: bool, telling: Telling) -> Result<(), Errno> {
    let Telling { timestamps, tos, ttl, drops, errors } = telling;
    for (wanted, teller) in [timestamps, tos, ttl, drops, errors].into_iter().zip(TELLERS) {
        if wanted {
            teller.ok_or(Errno(libc::ENOPROTOOPT))?.set(fd, v6, 1)?;
        }
    }
    Ok(())
}

/// What the control messages of one message tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Nanoseconds since the epoch.
    pub timestamp: Option<u64>,
    /// Type of service, or traffic class.
    pub tos: Option<u8>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// Messages dropped since the socket was made, modulo 2³².
    pub drops: Option<u32>,
    /// Size of the datagrams of which it was coalesced.
    pub segment: Option<c_int>,
    /// Where it was sent to.
    pub to: Option<Destination>,
}

/// Reads them; what nobody here asked for is passed over.
#[inline]
pub fn told(control: cmsg::Messages<'_>) -> Told {
    let mut told = Told::default();
    for message in control {
        match (message.level, message.kind) {
            #[cfg(linux_sockets)]
            (libc::SOL_UDP, UDP_GRO) => told.segment = told.segment.or(message.int()),
            #[cfg(linux_sockets)]
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                told.timestamp = stamp(message.data).or(told.timestamp)
            }
            #[cfg(linux_sockets)]
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                told.drops = message.int().map(c_int::cast_unsigned).or(told.drops);
            }
            // One byte, where all others are ints.
            #[cfg(linux_sockets)]
            (libc::IPPROTO_IP, libc::IP_TOS) => told.tos = message.data.first().copied().or(told.tos),
            #[cfg(linux_sockets)]
            (libc::IPPROTO_IP, libc::IP_TTL) => told.ttl = byte(&message).or(told.ttl),
            #[cfg(bsd_telling)]
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMP) => {
                told.timestamp = stamp(message.data).or(told.timestamp)
            }
            #[cfg(bsd_telling)]
            (libc::IPPROTO_IP, libc::IP_RECVTOS) => told.tos = message.data.first().copied().or(told.tos),
            #[cfg(bsd_telling)]
            (libc::IPPROTO_IP, libc::IP_RECVTTL) => told.ttl = message.data.first().copied().or(told.ttl),
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => told.tos = byte(&message).or(told.tos),
            (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => told.ttl = byte(&message).or(told.ttl),
            #[cfg(pktinfo)]
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => told.to = destination_v4(message.data).or(told.to),
            #[cfg(recvdstaddr)]
            (libc::IPPROTO_IP, libc::IP_RECVDSTADDR) => {
                let address = message.data.first_chunk().map(|bytes| Ipv4Addr::from(*bytes));
                told.to = address.map(|ip| Destination { address: ip.into(), interface: 0, local: ip });
            }
            // Behind the address it belongs to: ip_savecontrol(), sys/netinet/ip_input.c.
            #[cfg(recvdstaddr)]
            (libc::IPPROTO_IP, libc::IP_RECVIF) => {
                if let Some(to) = &mut told.to {
                    to.interface = interface_of(message.data);
                }
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => told.to = destination_v6(message.data).or(told.to),
            _ => {}
        }
    }
    told
}

fn byte(message: &cmsg::Message<'_>) -> Option<u8> {
    u8::try_from(message.int()?).ok()
}

/// A `struct timespec`, in nanoseconds.
#[cfg(linux_sockets)]
fn stamp(data: &[u8]) -> Option<u64> {
    let bytes = data.first_chunk::<{ size_of::<libc::timespec>() }>()?;
    // SAFETY: as long as a timespec, which is plain integers; the read needs no alignment.
    let time = unsafe { bytes.as_ptr().cast::<libc::timespec>().read_unaligned() };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(u64::try_from(time.tv_nsec).ok()?)
}

/// A `struct timeval`, in nanoseconds.
#[cfg(bsd_telling)]
fn stamp(data: &[u8]) -> Option<u64> {
    let bytes = data.first_chunk::<{ size_of::<libc::timeval>() }>()?;
    // SAFETY: as long as a timeval, which is plain integers; the read needs no alignment.
    let time = unsafe { bytes.as_ptr().cast::<libc::timeval>().read_unaligned() };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let microseconds = u64::try_from(time.tv_usec).ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(microseconds)?.checked_mul(1000)
}

/// The index in a `struct sockaddr_dl` (length, family, index, …), of which the kernel gives no more than it needs.
#[cfg(recvdstaddr)]
fn interface_of(name: &[u8]) -> u32 {
    name.get(2..4).map_or(0, |index| u16::from_ne_bytes([index[0], index[1]]).into())
}

#[cfg(pktinfo)]
#[allow(clippy::unnecessary_cast)] // c_int on Linux
fn destination_v4(data: &[u8]) -> Option<Destination> {
    let bytes = data.first_chunk::<{ size_of::<libc::in_pktinfo>() }>()?;
    // SAFETY: as long as an in_pktinfo, which is plain integers; the read needs no alignment.
    let info = unsafe { bytes.as_ptr().cast::<libc::in_pktinfo>().read_unaligned() };
    let ip = |address: libc::in_addr| Ipv4Addr::from_bits(u32::from_be(address.s_addr));
    Some(Destination {
        address: ip(info.ipi_addr).into(),
        interface: info.ipi_ifindex as u32,
        local: ip(info.ipi_spec_dst),
    })
}

#[allow(clippy::unnecessary_cast)] // c_int on Android
fn destination_v6(data: &[u8]) -> Option<Destination> {
    let bytes = data.first_chunk::<{ size_of::<libc::in6_pktinfo>() }>()?;
    // SAFETY: as above.
    let info = unsafe { bytes.as_ptr().cast::<libc::in6_pktinfo>().read_unaligned() };
    let address = Ipv6Addr::from(info.ipi6_addr.s6_addr);
    let local = address.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED);
    Some(Destination { address: address.into(), interface: info.ipi6_ifindex as u32, local })
}

/// Has the kernel tell where each datagram was sent to; `false` where it cannot.
pub fn set_destinations(fd: RawFd, v6: bool) -> bool {
    #[cfg(unix)]
    if v6 {
        // For mapped peers, too.
        return set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1).is_ok();
    }
    #[cfg(pktinfo)]
    return set_int(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1).is_ok();
    #[cfg(recvdstaddr)]
    return set_int(fd, libc::IPPROTO_IP, libc::IP_RECVDSTADDR, 1)
        .and_then(|()| set_int(fd, libc::IPPROTO_IP, libc::IP_RECVIF, 1))
        .is_ok();
    #[cfg(not(any(pktinfo, recvdstaddr)))]
    {
        let _ = (fd, v6);
        false
    }
}

/// Adds where a message is to be sent from: an address of ours and an interface, either of which may be left to the
/// kernel (unspecified, 0).
pub fn push_source(writer: &mut cmsg::Writer<'_>, address: IpAddr, interface: u32, v6: bool) {
    let _ = interface;
    match address {
        #[cfg(pktinfo)]
        IpAddr::V4(ip) if !v6 => {
            let info = libc::in_pktinfo {
                ipi_ifindex: interface as _,
                ipi_spec_dst: libc::in_addr { s_addr: ip.to_bits().to_be() },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            // SAFETY: in_pktinfo is three words without padding.
            let bytes: [u8; size_of::<libc::in_pktinfo>()] = unsafe { mem::transmute(info) };
            writer.push(libc::IPPROTO_IP, libc::IP_PKTINFO, &bytes);
        }
        #[cfg(recvdstaddr)]
        IpAddr::V4(ip) if !v6 => writer.push(libc::IPPROTO_IP, libc::IP_SENDSRCADDR, &ip.octets()),
        IpAddr::V4(ip) if v6 => {
            push_source(writer, ip.to_ipv6_mapped().into(), interface, v6);
        }
        IpAddr::V6(ip) if v6 => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr { s6_addr: ip.octets() },
                ipi6_ifindex: interface as _,
            };
            // SAFETY: in6_pktinfo is sixteen bytes and a word, without padding.
            let bytes: [u8; size_of::<libc::in6_pktinfo>()] = unsafe { mem::transmute(info) };
            writer.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &bytes);
        }
        _ => {}
    }
}

/// Whether the kernel takes UDP_SEGMENT.
pub fn gso(fd: RawFd) -> bool {
    #[cfg(linux_sockets)]
    return get_int(fd, libc::SOL_UDP, UDP_SEGMENT).is_ok();
    #[cfg(not(linux_sockets))]
    return {
        let _ = fd;
        false
    };
}

/// Messages that the kernel dropped at this socket since it was made, modulo 2³².
///
/// SO_MEMINFO, socket(7) since Linux 4.12: nine u32, of which SK_MEMINFO_DROPS is the last
/// (include/uapi/linux/sock_diag.h). It is right at once, where SO_RXQ_OVFL comes only with a later datagram.
pub fn drops(fd: RawFd) -> Option<u32> {
    #[cfg(linux_sockets)]
    {
        const SK_MEMINFO_DROPS: usize = 8;
        let mut values = [0u32; SK_MEMINFO_DROPS + 1];
        let mut length = size_of_val(&values) as socklen_t;
        // SAFETY: `length` bytes at `values` are ours to write.
        let told = unsafe {
            syscall!(getsockopt(
                fd,
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                values.as_mut_ptr().cast(),
                &raw mut length
            ))
        };
        let complete = told.is_ok() && length as usize == size_of_val(&values);
        complete.then_some(values[SK_MEMINFO_DROPS])
    }
    #[cfg(not(linux_sockets))]
    {
        let _ = fd;
        None
    }
}

/// Asks for a receive buffer of this many bytes: SO_RCVBUF, and where that is clamped (net.core.rmem_max) SO_RCVBUFFORCE,
/// for which Linux wants CAP_NET_ADMIN, socket(7).
pub fn set_recv_buffer(fd: RawFd, bytes: usize) -> Result<(), Errno> {
    let asked = c_int::try_from(bytes).unwrap_or(c_int::MAX);
    set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, asked)?;
    #[cfg(linux_sockets)]
    if clamped_recv_buffer(fd, bytes).is_some() {
        // Not allowed is no failure: it has what it may have.
        let _ = set_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, asked);
    }
    Ok(())
}

/// Bytes of the receive buffer, where they are fewer than were asked for. Linux doubles what it grants, for bookkeeping:
/// this is before that.
pub fn clamped_recv_buffer(fd: RawFd, asked: usize) -> Option<usize> {
    #[cfg(linux_sockets)]
    {
        // Half of INT_MAX is the most there is, `__sock_set_rcvbuf`, net/core/sock.c.
        let asked = asked.min(c_int::MAX as usize / 2);
        let granted = get_int(fd, libc::SOL_SOCKET, libc::SO_RCVBUF).ok()? as usize / 2;
        (granted < asked).then_some(granted)
    }
    #[cfg(not(linux_sockets))]
    {
        let _ = (fd, asked);
        None
    }
}

/// What MCAST_JOIN_SOURCE_GROUP and MCAST_LEAVE_SOURCE_GROUP take (RFC 3678, 5.1.2.1).
#[cfg_attr(target_vendor = "apple", repr(C, packed(4)))] // <netinet/in.h>
#[cfg_attr(not(target_vendor = "apple"), repr(C))]
struct GroupSourceReq {
    interface: u32,
    group: libc::sockaddr_storage,
    source: libc::sockaddr_storage,
}

/// Joins what one IPv6 source sends to a group, or leaves it; 0 is the system's choice of an interface.
pub fn source_group(
    fd: RawFd,
    join: bool,
    source: SocketAddrV6,
    group: SocketAddrV6,
    interface: u32,
) -> Result<(), Errno> {
    // <linux/in.h>, ws2ipdef.h, and <netinet/in.h> of the BSDs.
    const JOIN: c_int = if cfg!(linux_sockets) {
        46
    } else if cfg!(windows) {
        45
    } else {
        82
    };
    const LEAVE: c_int = JOIN + 1;
    let storage = |name: SocketAddrV6| {
        // SAFETY: SockAddr's storage is as large as any address, and initialised.
        unsafe { *socket2::SockAddr::from(name).as_ptr().cast::<libc::sockaddr_storage>() }
    };
    let request = GroupSourceReq { interface, group: storage(group), source: storage(source) };
    let length = size_of_val(&request) as socklen_t;
    let name = if join { JOIN } else { LEAVE };
    // SAFETY: `length` bytes at `request` are readable.
    unsafe { syscall!(setsockopt(fd, libc::IPPROTO_IPV6, name, (&raw const request).cast(), length)) }?;
    Ok(())
}

/// Reads an option that is a C `int`, getsockopt(2).
pub fn get_int(fd: RawFd, level: c_int, name: c_int) -> Result<c_int, Errno> {
    let mut value: c_int = 0;
    let mut length = size_of::<c_int>() as socklen_t;
    // SAFETY: `length` bytes at `value` are ours to write.
    unsafe { syscall!(getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length)) }?;
    Ok(value)
}

/// Sets an option that is a C `int`, setsockopt(2).
pub fn set_int(fd: RawFd, level: c_int, name: c_int, value: c_int) -> Result<(), Errno> {
    let length = size_of::<c_int>() as socklen_t;
    // SAFETY: `length` bytes at `value` are readable.
    unsafe { syscall!(setsockopt(fd, level, name, (&raw const value).cast::<c_void>(), length)) }?;
    Ok(())
}
