//! The table that describes a batch to JavaScript: native code writes it, `lib/layout.ts` reads it.
//!
//! ```text
//!  u32 words   ┌ HEADER ──┬ messages: capacity × MESSAGE ───────────┬ datagrams: the rest × DATAGRAM ─────────┐
//!              │ counts   │ cold: sender of slot 0, of slot 1, …    │ hot: datagram 0, datagram 1, …          │
//!              └──────────┴─────────────────────────────────────────┴─────────────────────────────────────────┘
//! ```
//!
//! A slot receives one message. With UDP_GRO a message holds up to 128 datagrams, which the kernel coalesced and which
//! are told apart here; so a table for such slots has room for capacity × 128 datagrams. The room is the table's
//! length and nothing else: what a message claims beyond it is counted, never written.

use std::net::SocketAddr;

/// Words before the first message: how many datagrams and messages the fill gave, whether more may be waiting, and one
/// that is 0, so that rows begin where a load of 16 bytes crosses no cache line.
pub const HEADER: usize = 4;
/// Words of one message: family (0, 4, 6), port, scope id, flow information, four of address, its length as told.
pub const MESSAGE: usize = SOCKADDR + 1;
/// Words of a socket address.
pub const SOCKADDR: usize = 8;
/// Words of one datagram: offset in the batch's bytes, size, message index, and the sender's port above the flags.
///
/// The port is here as well as in the message, so that the size and the port of a datagram are one row's.
pub const DATAGRAM: usize = 4;
/// Bits below the port.
pub const PORT_SHIFT: u32 = 16;
/// Datagram flag: it was longer than its slot, the rest is lost.
pub const TRUNCATED: u32 = 1;
/// The most datagrams in one message: UDP_MAX_SEGMENTS, include/linux/udp.h.
pub const MAX_SEGMENTS: usize = 128;

/// What arrived with one message.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// Bytes as told by the kernel; beyond the slot's size when `MSG_TRUNC` was asked for.
    pub length: usize,
    /// The kernel says that the datagram was longer than the slot.
    pub truncated: bool,
    /// The sender, where there was one to tell.
    pub from: Option<SocketAddr>,
    /// Size of the datagrams of which the message was coalesced, as UDP_GRO told it: any int at all.
    pub segment: Option<i32>,
}

/// What one fill added up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams written.
    pub datagrams: u64,
    /// Bytes of these datagrams.
    pub bytes: u64,
    /// Messages they came in.
    pub messages: u64,
    /// Datagrams of these that lost their end.
    pub truncated: u64,
    /// Datagrams that arrived and found no room in the table.
    pub overflow: u64,
}

/// A table being filled.
pub struct Table<'a> {
    header: &'a mut [u32],
    messages: &'a mut [[u32; MESSAGE]],
    records: &'a mut [[u32; DATAGRAM]],
    slot_size: usize,
    tally: Tally,
}

