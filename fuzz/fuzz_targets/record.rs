//! Batches of any shape: the table holds what a slow and simple reading of the rules says, and nothing is written
//! before it, behind it, or into it where nothing was received.

#![no_main]
#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use recvmmsg::record::{
    Arrived, CREDENTIALS, DATAGRAM, DESTINATION, DETAIL, Destination, Details, HEADER, INTERFACE, LENGTH, LOCAL,
    MESSAGE, NAME, NAME_LENGTH, PORT_SHIFT, Peer, SOCKADDR, TRUNCATED, Table, Tally, UNIX,
};
use recvmmsg::sys::unix::Credentials;

const GUARD: u32 = 0xdead_beef;
const GUARDS: usize = 64;

#[derive(Arbitrary, Debug)]
struct Batch {
    capacity: u8,
    /// Words of the table beside those that the header and the messages take.
    words: u16,
    slot_size: u32,
    messages: Vec<Message>,
    more: bool,
}

#[derive(Arbitrary, Debug)]
struct Message {
    length: u32,
    truncated: bool,
    from: Option<SocketAddr>,
    to: Option<(IpAddr, u32, Ipv4Addr)>,
    segment: Option<Segment>,
    details: Option<(Option<u64>, Option<u8>, Option<u8>, u32)>,
    /// A Unix socket's: its name, and who it is.
    peer: Option<(Vec<u8>, Option<(u32, u32, u32)>)>,
}

/// Any int at all, but mostly one that cuts.
#[derive(Arbitrary, Debug)]
enum Segment {
    Small(u8),
    Usual(u16),
    Any(i32),
}

fuzz_target!(|batch: Batch| {
    // A few slots are enough to be wrong about, and ten times as many runs as with all of them.
    let (capacity, words) = (usize::from(batch.capacity % 9), usize::from(batch.words % 4096));
    let slot_size = batch.slot_size as usize % 65_537;
    let length = HEADER + capacity * (MESSAGE + DETAIL + NAME) + words;
    let mut memory = vec![GUARD; GUARDS + length + GUARDS];
    let room = words / DATAGRAM;
    let Some(mut table) = Table::new(&mut memory[GUARDS..][..length], capacity, slot_size) else {
        assert!(capacity == 0 || room < capacity, "a table with room was refused");
        return;
    };
    assert!(capacity > 0 && capacity <= room);

    let mut expected = Expected::default();
    // One more than there are slots: a message without a slot is not described.
    for (index, message) in batch.messages.iter().take(capacity + 1).enumerate() {
        let arrived = message.arrived(slot_size);
        table.push(index, &arrived);
        if index < capacity {
            expected.push(index, &arrived, slot_size, room);
        }
        if let Some((name, credentials)) = &message.peer {
            let credentials = credentials.map(|(pid, uid, gid)| Credentials { pid, uid, gid });
            let peer = Peer { name, credentials };
            table.name(index, &peer);
            if index < capacity {
                expected.name(index, &peer);
            }
        }
    }
    let tally = table.finish(batch.more);

    assert_eq!(tally, expected.tally);
    let (before, rest) = memory.split_at(GUARDS);
    let (words, behind) = rest.split_at(length);
    assert!(before.iter().chain(behind).all(|&word| word == GUARD), "written outside the table");
    let told = [tally.datagrams as u32, tally.messages as u32, u32::from(batch.more)];
    assert_eq!(words[..3], told);
    let detailed = expected.details.iter().any(Option::is_some);
    assert_eq!(words[3], u32::from(detailed));
    assert_eq!(words[4], expected.dropped);
    assert!(words[5..HEADER].iter().all(|&word| word == 0));
    let (cold, hot) = words[HEADER..].split_at(capacity * MESSAGE);
    let (hot, details) = hot.split_at(words.len() - HEADER - capacity * (MESSAGE + DETAIL + NAME));
    let (details, names) = details.split_at(capacity * DETAIL);
    let untouched = |words: &[u32]| words.iter().all(|&word| word == GUARD);
    assert_eq!(&cold[..expected.cold.len()], expected.cold);
    assert!(untouched(&cold[expected.cold.len()..]), "described a message that did not come");
    assert_eq!(&hot[..expected.hot.len()], expected.hot);
    assert!(untouched(&hot[expected.hot.len()..]), "described a datagram that did not come");
    in_order(&expected.hot, slot_size);
    for (row, expected) in details.chunks_exact(DETAIL).zip(&expected.details) {
        assert_eq!(row, expected.unwrap_or([GUARD; DETAIL]));
    }
    assert!(untouched(&details[expected.details.len() * DETAIL..]), "told of a message that did not come");
    for (row, expected) in names.chunks_exact(NAME).zip(&expected.names) {
        let (name, behind) = row.split_at(expected.len().div_ceil(4));
        let bytes: Vec<u8> = name.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert!(bytes.starts_with(expected) && bytes[expected.len()..].iter().all(|&byte| byte == 0));
        assert!(untouched(behind), "written behind a name");
    }
    assert!(untouched(&names[expected.names.len() * NAME..]), "named a message that did not come");
});

