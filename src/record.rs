//! The table that describes a batch to JavaScript: native code writes it, `lib/layout.ts` reads it.
//!
//! ```text
//!  u32 words   ┌ HEADER ─┬ capacity × MESSAGE ───────────┬ the rest × DATAGRAM ──┬ capacity × DETAIL ┬ capacity × NAME ┐
//!              │ counts  │ cold: sender of slot 0, 1, …  │ hot: datagram 0, 1, … │ rare: stamp, …    │ Unix sockets'   │
//!              └─────────┴───────────────────────────────┴───────────────────────┴───────────────────┴─────────────────┘
//! ```
//!
//! Details are written only for a socket that was told to have the kernel tell some; the header says whether they are. Names
//! are bytes, written only for a Unix socket: an address fits its message's row.
//!
//! A slot receives one message. With UDP_GRO a message holds up to 128 datagrams, which the kernel coalesced and which
//! are told apart here; so a table for such slots has room for capacity × 128 datagrams. The room is the table's
//! length and nothing else: what a message claims beyond it is counted, never written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::sys::unix::Credentials;

/// Words before the first message: how many datagrams and messages the fill gave, whether more may be waiting, whether
/// there are details, how many messages the kernel dropped before the last of them, and seven that are 0, so that a message's row is one cache line (the allocator's memory begins 16 bytes into a page, glibc).
pub const HEADER: usize = 12;
/// Words of one message: where it is from, and where it was sent to, of whose words those that a destination has no use
/// for tell of the message: its length (in place of a port), the interface (the scope id), the interface's own address
/// (the flow information).
pub const MESSAGE: usize = 2 * SOCKADDR;
/// Words of a socket address: family (0 for none, 4, 6), port, scope id, flow information, and the address's four.
pub const SOCKADDR: usize = 8;
/// Where in a message's row the destination begins.
pub const DESTINATION: usize = SOCKADDR;
/// The length as told.
pub const LENGTH: usize = DESTINATION + 1;
/// The index of the interface it came in by, 0 where it was not told.
pub const INTERFACE: usize = DESTINATION + 2;
/// The interface's own IPv4 address, which an answer is to come from.
pub const LOCAL: usize = DESTINATION + 3;
/// Words of one datagram: offset in the batch's bytes, size, message index, and the sender's port above the flags.
///
/// The port is here as well as in the message, so that the size and the port of a datagram are one row's.
pub const DATAGRAM: usize = 4;
/// Words of one message's details: the time stamp's lower and upper half (0 for none), type of service and time to live
/// with a bit above each that says whether it was told, and messages dropped before this one.
pub const DETAIL: usize = 4;
/// Words of a Unix socket's name: `sun_path`, in as many bytes as the message's row says.
pub const NAME: usize = 28;
/// What a Unix message's row has for a family.
pub const UNIX: u32 = 1;
/// Where the length of the name is in such a row: in place of a scope id.
pub const NAME_LENGTH: usize = 2;
/// Where, in such a row, the sender's process, user and group are, behind a 1 where they were told.
pub const CREDENTIALS: usize = 12;
/// Bits of a time to live's part of its word, and of what says that there is one.
pub const TTL_SHIFT: u32 = 8;
/// The type of service was told.
pub const HAS_TOS: u32 = 1 << 16;
/// The time to live was told.
pub const HAS_TTL: u32 = 1 << 17;
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
    /// Where it was sent to, where the kernel told.
    pub to: Option<Destination>,
    /// Size of the datagrams of which the message was coalesced, as UDP_GRO told it: any int at all.
    pub segment: Option<i32>,
    /// The rest, where the socket has the kernel tell any of it.
    pub details: Option<Details>,
}

/// What a socket can have the kernel tell beside all this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Nanoseconds since the epoch at which the kernel received it.
    pub timestamp: Option<u64>,
    /// Type of service, or traffic class.
    pub tos: Option<u8>,
    /// Time to live, or hop limit.
    pub ttl: Option<u8>,
    /// Messages that the kernel dropped between the one before and this one.
    pub dropped: u32,
}

/// IP_PKTINFO and IPV6_PKTINFO, ip(7) and ipv6(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The header's destination address.
    pub address: IpAddr,
    /// Index of the interface it came in by.
    pub interface: u32,
    /// IPv4: the interface's own address, another one where the destination is a broadcast or multicast address.
    pub local: Ipv4Addr,
}