impl<'a> Table<'a> {
    /// A view of `words` as the table of a batch with `capacity` slots of `slot_size` bytes.
    ///
    /// `None` where the words are too few for the header, every message and one datagram a message.
    pub fn new(words: &'a mut [u32], capacity: usize, slot_size: usize) -> Option<Table<'a>> {
        let messages_end = capacity.checked_mul(MESSAGE)?;
        let (header, rest) = words.split_at_mut_checked(HEADER)?;
        let (messages, records) = rest.split_at_mut_checked(messages_end)?;
        let (messages, _) = messages.as_chunks_mut();
        let (records, _) = records.as_chunks_mut();
        if records.len() < capacity || capacity == 0 {
            return None;
        }
        // Every offset fits a word.
        u32::try_from(capacity.checked_mul(slot_size)?).ok()?;
        header.fill(0);
        Some(Table { header, messages, records, slot_size, tally: Tally::default() })
    }

    /// Describes the message received into slot `index`: its sender once, and each of its datagrams.
    #[inline]
    pub fn push(&mut self, index: usize, arrived: &Arrived) {
        let Some(message) = self.messages.get_mut(index) else { return };
        let [name @ .., told] = message;
        *name = address_words(arrived.from);
        *told = arrived.length as u32;

        // Whatever the kernel says, the slot holds no more than its size.
        let length = arrived.length.min(self.slot_size);
        let truncated = arrived.truncated || arrived.length > self.slot_size;
        let (segment, count) = match arrived.segment.map(usize::try_from) {
            Some(Ok(segment @ 1..)) if segment < length => (segment, length.div_ceil(segment)),
            _ => (length, 1), // not coalesced; and an empty datagram is a datagram
        };
        let rest = &mut self.records[self.tally.datagrams as usize..];
        let room = rest.len().min(count);
        let base = index * self.slot_size;
        let port = name[1] << PORT_SHIFT;

        let mut offset = 0;
        for record in &mut rest[..room] {
            *record = [(base + offset) as u32, segment as u32, index as u32, port];
            offset += segment;
        }
        // Only the end of a message is shorter, and only it can be cut off.
        if room == count {
            let [.., size, _, flags] = &mut rest[count - 1];
            *size = (length - (count - 1) * segment) as u32;
            *flags |= if truncated { TRUNCATED } else { 0 };
        }
        self.tally.datagrams += room as u64;
        self.tally.bytes += offset.min(length) as u64;
        self.tally.messages += 1;
        self.tally.truncated += u64::from(truncated && room == count);
        self.tally.overflow += (count - room) as u64;
    }

    /// Writes the header and gives the counts. `more`: the next receive may find something without waiting.
    pub fn finish(self, more: bool) -> Tally {
        self.header[2] = u32::from(more);
        self.header[0] = self.tally.datagrams as u32;
        self.header[1] = self.tally.messages as u32;
        self.tally
    }
}

/// Family, port, scope id, flow information and the address's bytes, as JavaScript reads them.
#[inline]
pub fn address_words(address: Option<SocketAddr>) -> [u32; SOCKADDR] {
    match address {
        None => [0; SOCKADDR],
        Some(SocketAddr::V4(v4)) => [4, v4.port().into(), 0, 0, v4.ip().to_bits(), 0, 0, 0],
        Some(SocketAddr::V6(v6)) => {
            let bits = v6.ip().to_bits();
            let word = |nth: u32| (bits >> (96 - 32 * nth)) as u32;
            [6, v6.port().into(), v6.scope_id(), v6.flowinfo(), word(0), word(1), word(2), word(3)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GUARD: u32 = 0xdead_beef;
    /// That of `arrived`, in a datagram's last word.
    const PORT: u32 = 7 << PORT_SHIFT;

    fn table_words(capacity: usize, datagrams: usize) -> Vec<u32> {
        vec![GUARD; HEADER + capacity * MESSAGE + datagrams * DATAGRAM]
    }

    fn arrived(length: usize, segment: Option<i32>) -> Arrived {
        Arrived { length, truncated: false, from: "192.0.2.1:7".parse().ok(), segment }
    }

    fn records(words: &[u32], capacity: usize) -> Vec<[u32; 4]> {
        let count = words[0] as usize;
        let hot = &words[HEADER + capacity * MESSAGE..];
        hot.chunks_exact(DATAGRAM).take(count).map(|r| r.try_into().unwrap()).collect()
    }

    #[test]
    fn splits_a_coalesced_message_with_a_short_last_datagram() {
        let mut words = table_words(2, 256);
        let mut table = Table::new(&mut words, 2, 65_536).unwrap();
        table.push(0, &arrived(250, Some(100)));
        table.push(1, &arrived(64, None));
        let tally = table.finish(false);
        assert_eq!(tally, Tally { datagrams: 4, bytes: 314, messages: 2, truncated: 0, overflow: 0 });
        assert_eq!(
            records(&words, 2),
            [[0, 100, 0, PORT], [100, 100, 0, PORT], [200, 50, 0, PORT], [65_536, 64, 1, PORT]]
        );
        assert_eq!(words[..HEADER], [4, 2, 0, 0]);
        assert_eq!(words[HEADER..HEADER + MESSAGE], [4, 7, 0, 0, 0xc000_0201, 0, 0, 0, 250]);
    }

    #[test]
    fn an_empty_datagram_is_a_datagram() {
        for segment in [None, Some(0), Some(1), Some(-1)] {
            let mut words = table_words(1, 1);
            let mut table = Table::new(&mut words, 1, 2048).unwrap();
            table.push(0, &arrived(0, segment));
            assert_eq!(table.finish(false).datagrams, 1);
            assert_eq!(records(&words, 1), [[0, 0, 0, PORT]]);
        }
    }

    #[test]
    fn counts_what_does_not_fit() {
        let mut words = table_words(1, 128);
        let mut table = Table::new(&mut words, 1, 65_536).unwrap();
        table.push(0, &arrived(1000, Some(1)));
        assert_eq!(
            table.finish(false),
            Tally { datagrams: 128, bytes: 128, messages: 1, truncated: 0, overflow: 872 }
        );
    }

    #[test]
    fn flags_the_datagram_that_lost_its_end() {
        let mut words = table_words(1, 128);
        let mut table = Table::new(&mut words, 1, 2048).unwrap();
        table.push(0, &Arrived { truncated: true, ..arrived(49_280, Some(1232)) });
        assert_eq!(table.finish(false).truncated, 1);
        assert_eq!(records(&words, 1), [[0, 1232, 0, PORT], [1232, 816, 0, PORT | TRUNCATED]]);
        assert_eq!(words[HEADER + 8], 49_280, "the length as told is kept");
    }

    #[test]
    fn a_message_without_sender_still_counts() {
        let mut words = table_words(1, 1);
        let mut table = Table::new(&mut words, 1, 2048).unwrap();
        table.push(0, &Arrived { from: None, ..arrived(9, None) });
        assert_eq!(table.finish(false).datagrams, 1);
        assert_eq!(words[HEADER], 0);
    }

    #[test]
    fn writes_ipv6_with_scope_and_flow() {
        let v6 = std::net::SocketAddrV6::new("2001:db8:0:1::ff".parse().unwrap(), 53, 9, 3);
        assert_eq!(address_words(Some(v6.into())), [6, 53, 3, 9, 0x2001_0db8, 1, 0, 0xff]);
    }

    #[test]
    fn too_few_words_are_no_table() {
        for (words, capacity) in
            [(0, 1), (HEADER, 1), (HEADER + MESSAGE + DATAGRAM - 1, 1), (1000, 0), (1000, 1000)]
        {
            assert!(
                Table::new(&mut vec![0; words], capacity, 2048).is_none(),
                "{words} words for {capacity}"
            );
        }
        assert!(Table::new(&mut table_words(2, 2), 2, usize::MAX).is_none());
        assert!(Table::new(&mut table_words(2, 2), 2, 1 << 31).is_none(), "an offset would not fit a word");
        assert!(Table::new(&mut table_words(2, 2), usize::MAX, 1).is_none());
    }

    proptest! {
        #[test]
        fn no_segment_size_writes_past_the_table(
            capacity in 1usize..5,
            extra in 0usize..300,
            slot_size in prop_oneof![1usize..4096, Just(65_535), Just(65_536)],
            messages in prop::collection::vec(
                (0usize..200_000, any::<bool>(), prop::option::of(prop_oneof![any::<i32>(), -2i32..3000])), 0..8),
        ) {
            let room = capacity + extra;
            let mut words = table_words(capacity, room);
            let length = words.len();
            words.extend([GUARD; 64]);
            let mut table = Table::new(&mut words[..length], capacity, slot_size).unwrap();
            let mut claimed = 0;
            for (index, (length, truncated, segment)) in messages.iter().enumerate() {
                table.push(index, &Arrived { length: *length, truncated: *truncated, from: None, segment: *segment });
                if index < capacity {
                    let inside = (*length).min(slot_size);
                    let size = segment.map_or(0, |s| usize::try_from(s).unwrap_or(0));
                    claimed += if size == 0 || inside == 0 { 1 } else { inside.div_ceil(size) };
                }
            }
            let tally = table.finish(false);
            prop_assert!(words[length..].iter().all(|&word| word == GUARD));
            prop_assert_eq!(tally.datagrams + tally.overflow, claimed as u64);
            prop_assert!(tally.datagrams as usize <= room);
            let mut bytes = 0;
            let mut last = None;
            for [offset, size, message, flags] in records(&words[..length], capacity) {
                let start = message as usize * slot_size;
                prop_assert!((message as usize) < capacity && flags <= TRUNCATED);
                prop_assert!(start <= offset as usize && (offset + size) as usize <= start + slot_size);
                // In order, none of them overlapping the one before.
                prop_assert!(last.is_none_or(|end| end <= offset));
                last = Some(offset + size);
                bytes += u64::from(size);
            }
            prop_assert_eq!(bytes, tally.bytes);
        }
    }
}