impl Message {
    fn arrived(&self, slot_size: usize) -> Arrived {
        let segment = self.segment.as_ref().map(|segment| match *segment {
            Segment::Small(size) => i32::from(size),
            Segment::Usual(size) => i32::from(size),
            Segment::Any(size) => size,
        });
        // Up to twice what the slot holds: MSG_TRUNC has the kernel tell more.
        let length = self.length as usize % (2 * slot_size + 2);
        let to = self.to.map(|(address, interface, local)| Destination { address, interface, local });
        let details =
            self.details.map(|(timestamp, tos, ttl, dropped)| Details { timestamp, tos, ttl, dropped });
        Arrived { length, truncated: self.truncated, from: self.from, to, segment, details }
    }
}

/// The table as the rules say, one datagram after the other.
#[derive(Default)]
struct Expected {
    cold: Vec<u32>,
    hot: Vec<u32>,
    details: Vec<Option<[u32; DETAIL]>>,
    names: Vec<Vec<u8>>,
    dropped: u32,
    tally: Tally,
}

impl Expected {
    fn name(&mut self, index: usize, Peer { name, credentials }: &Peer<'_>) {
        let name = &name[..name.len().min(4 * NAME)];
        self.names.resize(index + 1, Vec::new());
        self.names[index] = name.to_vec();
        let row = &mut self.cold[index * MESSAGE..][..MESSAGE];
        row[0] = UNIX;
        row[NAME_LENGTH] = name.len() as u32;
        let who = credentials.as_ref().map_or([0; 4], |who| [1, who.pid, who.uid, who.gid]);
        row[CREDENTIALS..].copy_from_slice(&who);
    }

    fn push(&mut self, index: usize, arrived: &Arrived, slot_size: usize, room: usize) {
        self.cold.extend(message(arrived));
        self.details.push(arrived.details.map(|told| {
            self.dropped = self.dropped.saturating_add(told.dropped);
            let stamp = told.timestamp.unwrap_or_default().to_le_bytes();
            let half = |at: usize| u32::from_le_bytes(stamp[at..at + 4].try_into().unwrap());
            let [tos, ttl] = [told.tos, told.ttl].map(|byte| byte.map_or(0, u32::from));
            let which = u32::from(told.tos.is_some()) + 2 * u32::from(told.ttl.is_some());
            [half(0), half(4), tos + 256 * ttl + 65_536 * which, told.dropped]
        }));
        self.tally.messages += 1;
        let inside = arrived.length.min(slot_size);
        let segment = match arrived.segment {
            Some(size) if size > 0 => size as usize,
            _ => usize::MAX,
        };
        let cut = arrived.truncated || arrived.length > slot_size;
        let mut offset = 0;
        loop {
            let size = segment.min(inside - offset);
            let last = offset + size == inside;
            if self.hot.len() / DATAGRAM < room {
                let flags = if cut && last { TRUNCATED } else { 0 };
                let port = u32::from(arrived.from.map_or(0, |from| from.port()));
                let last_word = port << PORT_SHIFT | flags;
                self.hot.extend([(index * slot_size + offset) as u32, size as u32, index as u32, last_word]);
                self.tally.datagrams += 1;
                self.tally.bytes += size as u64;
                self.tally.truncated += u64::from(flags);
            } else {
                self.tally.overflow += 1;
            }
            offset += size;
            if last {
                break;
            }
        }
    }
}

/// A message's row; what is not written to is what it was.
fn message(arrived: &Arrived) -> [u32; MESSAGE] {
    let mut row = [GUARD; MESSAGE];
    row[..SOCKADDR].copy_from_slice(&address(arrived.from));
    match arrived.to {
        None => (row[DESTINATION], row[INTERFACE]) = (0, 0),
        Some(to) => {
            let words = address(Some(SocketAddr::new(to.address, 0)));
            row[DESTINATION..][..SOCKADDR].copy_from_slice(&words);
            row[INTERFACE] = to.interface;
            row[LOCAL] = u32::from_be_bytes(to.local.octets());
        }
    }
    row[LENGTH] = arrived.length as u32;
    row
}

fn address(from: Option<SocketAddr>) -> [u32; SOCKADDR] {
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    match from {
        None => [0; SOCKADDR],
        Some(SocketAddr::V4(v4)) => [4, v4.port().into(), 0, 0, word(&v4.ip().octets()), 0, 0, 0],
        Some(SocketAddr::V6(v6)) => {
            let ip = v6.ip().octets();
            let [a, b, c, d] = [0, 4, 8, 12].map(|at| word(&ip[at..at + 4]));
            [6, v6.port().into(), v6.scope_id(), v6.flowinfo(), a, b, c, d]
        }
    }
}

/// Each datagram lies in its message's slot, behind the one before.
fn in_order(hot: &[u32], slot_size: usize) {
    let mut end = 0;
    for record in hot.chunks_exact(DATAGRAM) {
        let [offset, size, index] = [0, 1, 2].map(|at| record[at] as usize);
        assert!(end <= offset, "overlaps the datagram before it");
        end = offset + size;
        assert!(index * slot_size <= offset && end <= (index + 1) * slot_size, "outside its slot");
    }
}