/// Who sent a message to a Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Its name, empty where it has none; what is beyond [`NAME`] is left out.
    pub name: &'a [u8],
    /// Who it is, where the kernel told.
    pub credentials: Option<Credentials>,
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
    /// Messages of these that the kernel had coalesced.
    pub coalesced_messages: u64,
    /// Datagrams that came in these.
    pub coalesced_datagrams: u64,
    /// Datagrams that lost their end.
    pub truncated: u64,
    /// Datagrams that arrived and found no room in the table.
    pub overflow: u64,
}

/// A table being filled.
pub struct Table<'a> {
    header: &'a mut [u32],
    messages: &'a mut [[u32; MESSAGE]],
    records: &'a mut [[u32; DATAGRAM]],
    details: &'a mut [[u32; DETAIL]],
    names: &'a mut [[u32; NAME]],
    slot_size: usize,
    tally: Tally,
}

impl<'a> Table<'a> {
    /// A view of `words` as the table of a batch with `capacity` slots of `slot_size` bytes.
    ///
    /// `None` where the words are too few for the header, every message, its details and one datagram a message.
    pub fn new(words: &'a mut [u32], capacity: usize, slot_size: usize) -> Option<Table<'a>> {
        let messages_end = capacity.checked_mul(MESSAGE)?;
        let (header, rest) = words.split_at_mut_checked(HEADER)?;
        let (messages, records) = rest.split_at_mut_checked(messages_end)?;
        let details_begin = records.len().checked_sub(capacity.checked_mul(DETAIL + NAME)?)?;
        let (records, details) = records.split_at_mut(details_begin);
        let (details, names) = details.split_at_mut(capacity * DETAIL);
        let (messages, _) = messages.as_chunks_mut();
        let (records, _) = records.as_chunks_mut();
        let (details, _) = details.as_chunks_mut();
        let (names, _) = names.as_chunks_mut();
        if records.len() < capacity || capacity == 0 {
            return None;
        }
        // Every offset fits a word.
        u32::try_from(capacity.checked_mul(slot_size)?).ok()?;
        header.fill(0);
        Some(Table { header, messages, records, details, names, slot_size, tally: Tally::default() })
    }

    /// Describes the message received into slot `index`: its sender once, and each of its datagrams.
    #[inline]
    pub fn push(&mut self, index: usize, arrived: &Arrived) {
        let Some(message) = self.messages.get_mut(index) else { return };
        let port = arrived.from.map_or(0, |from| from.port());
        message[..SOCKADDR].copy_from_slice(&address_words(arrived.from));
        match arrived.to {
            None => (message[DESTINATION], message[INTERFACE]) = (0, 0),
            Some(to) => write_destination(message, to),
        }
        message[LENGTH] = arrived.length as u32;
        if let Some(details) = arrived.details {
            self.details[index] = detail_words(&details);
            self.header[3] = 1;
            self.header[4] = self.header[4].saturating_add(details.dropped);
        }

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
        let port = u32::from(port) << PORT_SHIFT;

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
        if count > 1 {
            self.tally.coalesced_messages += 1;
            self.tally.coalesced_datagrams += room as u64;
        }
        self.tally.truncated += u64::from(truncated && room == count);
        self.tally.overflow += (count - room) as u64;
    }

    /// What has been pushed so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Names the sender of the message pushed for slot `index`, of a Unix socket.
    pub fn name(&mut self, index: usize, peer: &Peer<'_>) {
        let (Some(message), Some(words)) = (self.messages.get_mut(index), self.names.get_mut(index)) else {
            return;
        };
        let name = &peer.name[..peer.name.len().min(4 * NAME)];
        message[0] = UNIX;
        message[NAME_LENGTH] = name.len() as u32;
        write_name(words, name);
        let credentials = peer.credentials.map_or([0; 4], |Credentials { pid, uid, gid }| [1, pid, uid, gid]);
        message[CREDENTIALS..].copy_from_slice(&credentials);
    }

    /// Writes the header and gives the counts. `more`: the next receive may find something without waiting.
    pub fn finish(self, more: bool) -> Tally {
        self.header[2] = u32::from(more);
        self.header[0] = self.tally.datagrams as u32;
        self.header[1] = self.tally.messages as u32;
        self.tally
    }
}

fn detail_words(details: &Details) -> [u32; DETAIL] {
    let stamp = details.timestamp.unwrap_or(0);
    let tos = details.tos.map_or(0, |tos| HAS_TOS | u32::from(tos));
    let ttl = details.ttl.map_or(0, |ttl| HAS_TTL | u32::from(ttl) << TTL_SHIFT);
    [stamp as u32, (stamp >> 32) as u32, tos | ttl, details.dropped]
}

fn write_destination(message: &mut [u32; MESSAGE], to: Destination) {
    let words = address_words(Some(SocketAddr::new(to.address, 0)));
    message[DESTINATION..][..SOCKADDR].copy_from_slice(&words);
    // A link-local address is none without its interface.
    message[INTERFACE] = to.interface;
    message[LOCAL] = to.local.to_bits();
}

/// Writes the bytes of a name as they lie in memory; those behind it are an earlier one's.
fn write_name(words: &mut [u32; NAME], name: &[u8]) {
    for (word, bytes) in words.iter_mut().zip(name.chunks(4)) {
        let mut whole = [0; 4];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u32::from_ne_bytes(whole);
    }
}

/// The name whose bytes are in `words`, of a message whose row says that it has `length` of them.
pub fn name_of(words: &[u32; NAME], length: u32) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).take(length as usize).collect()
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

