//! Control messages, cmsg(3): what the kernel tells beside a datagram.
//!
//! The iterator reads plain bytes and checks every length itself. The macros of <sys/socket.h> trust `cmsg_len`, and
//! this module is also run over bytes that no kernel wrote.

use std::{mem, ptr};

use crate::sys::libc::{self, c_int, cmsghdr};

/// Room for the control messages of one datagram, in bytes.
///
/// On a dual-stack IPv6 socket everything the kernel can say of a UDP datagram at once (time stamp, both families'
/// packet information, hop limit, traffic class and original destination, drop counter, GRO size) is under 300 bytes.
/// Five cache lines rather than a power of two: with a stride of 512 all the rooms would share few cache sets.
pub const ROOM: usize = 320;

/// One message's control room, aligned as `cmsghdr` must be.
#[repr(C, align(8))]
#[derive(Clone)]
pub struct Room(pub [u8; ROOM]);

/// One control message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The protocol it belongs to, `SOL_UDP` for one.
    pub level: c_int,
    /// Its type within that protocol, `UDP_GRO` for one.
    pub kind: c_int,
    /// What follows the header, without padding.
    pub data: &'a [u8],
}

impl Message<'_> {
    /// The payload as a C `int`, `None` where it is shorter than one.
    pub fn int(&self) -> Option<c_int> {
        let bytes = self.data.first_chunk::<{ size_of::<c_int>() }>()?;
        Some(c_int::from_ne_bytes(*bytes))
    }
}

/// The control messages in `control`, which is cut to `msg_controllen` by the caller.
pub fn messages(control: &[u8]) -> Messages<'_> {
    Messages { rest: control }
}

/// Iterator over control messages; ends at the first header that does not fit.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let bytes = self.rest.get(..size_of::<cmsghdr>())?;
        // SAFETY: `bytes` is as long as a cmsghdr, whose fields are integers; the read needs no alignment.
        let header = unsafe { ptr::read_unaligned(bytes.as_ptr().cast::<cmsghdr>()) };
        let length = header.cmsg_len as usize; // size_t on Linux, socklen_t elsewhere
        let data = self.rest.get(header_size()..length)?;
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Message { level: header.cmsg_level, kind: header.cmsg_type, data })
    }
}

/// Where a message's data begins: `CMSG_LEN(0)`.
fn header_size() -> usize {
    // SAFETY: CMSG_LEN is arithmetic on its argument.
    unsafe { libc::CMSG_LEN(0) as usize }
}

/// `CMSG_ALIGN`, which libc does not export: the distance between the space of one byte and of none.
fn align(length: usize) -> usize {
    // SAFETY: CMSG_SPACE is arithmetic on its argument.
    let unit = unsafe { libc::CMSG_SPACE(1) - libc::CMSG_SPACE(0) } as usize;
    length.saturating_add(unit - 1) & !(unit - 1)
}

const _: () = assert!(mem::align_of::<Room>() >= mem::align_of::<cmsghdr>());

/// Writes control messages one after the other into `room`; the bytes written are what goes to `msg_control`.
pub struct Writer<'a> {
    room: &'a mut [u8],
    end: usize,
}

impl<'a> Writer<'a> {
    /// Begins with nothing.
    pub fn new(room: &'a mut [u8]) -> Writer<'a> {
        Writer { room, end: 0 }
    }

    /// Adds a message, and nothing where there is no room for it.
    pub fn push(&mut self, level: c_int, kind: c_int, data: &[u8]) {
        let length = header_size() + data.len();
        let Some(space) = self.room.get_mut(self.end..self.end + align(length)) else { return };
        space.fill(0);
        // SAFETY: zero is a value for each of cmsghdr's integers (musl has padding among them).
        let mut header: cmsghdr = unsafe { mem::zeroed() };
        header.cmsg_len = length as _;
        header.cmsg_level = level;
        header.cmsg_type = kind;
        // SAFETY: `space` is longer than a cmsghdr; the write needs no alignment.
        unsafe { ptr::write_unaligned(space.as_mut_ptr().cast(), header) };
        space[header_size()..length].copy_from_slice(data);
        self.end += align(length);
    }

    /// Bytes written.
    pub fn len(&self) -> usize {
        self.end
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.end == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Encodes as the kernel's put_cmsg() does (net/core/scm.c).
    #[test]
    fn what_is_written_is_read_back_and_what_has_no_room_is_left_out() {
        let mut room = [0xff; 64];
        let mut writer = Writer::new(&mut room);
        assert!(writer.is_empty());
        for (kind, data) in [(1, &[1, 2][..]), (2, &[3; 20]), (3, &[4])] {
            writer.push(17, kind, data);
        }
        let length = writer.len();
        let expected = [(17, 1, vec![1, 2]), (17, 2, vec![3; 20])];
        assert_eq!(room[..length], encode(&expected));
    }

    fn encode(list: &[(c_int, c_int, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (level, kind, data) in list {
            // SAFETY: zero is a valid value for each of cmsghdr's integers.
            let mut header: cmsghdr = unsafe { mem::zeroed() };
            header.cmsg_len = (header_size() + data.len()) as _;
            header.cmsg_level = *level;
            header.cmsg_type = *kind;
            let start = out.len();
            // SAFETY: cmsghdr has no padding on the targets tested (its size is the sum of its fields).
            out.extend_from_slice(unsafe {
                mem::transmute::<&cmsghdr, &[u8; size_of::<cmsghdr>()]>(&header)
            });
            out.resize(start + header_size(), 0);
            out.extend_from_slice(data);
            out.resize(start + align(header_size() + data.len()), 0);
        }
        out
    }

    proptest! {
        #[test]
        fn reads_back_what_was_encoded(
            list in prop::collection::vec((any::<c_int>(), any::<c_int>(), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
        ) {
            let control = encode(&list);
            let read: Vec<_> = messages(&control).map(|m| (m.level, m.kind, m.data.to_vec())).collect();
            prop_assert_eq!(read, list);
        }

        #[test]
        fn ends_on_any_bytes_and_stays_inside(control in prop::collection::vec(any::<u8>(), 0..400)) {
            let inside = control.as_ptr_range();
            let mut count = 0;
            for message in messages(&control) {
                let data = message.data.as_ptr_range();
                prop_assert!(inside.start <= data.start && data.end <= inside.end);
                count += 1;
            }
            prop_assert!(count <= control.len() / header_size());
        }

        #[test]
        fn ends_on_a_truncated_message(cut in 0usize..64) {
            let control = encode(&[(1, 2, vec![7; 8]), (3, 4, vec![9; 16])]);
            let cut = cut.min(control.len());
            let read = messages(&control[..cut]).count();
            let first = align(header_size() + 8);
            prop_assert_eq!(read, usize::from(cut >= header_size() + 8) + usize::from(cut >= first + header_size() + 16));
        }
    }

    #[test]
    fn a_length_shorter_than_its_header_ends_the_list() {
        let mut control = encode(&[(1, 2, vec![]), (1, 2, vec![])]);
        control[..size_of::<usize>()].fill(0);
        assert_eq!(messages(&control).count(), 0);
        control[..size_of::<usize>()].fill(0xff);
        assert_eq!(messages(&control).count(), 0);
    }

    #[test]
    fn an_int_needs_all_its_bytes() {
        assert_eq!(Message { level: 0, kind: 0, data: &[1, 0] }.int(), None);
        assert_eq!(Message { level: 0, kind: 0, data: &(-5i32).to_ne_bytes() }.int(), Some(-5));
    }
}
