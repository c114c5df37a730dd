//! What is in a datagram, so that a receiver can tell which one it got and whether it is whole.

/// The lengths of the datagrams: every `segments`-th has `last` bytes, the others `size`.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of a datagram.
    pub size: usize,
    /// Datagrams of a message.
    pub segments: usize,
    /// Bytes of the last datagram of a message.
    pub last: usize,
}

/// Writes payloads: the sequence number, or the time, as a little-endian u64, then `(sequence + index) & 0xff` at each
/// index.
pub struct Payload {
    shape: Shape,
    stamp: bool,
    /// 0, 1, … 255, 0, 1, …: a tail is a copy from here, which is far quicker than a sum for each byte.
    ramp: Vec<u8>,
}

impl Payload {
    /// Prepares for datagrams of this shape; with `stamp` they begin with the time.
    pub fn new(shape: Shape, stamp: bool) -> Self {
        Self { shape, stamp, ramp: (0..shape.size + 256).map(|index| index as u8).collect() }
    }

    /// The length of the datagram of this sequence number.
    fn length(&self, sequence: u64) -> usize {
        let Shape { size, segments, last } = self.shape;
        // Without a shorter end, which is the common case, there is nothing to divide.
        if last != size && sequence % segments as u64 == segments as u64 - 1 { last } else { size }
    }

    /// Writes `count` datagrams from `sequence` on to the front of `buffer`, without gaps; returns their bytes.
    pub fn write(&self, sequence: u64, count: usize, buffer: &mut [u8]) -> usize {
        // Once for all of them: they go in one message, that is at one time.
        let stamp = self.stamp.then(monotonic);
        let mut end = 0;
        for number in sequence..sequence + count as u64 {
            let length = self.length(number);
            let datagram = &mut buffer[end..end + length];
            let head = length.min(8);
            datagram[..head].copy_from_slice(&stamp.unwrap_or(number).to_le_bytes()[..head]);
            let offset = (number & 0xff) as usize;
            datagram[head..].copy_from_slice(&self.ramp[offset + head..offset + length]);
            end += length;
        }
        end
    }
}

/// CLOCK_MONOTONIC in nanoseconds, which other processes of this system can compare with theirs: clock_gettime(2).
fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a timespec to write to. The call fails for a clock that does not exist, and this one does.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_as_documented() {
        let payload = Payload::new(Shape { size: 300, segments: 1, last: 300 }, false);
        let mut buffer = [0; 300];
        for sequence in [0, 1, 255, 256, 0x0102_0304] {
            assert_eq!(payload.write(sequence, 1, &mut buffer), 300);
            assert_eq!(buffer[..8], sequence.to_le_bytes());
            for (index, byte) in buffer.iter().enumerate().skip(8) {
                assert_eq!(*byte, (sequence + index as u64) as u8);
            }
        }
    }

    #[test]
    fn short_datagrams_hold_what_fits_of_the_number() {
        let payload = Payload::new(Shape { size: 3, segments: 2, last: 1 }, false);
        let mut buffer = [0xee; 9];
        assert_eq!(payload.write(0x0a0b0c, 4, &mut buffer), 8);
        assert_eq!(buffer, [0x0c, 0x0b, 0x0a, 0x0d, 0x0e, 0x0b, 0x0a, 0x0f, 0xee]);
    }

    #[test]
    fn a_stamp_is_the_time_of_writing_in_each_datagram_of_the_message() {
        let payload = Payload::new(Shape { size: 9, segments: 2, last: 9 }, true);
        let mut buffer = [0; 18];
        let before = monotonic();
        assert_eq!(payload.write(7, 2, &mut buffer), 18);
        let stamp = u64::from_le_bytes(buffer[..8].try_into().unwrap());
        assert!((before..=monotonic()).contains(&stamp));
        assert_eq!(buffer[..8], buffer[9..17]);
        assert_eq!((buffer[8], buffer[17]), (15, 16));
    }
}
