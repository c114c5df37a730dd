//! `UDP_SEGMENT`, generic segmentation offload of udp(7): one message of many datagrams.

use std::io;
use std::os::fd::RawFd;

// SAFETY: CMSG_SPACE is arithmetic on its argument.
const SPACE: usize = unsafe { libc::CMSG_SPACE(size_of::<u16>() as u32) as usize };

/// The control message that cuts one message into datagrams of `size` bytes.
///
/// A control message and not setsockopt(2): the option would cut everything that anyone sends from the socket later.
#[repr(C, align(8))]
pub struct SegmentControl([u8; SPACE]);

impl SegmentControl {
    /// Encodes the segment size.
    pub fn new(size: u16) -> Self {
        let mut room = Self([0; SPACE]);
        let header = room.0.as_mut_ptr().cast::<libc::cmsghdr>();
        // SAFETY: the room is aligned to 8 and SPACE bytes long, which is the header and, padded, a u16 after it.
        // CMSG_DATA is the address behind the header, within the room and even.
        unsafe {
            (*header).cmsg_level = libc::SOL_UDP;
            (*header).cmsg_type = libc::UDP_SEGMENT;
            (*header).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as u32) as _;
            libc::CMSG_DATA(header).cast::<u16>().write(size);
        }
        room
    }

    /// What goes to `msg_control`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

const _: () = assert!(align_of::<SegmentControl>() >= align_of::<libc::cmsghdr>());

/// Asks the kernel whether it knows the option on this socket; the error is that of getsockopt(2).
///
/// A kernel before 4.18 skips the unknown control message and would send all the segments as one datagram.
pub fn probe(fd: RawFd) -> io::Result<()> {
    let mut value: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` and `length` are live locals, and `length` is the size of `value`.
    let result = unsafe {
        libc::getsockopt(fd, libc::SOL_UDP, libc::UDP_SEGMENT, (&raw mut value).cast(), &raw mut length)
    };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
