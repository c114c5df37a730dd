//! `IP_PKTINFO` of ip(7) on a message that is sent: which of this machine's addresses it comes from.

use std::net::Ipv4Addr;

// SAFETY: CMSG_SPACE is arithmetic on its argument.
const SPACE: usize = unsafe { libc::CMSG_SPACE(size_of::<libc::in_pktinfo>() as u32) as usize };

/// The control message that has a message sent from `source`.
#[repr(C, align(8))]
#[derive(Clone)]
pub struct SourceControl([u8; SPACE]);

impl SourceControl {
    /// Encodes the address.
    pub fn new(source: Ipv4Addr) -> Self {
        let mut room = Self([0; SPACE]);
        let header = room.0.as_mut_ptr().cast::<libc::cmsghdr>();
        let info = libc::in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: libc::in_addr { s_addr: source.to_bits().to_be() },
            ipi_addr: libc::in_addr { s_addr: 0 },
        };
        // SAFETY: the room is aligned to 8 and SPACE bytes long, which is the header and an in_pktinfo after it.
        // CMSG_DATA is the address behind the header, within the room; the write needs no alignment.
        unsafe {
            (*header).cmsg_level = libc::IPPROTO_IP;
            (*header).cmsg_type = libc::IP_PKTINFO;
            (*header).cmsg_len = libc::CMSG_LEN(size_of_val(&info) as u32) as _;
            libc::CMSG_DATA(header).cast::<libc::in_pktinfo>().write_unaligned(info);
        }
        room
    }

    /// What goes to `msg_control`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

const _: () = assert!(align_of::<SourceControl>() >= align_of::<libc::cmsghdr>());
