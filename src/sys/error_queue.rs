//! The error queue, ip(7) under IP_RECVERR: what ICMP messages said of datagrams that this socket had sent.
//!
//! Linux. Each recvmsg(2) with MSG_ERRQUEUE takes one error, and the socket's pending error with it: the datagram that it
//! is about is its payload, where that was sent to its name, and a `sock_extended_err` (linux/errqueue.h) its control
//! message, with the address of whoever complains behind it.

use std::net::SocketAddr;

/// One ICMP or ICMPv6 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// What the kernel makes of it.
    pub errno: i32,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// The next hop's MTU, where the datagram was too big for it; 0 otherwise.
    pub mtu: u32,
    /// Who sent the message.
    pub offender: Option<SocketAddr>,
    /// Where the datagram was sent to.
    pub destination: Option<SocketAddr>,
}

#[cfg(linux_sockets)]
pub use linux::{parse, take};

/// There is none.
#[cfg(not(linux_sockets))]
pub fn take(_fd: super::fd::RawFd) -> Result<Option<IcmpError>, super::Errno> {
    Ok(None)
}

#[cfg(linux_sockets)]
mod linux {
    use std::mem;
    use std::net::SocketAddr;
    use std::os::fd::RawFd;

    use libc::{sock_extended_err, sockaddr_storage};

    use super::IcmpError;
    use crate::cmsg::{self, ROOM, Room};
    use crate::sockaddr;
    use crate::sys::{Errno, retry, syscall};

    /// Takes the next ICMP error from the queue, `None` where there is none. What is no ICMP message, the kernel's own word
    /// on a send for one, was the send's error already, and is passed over.
    pub fn take(fd: RawFd) -> Result<Option<IcmpError>, Errno> {
        loop {
            // SAFETY: zero is a value for each of these structures' integers and pointers.
            let (mut name, mut header): (sockaddr_storage, libc::msghdr) = unsafe { mem::zeroed() };
            let mut control = Room([0; ROOM]);
            header.msg_name = (&raw mut name).cast();
            header.msg_namelen = size_of_val(&name) as _;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = ROOM as _;
            let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
            // SAFETY: the name and the control room are writable for the lengths beside them; no payload is asked for.
            match retry(|| unsafe { syscall!(recvmsg(fd, &raw mut header, flags)) }) {
                Err(Errno(libc::EAGAIN)) => return Ok(None),
                result => result?,
            };
            #[allow(clippy::unnecessary_cast)] // socklen_t on musl
            let length = (header.msg_controllen as usize).min(ROOM);
            let destination = sockaddr::read(&name, header.msg_namelen as usize);
            if let Some(error) = parse(&control.0[..length], destination) {
                return Ok(Some(error));
            }
        }
    }

    /// The ICMP error that control messages tell, if they tell one.
    pub fn parse(control: &[u8], destination: Option<SocketAddr>) -> Option<IcmpError> {
        cmsg::messages(control).find_map(|message| {
            let ours = [(libc::IPPROTO_IP, libc::IP_RECVERR), (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)];
            if !ours.contains(&(message.level, message.kind)) {
                return None;
            }
            let (error, offender) = message.data.split_first_chunk::<{ size_of::<sock_extended_err>() }>()?;
            // SAFETY: as long as a sock_extended_err, which is plain integers; the read needs no alignment.
            let error = unsafe { error.as_ptr().cast::<sock_extended_err>().read_unaligned() };
            let icmp = [libc::SO_EE_ORIGIN_ICMP, libc::SO_EE_ORIGIN_ICMP6];
            icmp.contains(&error.ee_origin).then(|| IcmpError {
                errno: error.ee_errno.cast_signed(),
                kind: error.ee_type,
                code: error.ee_code,
                mtu: if error.ee_errno.cast_signed() == libc::EMSGSIZE { error.ee_info } else { 0 },
                offender: address(offender),
                destination,
            })
        })
    }

    fn address(bytes: &[u8]) -> Option<SocketAddr> {
        // SAFETY: zero is a value for each of sockaddr_storage's integers.
        let mut storage: sockaddr_storage = unsafe { mem::zeroed() };
        let length = bytes.len().min(size_of_val(&storage));
        // SAFETY: `length` bytes are readable there and writable here, and the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut storage).cast(), length) };
        sockaddr::read(&storage, length)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::cmsg::Writer;
        use proptest::prelude::*;

        fn extended(origin: u8, errno: i32, info: u32) -> Vec<u8> {
            let mut bytes = errno.to_ne_bytes().to_vec();
            bytes.extend([origin, 3, 4, 0]);
            bytes.extend(info.to_ne_bytes());
            bytes.extend([0; 4]);
            bytes
        }

        fn control(data: &[u8]) -> Vec<u8> {
            let mut room = vec![0; 256];
            let mut writer = Writer::new(&mut room);
            writer.push(libc::IPPROTO_IP, libc::IP_RECVERR, data);
            let length = writer.len();
            room.truncate(length);
            room
        }

        #[test]
        fn reads_what_an_icmp_message_said() {
            let mut data = extended(libc::SO_EE_ORIGIN_ICMP, libc::EMSGSIZE, 1400);
            let offender = socket2::SockAddr::from("192.0.2.9:0".parse::<SocketAddr>().unwrap());
            // SAFETY: an initialised name of the length beside it.
            data.extend(unsafe {
                std::slice::from_raw_parts(offender.as_ptr().cast::<u8>(), offender.len() as usize)
            });
            let destination = "192.0.2.1:7".parse().ok();
            let expected = IcmpError {
                errno: libc::EMSGSIZE,
                kind: 3,
                code: 4,
                mtu: 1400,
                offender: "192.0.2.9:0".parse().ok(),
                destination,
            };
            assert_eq!(parse(&control(&data), destination), Some(expected));
        }

        #[test]
        fn what_is_no_icmp_message_is_none() {
            let local = extended(libc::SO_EE_ORIGIN_LOCAL, libc::EMSGSIZE, 1400);
            assert_eq!(parse(&control(&local), None), None);
            for length in 0..16 {
                let icmp = extended(libc::SO_EE_ORIGIN_ICMP, libc::ECONNREFUSED, 0);
                assert_eq!(parse(&control(&icmp[..length]), None), None);
            }
            assert_eq!(parse(&[], None), None);
        }

        proptest! {
            #[test]
            fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
                let _ = parse(&bytes, None);
                let _ = parse(&control(&bytes[..bytes.len().min(200)]), None);
            }
        }
    }
}