/// The address that such words are of; `None` for none.
pub fn address_of(words: &[u32; SOCKADDR]) -> Option<SocketAddr> {
    let [family, port, scope, flow, a, b, c, d] = *words;
    match family {
        4 => Some(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::from_bits(a), port as u16))),
        6 => {
            let bits = [a, b, c, d].iter().fold(0, |bits, &word| bits << 32 | u128::from(word));
            Some(SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::from_bits(bits), port as u16, flow, scope)))
        }
        _ => None,
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
        vec![GUARD; HEADER + capacity * (MESSAGE + DETAIL + NAME) + datagrams * DATAGRAM]
    }

    fn arrived(length: usize, segment: Option<i32>) -> Arrived {
        Arrived {
            length,
            truncated: false,
            from: "192.0.2.1:7".parse().ok(),
            to: None,
            segment,
            details: None,
        }
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
        let coalesced = Tally { coalesced_messages: 1, coalesced_datagrams: 3, ..Tally::default() };
        assert_eq!(tally, Tally { datagrams: 4, bytes: 314, messages: 2, ..coalesced });
        assert_eq!(
            records(&words, 2),
            [[0, 100, 0, PORT], [100, 100, 0, PORT], [200, 50, 0, PORT], [65_536, 64, 1, PORT]]
        );
        assert_eq!(words[..HEADER], [4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(words[HEADER..][..SOCKADDR], [4, 7, 0, 0, 0xc000_0201, 0, 0, 0]);
        assert_eq!(words[HEADER + LENGTH], 250);
        assert_eq!((words[HEADER + DESTINATION], words[HEADER + INTERFACE]), (0, 0), "not told");
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
            Tally {
                datagrams: 128,
                bytes: 128,
                messages: 1,
                coalesced_messages: 1,
                coalesced_datagrams: 128,
                truncated: 0,
                overflow: 872
            }
        );
    }

    #[test]
    fn flags_the_datagram_that_lost_its_end() {
        let mut words = table_words(1, 128);
        let mut table = Table::new(&mut words, 1, 2048).unwrap();
        table.push(0, &Arrived { truncated: true, ..arrived(49_280, Some(1232)) });
        assert_eq!(table.finish(false).truncated, 1);
        assert_eq!(records(&words, 1), [[0, 1232, 0, PORT], [1232, 816, 0, PORT | TRUNCATED]]);
        assert_eq!(words[HEADER + LENGTH], 49_280, "the length as told is kept");
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
    fn writes_where_it_was_sent_to() {
        let mut words = table_words(2, 2);
        let mut table = Table::new(&mut words, 2, 2048).unwrap();
        let local = Ipv4Addr::new(192, 0, 2, 1);
        let to = Destination { address: "224.0.0.251".parse().unwrap(), interface: 3, local };
        table.push(0, &Arrived { to: Some(to), ..arrived(9, None) });
        let to =
            Destination { address: "fe80::1".parse().unwrap(), interface: 7, local: Ipv4Addr::UNSPECIFIED };
        table.push(1, &Arrived { to: Some(to), ..arrived(9, None) });
        let [first, second] = [0, 1].map(|nth| &words[HEADER + nth * MESSAGE..][..MESSAGE]);
        assert_eq!(first[DESTINATION..], [4, 9, 3, 0xc000_0201, 0xe000_00fb, 0, 0, 0]);
        assert_eq!(second[DESTINATION..], [6, 9, 7, 0, 0xfe80_0000, 0, 0, 1]);
    }

    #[test]
    fn writes_details_where_there_are_any() {
        let mut words = table_words(2, 2);
        let mut table = Table::new(&mut words, 2, 2048).unwrap();
        let details =
            Details { timestamp: Some(0x1234_5678_9abc_def0), tos: Some(0xb9), ttl: Some(255), dropped: 7 };
        table.push(0, &Arrived { details: Some(details), ..arrived(9, None) });
        table.push(
            1,
            &Arrived { details: Some(Details { dropped: 3, ..Details::default() }), ..arrived(9, None) },
        );
        table.finish(false);
        let told = &words[words.len() - 2 * (DETAIL + NAME)..][..2 * DETAIL];
        assert_eq!(told, [0x9abc_def0, 0x1234_5678, HAS_TOS | HAS_TTL | 0xffb9, 7, 0, 0, 0, 3]);
        assert_eq!(words[..6], [2, 2, 0, 1, 10, 0]);
    }

    #[test]
    fn names_the_sender_of_a_unix_message() {
        let mut words = table_words(3, 3);
        let mut table = Table::new(&mut words, 3, 2048).unwrap();
        let credentials = Some(Credentials { pid: 7, uid: 8, gid: 9 });
        let longest = [b'n'; 4 * NAME + 3];
        for (index, (name, credentials)) in
            [(&b"/run/x"[..], credentials), (b"", None), (&longest, None)].into_iter().enumerate()
        {
            table.push(index, &Arrived { from: None, ..arrived(9, None) });
            table.name(index, &Peer { name, credentials });
        }
        table.finish(false);
        let row = |index: usize| &words[HEADER + index * MESSAGE..][..MESSAGE];
        assert_eq!(row(0), [UNIX, 0, 6, 0, 0, 0, 0, 0, 0, 9, 0, GUARD, 1, 7, 8, 9]);
        assert_eq!((row(1)[0], row(1)[NAME_LENGTH], row(1)[CREDENTIALS]), (UNIX, 0, 0));
        assert_eq!(row(2)[NAME_LENGTH], 4 * NAME as u32, "cut");
        let (names, _) = words[words.len() - 3 * NAME..].as_chunks();
        assert_eq!(name_of(&names[0], 6), b"/run/x");
        assert_eq!(names[0][2..], [GUARD; NAME - 2]);
        assert_eq!(name_of(&names[2], 4 * NAME as u32 + 1), longest[..4 * NAME]);
    }

    #[test]
    fn writes_no_details_where_there_are_none() {
        let mut words = table_words(1, 1);
        let mut table = Table::new(&mut words, 1, 2048).unwrap();
        table.push(0, &arrived(9, None));
        table.finish(false);
        assert_eq!(words[words.len() - DETAIL..], [GUARD; DETAIL]);
        assert_eq!(words[3..5], [0, 0]);
    }

    #[test]
    fn addresses_are_read_back() {
        for text in ["192.0.2.1:65535", "[2001:db8:0:1::ff%9]:53", "[::ffff:10.0.0.1]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(address_of(&address_words(Some(address))), Some(address));
        }
        assert_eq!(address_of(&address_words(None)), None);
    }

    #[test]
    fn too_few_words_are_no_table() {
        for (words, capacity) in
            [(0, 1), (HEADER, 1), (HEADER + MESSAGE + DATAGRAM + DETAIL - 1, 1), (1000, 0), (1000, 1000)]
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
                table.push(index, &Arrived { length: *length, truncated: *truncated, from: None, to: None, segment: *segment, details: None });
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
