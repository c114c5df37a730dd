//! The message headers of one socket, allocated once and used for every call.
//!
//! ```text
//!  headers   mmsghdr 0      mmsghdr 1      …      one per slot: what recvmmsg(2) takes and fills
//!             │  │  └────────────────┐
//!  names      │  └─ sockaddr_storage │ …          who sent it
//!  iovecs     └──── iovec            │ …          where its bytes go: slot 0 of JavaScript's memory, slot 1, …
//!  controls                          └─ Room …    what the kernel says beside it, where it was asked to: here, or by another holder of the socket
//! ```
//!
//! Names, iovecs and controls are linked to their header when the arena grows. Three fields are in-out in recvmsg(2)
//! (`msg_namelen`, `msg_controllen`, `msg_flags`) and set anew before each call, in the headers that the call before may
//! have written to. The memory that the iovecs point to is JavaScript's, looked up for each call, and nothing reads them
//! once the call is over: they are written where the memory is another than the last call's. Most calls find little, and
//! to write to all 64 headers of a batch for one datagram costs as much as the rest of the work.

use std::mem;
use std::net::SocketAddr;

use crate::cmsg::{self, Room};
use crate::sockaddr;
use crate::sys::libc::{self, iovec, sockaddr_storage};
use crate::sys::{MMsgHdr, unix};

/// Memory to receive into: `count` slots of `size` bytes each, one message a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slots {
    base: *mut u8,
    size: usize,
    count: usize,
}

impl Slots {
    /// Cuts the `length` bytes at `base` into slots of `size` bytes; a rest shorter than a slot is left out.
    ///
    /// # Safety
    /// The bytes stay valid for writes until the last receive with these slots has returned.
    pub unsafe fn new(base: *mut u8, length: usize, size: usize) -> Slots {
        Slots { base, size, count: length.checked_div(size).unwrap_or(0) }
    }

    /// How many messages fit.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes of one slot.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// One received message, as the kernel described it.
#[derive(Debug)]
pub struct Message<'a> {
    /// `msg_len`: bytes received, beyond the slot's size where `MSG_TRUNC` was asked for.
    pub length: usize,
    /// `msg_flags`: `MSG_TRUNC`, `MSG_CTRUNC`.
    pub flags: libc::c_int,
    /// The sender, `None` where the kernel named none.
    pub from: Option<SocketAddr>,
    /// What the kernel says beside it.
    pub control: cmsg::Messages<'a>,
}

/// See the module's documentation.
#[derive(Default)]
pub struct Arena {
    headers: Vec<MMsgHdr>,
    iovecs: Vec<iovec>,
    names: Vec<sockaddr_storage>,
    controls: Vec<Room>,
    /// The slots that the first `aimed` iovecs point to.
    slots: Option<Slots>,
    aimed: usize,
    /// How many headers, from the first, may have been written to since they were set.
    used: usize,
}

impl Arena {
    /// The headers for one call that receives into the first `vlen` of `slots`. [`Arena::used`] is to follow.
    pub fn prepare(&mut self, slots: Slots, vlen: usize) -> &mut [MMsgHdr] {
        let vlen = vlen.min(slots.count);
        if vlen > self.headers.len() {
            self.grow(vlen);
        }
        if self.slots != Some(slots) {
            self.slots = Some(slots);
            self.aimed = 0;
        }
        for (index, iov) in self.iovecs.iter_mut().enumerate().take(vlen).skip(self.aimed) {
            // In bounds, as index < vlen <= slots.count; wrapping_add only because nothing is dereferenced here.
            iov.iov_base = slots.base.wrapping_add(index * slots.size).cast();
            iov.iov_len = slots.size;
        }
        self.aimed = self.aimed.max(vlen);
        for header in self.headers.iter_mut().take(self.used) {
            header.msg_hdr.msg_namelen = size_of::<sockaddr_storage>() as _;
            header.msg_hdr.msg_controllen = size_of::<Room>() as _;
            header.msg_hdr.msg_flags = 0;
        }
        // Until the caller knows better.
        self.used = self.headers.len();
        &mut self.headers[..vlen]
    }

    /// The call that `prepare` was for has received `count` messages, and no other headers were written to.
    pub fn used(&mut self, count: usize) {
        self.used = count;
    }

