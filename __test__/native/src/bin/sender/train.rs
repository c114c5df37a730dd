//! Messages made ready in one buffer, to go with one call.

use std::io;
use std::ops::Range;

use crate::payload::{Payload, Shape};
use crate::wire::Wire;

/// Messages of one call at most. The gain of sendmmsg(2) is nearly all there by then.
const MAX_MESSAGES: usize = 64;

/// Bytes of one call, about: what stays in a core's second-level cache between writing it and the kernel's copying it.
const MAX_BYTES: usize = 256 * 1024;

/// A row of prepared messages.
pub struct Train {
    payload: Payload,
    buffer: Vec<u8>,
    /// Where in `buffer` each message is.
    messages: Vec<Range<usize>>,
    wire: Wire,
    per_message: usize,
    capacity: usize,
}

impl Train {
    /// Room for as many messages of this shape as one call takes, or for one where each is to go from another socket.
    /// Without `gso` a message is a single datagram; with `stamp` each begins with the time; with `sources` each comes
    /// from the next of so many addresses.
    pub fn new(shape: Shape, stamp: bool, gso: bool, one_by_one: bool, sources: Option<u32>) -> Self {
        let per_message = if gso { shape.segments } else { 1 };
        let bytes = per_message * shape.size;
        let capacity = if one_by_one { 1 } else { (MAX_BYTES / bytes.max(1)).clamp(1, MAX_MESSAGES) };
        Self {
            payload: Payload::new(shape, stamp),
            buffer: vec![0; capacity * bytes],
            messages: Vec::with_capacity(capacity),
            wire: Wire::new(capacity, gso.then_some(shape.size as u16), sources),
            per_message,
            capacity,
        }
    }

    /// Datagrams of one message.
    pub fn per_message(&self) -> u64 {
        self.per_message as u64
    }

    /// Writes the messages for at most `datagrams` datagrams from `sequence` on, at least one message.
    pub fn load(&mut self, sequence: u64, datagrams: u64) {
        let count = (datagrams / self.per_message()).clamp(1, self.capacity as u64);
        self.messages.clear();
        let mut end = 0;
        for index in 0..count {
            let first = sequence + index * self.per_message();
            let length = self.payload.write(first, self.per_message, &mut self.buffer[end..]);
            self.messages.push(end..end + length);
            end += length;
        }
    }

    /// The messages that were loaded.
    pub fn messages(&self) -> &[Range<usize>] {
        &self.messages
    }

    /// Hands the messages from number `first` on to the kernel, which takes one or more of them or fails.
    pub fn send(&mut self, socket: &socket2::Socket, first: usize) -> io::Result<usize> {
        self.wire.send(socket, &self.buffer, &self.messages[first..])
    }
}
