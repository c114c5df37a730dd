//! Control messages out of any bytes: the iterator stays inside them, ends, and reads back what the kernel would write.

#![no_main]
#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use std::mem::offset_of;

use libc::{c_int, cmsghdr};
use libfuzzer_sys::fuzz_target;
use recvmmsg::cmsg::{Message, messages};
use recvmmsg::sys::{error_queue, options, unix};

/// `CMSG_ALIGN`: to the size of a word.
const UNIT: usize = size_of::<usize>();
/// `CMSG_LEN(0)`.
const HEADER: usize = size_of::<cmsghdr>().next_multiple_of(UNIT);

fuzz_target!(|bytes: &[u8]| {
    let read = inside(bytes);

    // Whoever reads meaning into them takes anything.
    let _ = options::told(messages(bytes));
    let _ = error_queue::parse(bytes, None);
    for message in messages(bytes) {
        let _ = unix::rights(&message).count();
    }

    // Where the bytes begin in memory does not matter.
    let shifted = [&[0], bytes].concat();
    assert_eq!(inside(&shifted[1..]), read);

    // Written again as the kernel writes them they are the same, and a cut takes from the end only.
    let control = encode(&read);
    assert_eq!(inside(&control), read);
    for cut in 0..control.len() {
        let left = inside(&control[..cut]);
        assert!(left.len() < read.len() || cut + UNIT > control.len(), "all of it from {cut} bytes");
        assert_eq!(left, read[..left.len()]);
    }
});

/// The messages in `control`, each found to lie inside, in order, behind a header of its own.
fn inside(control: &[u8]) -> Vec<Message<'_>> {
    let mut end = control.as_ptr() as usize;
    let mut list = Vec::new();
    for message in messages(control) {
        let data = message.data.as_ptr_range();
        assert!(end + HEADER <= data.start as usize, "data begins before its header ends");
        assert!(data.end <= control.as_ptr_range().end, "data ends behind the control bytes");
        end = data.end as usize;
        let int = message.data.first_chunk().map(|bytes| c_int::from_ne_bytes(*bytes));
        assert_eq!(message.int(), int);
        list.push(message);
        assert!(list.len() <= control.len() / HEADER, "more messages than headers fit");
    }
    list
}

/// As put_cmsg() does, net/core/scm.c.
fn encode(list: &[Message]) -> Vec<u8> {
    let mut control = Vec::new();
    for Message { level, kind, data } in list {
        let start = control.len();
        control.resize(start + HEADER, 0);
        let mut put = |offset: usize, bytes: &[u8]| {
            control[start + offset..][..bytes.len()].copy_from_slice(bytes);
        };
        put(offset_of!(cmsghdr, cmsg_len), &(HEADER + data.len()).to_ne_bytes());
        put(offset_of!(cmsghdr, cmsg_level), &level.to_ne_bytes());
        put(offset_of!(cmsghdr, cmsg_type), &kind.to_ne_bytes());
        control.extend_from_slice(data);
        control.resize(control.len().next_multiple_of(UNIT), 0);
    }
    control
}