    /// What the last call said of its message `index`, which must be one that it counted.
    #[inline]
    #[allow(clippy::unnecessary_cast)] // msg_controllen is size_t on Linux, socklen_t elsewhere
    pub fn message(&self, index: usize) -> Message<'_> {
        let MMsgHdr { msg_hdr, msg_len, .. } = &self.headers[index];
        let room = &self.controls[index].0;
        let control = &room[..(msg_hdr.msg_controllen as usize).min(room.len())];
        Message {
            length: *msg_len as usize,
            flags: msg_hdr.msg_flags,
            from: sockaddr::read(&self.names[index], msg_hdr.msg_namelen as usize),
            control: cmsg::messages(control),
        }
    }

    /// The name of the sender of message `index` on a Unix socket, see [`unix::read`].
    #[allow(clippy::unnecessary_cast)] // msg_controllen is size_t on Linux, socklen_t elsewhere
    pub fn unix_name(&self, index: usize) -> Option<&[u8]> {
        unix::read(&self.names[index], self.headers[index].msg_hdr.msg_namelen as usize)
    }

    /// Makes room for `vlen` messages and links the headers, all of them, as growing has moved their parts.
    fn grow(&mut self, vlen: usize) {
        // SAFETY: all of these are C structures of integers and pointers, for which zero is a value. mmsghdr is zeroed
        // whole because musl gives msghdr padding members that must be zero.
        let (header, iov, name) = unsafe { (mem::zeroed(), mem::zeroed(), mem::zeroed()) };
        self.headers.resize(vlen, header);
        self.iovecs.resize(vlen, iov);
        self.names.resize(vlen, name);
        self.controls.resize(vlen, Room([0; cmsg::ROOM]));
        let iovecs = self.iovecs.as_mut_ptr();
        let names = self.names.as_mut_ptr();
        let controls = self.controls.as_mut_ptr();
        for (index, header) in self.headers.iter_mut().enumerate() {
            header.msg_hdr.msg_iov = iovecs.wrapping_add(index);
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = names.wrapping_add(index).cast();
            header.msg_hdr.msg_control = controls.wrapping_add(index).cast();
        }
        self.aimed = 0;
        self.used = vlen;
    }
}

// SAFETY: the pointers inside lead to the arena's own vectors, or to slots that are written anew before each use.
unsafe impl Send for Arena {}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(memory: &mut [u8], size: usize) -> Slots {
        // SAFETY: the slice outlives each use below.
        unsafe { Slots::new(memory.as_mut_ptr(), memory.len(), size) }
    }

    #[test]
    fn a_rest_shorter_than_a_slot_is_left_out() {
        let mut memory = [0; 100];
        assert_eq!(slots(&mut memory, 30).count(), 3);
        assert_eq!(slots(&mut memory, 101).count(), 0);
        assert_eq!(slots(&mut memory, 0).count(), 0);
    }

    #[test]
    fn never_hands_out_more_headers_than_slots() {
        let mut memory = [0; 64];
        let mut arena = Arena::default();
        assert_eq!(arena.prepare(slots(&mut memory, 16), 100).len(), 4);
        assert_eq!(arena.prepare(slots(&mut memory, 16), 2).len(), 2);
        assert_eq!(arena.prepare(slots(&mut [], 16), 2).len(), 0);
    }

    #[test]
    #[allow(clippy::unnecessary_cast)] // msg_controllen is size_t on Linux, socklen_t elsewhere
    fn in_out_fields_are_set_before_every_call() {
        let mut memory = [0; 64];
        let mut arena = Arena::default();
        // What the kernel wrote to, as far as the caller can tell: all of them where the call failed.
        for told in [None, Some(4), Some(2), Some(0)] {
            for header in arena.prepare(slots(&mut memory, 16), 4).iter_mut().take(told.unwrap_or(4)) {
                header.msg_hdr.msg_namelen = 0;
                header.msg_hdr.msg_controllen = 0;
                header.msg_hdr.msg_flags = libc::MSG_TRUNC;
            }
            told.into_iter().for_each(|count| arena.used(count));
            // A call for fewer in between does not make the rest forgotten.
            arena.prepare(slots(&mut memory, 16), 1);
            arena.used(1);
            for header in arena.prepare(slots(&mut memory, 16), 4) {
                assert_eq!(header.msg_hdr.msg_namelen as usize, size_of::<sockaddr_storage>());
                assert_eq!(header.msg_hdr.msg_controllen as usize, cmsg::ROOM);
                assert_eq!(header.msg_hdr.msg_flags, 0);
            }
        }
    }

    #[test]
    fn iovecs_follow_the_memory() {
        let (mut memory, mut other) = ([0; 64], [0; 64]);
        let mut arena = Arena::default();
        let cases = [
            (slots(&mut memory, 16), 2),
            (slots(&mut memory, 16), 4),
            (slots(&mut other, 16), 1),
            (slots(&mut other, 16), 3),
            (slots(&mut memory, 16), 4),
            (slots(&mut memory, 8), 8),
            (slots(&mut memory[..32], 8), 4),
        ];
        for (slots, vlen) in cases {
            assert_eq!(arena.prepare(slots, vlen).len(), vlen);
            for index in 0..vlen {
                let iov = arena.iovecs[index];
                assert_eq!(iov.iov_base, slots.base.wrapping_add(index * slots.size).cast());
                assert_eq!(iov.iov_len, slots.size);
            }
        }
    }

    #[test]
    fn headers_lead_to_their_own_parts_after_growing() {
        let mut memory = [0; 64];
        let mut arena = Arena::default();
        arena.prepare(slots(&mut memory, 16), 1);
        let base = memory.as_mut_ptr();
        arena.prepare(slots(&mut memory, 16), 4);
        for index in 0..4 {
            let header = &arena.headers[index].msg_hdr;
            assert_eq!(header.msg_iov.cast_const(), &raw const arena.iovecs[index]);
            assert_eq!(header.msg_name.cast_const(), (&raw const arena.names[index]).cast());
            assert_eq!(header.msg_control.cast_const(), (&raw const arena.controls[index]).cast());
            assert_eq!(arena.iovecs[index].iov_base, base.wrapping_add(16 * index).cast());
        }
    }
}
