//! The message headers of one socket's sends: rows of a table, made into messages.
//!
//! Datagrams that follow one another, of one size and to one place, become one message with UDP_SEGMENT, udp(7), which
//! the kernel cuts apart again; the last of them may be shorter. Where they lie one after the other in memory too they
//! are one iovec, otherwise one each.
//!
//! Like the arena's, the headers are made once. All that a call needs is written for that call, from memory looked up
//! for it, and nothing reads it afterwards.

use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::SockAddr;

use crate::cmsg::Writer;
use crate::record::{
    self, DATAGRAM, DESTINATION, INTERFACE, LENGTH, LOCAL, MESSAGE, NAME, NAME_LENGTH, SOCKADDR, UNIX,
};
use crate::sockaddr;
use crate::sys::libc::{self, iovec, sockaddr_storage};
#[cfg(linux_sockets)]
use crate::sys::options::UDP_SEGMENT;
use crate::sys::options::push_source;
use crate::sys::{Errno, MMsgHdr, unix};

/// Messages of one call: UIO_MAXIOV, which sendmmsg(2) cuts at.
pub const MESSAGES: usize = 1024;
/// Datagrams of one call, and so iovecs.
const DATAGRAMS: usize = 8192;
/// Payload bytes of one message: 65,535 less the headers of IPv4 and UDP.
const PAYLOAD: usize = 65_507;
/// Room for UDP_SEGMENT and IPV6_PKTINFO.
const ROOM: usize = 96;

/// A row of the table as `record.rs` lays it out: offset, size, message index, flags.
pub type Row = [u32; DATAGRAM];

/// Which datagrams there are.
#[derive(Clone, Copy)]
pub enum Rows<'a> {
    /// One row each.
    Table(&'a [Row]),
    /// The whole memory, cut into datagrams of this size, the last of which may be shorter; all to message 0.
    Cut(usize),
}

/// One of them.
#[derive(Clone, Copy)]
struct Datagram {
    offset: usize,
    size: usize,
    message: usize,
}

/// What is to be sent.
#[derive(Clone, Copy)]
pub struct Letters<'a> {
    /// The memory that the rows' offsets are in.
    pub base: *const u8,
    /// Its bytes.
    pub length: usize,
    /// The datagrams in it.
    pub rows: Rows<'a>,
    /// Where they go: the sender's part of the row's message, from its destination. Empty: to the connected peer.
    pub messages: &'a [[u32; MESSAGE]],
    /// The names of these, of a Unix socket.
    pub names: &'a [[u32; NAME]],
    /// All go here instead.
    pub to: Option<&'a [u32; MESSAGE]>,
    /// The name of that.
    pub to_name: Option<&'a [u32; NAME]>,
}

impl Letters<'_> {
    /// How many there are. No bytes at all are one empty datagram.
    pub fn count(&self) -> usize {
        match self.rows {
            Rows::Table(rows) => rows.len(),
            Rows::Cut(size) => self.length.div_ceil(size.max(1)).max(1),
        }
    }

    /// They go to the connected peer.
    pub fn connected(&self) -> bool {
        self.messages.is_empty() && self.to.is_none()
    }

    fn datagram(&self, index: usize) -> Datagram {
        match self.rows {
            Rows::Table(rows) => {
                let [offset, size, message, _] = rows[index];
                Datagram { offset: offset as usize, size: size as usize, message: message as usize }
            }
            Rows::Cut(size) => {
                let offset = index * size;
                Datagram { offset, size: size.min(self.length - offset), message: 0 }
            }
        }
    }

    /// How many from `first` on, `most` at most, are of its size, go where it goes and lie one behind the other.
    fn contiguous(&self, first: Datagram, index: usize, most: usize) -> usize {
        let most = most.min(self.count() - index);
        let rows = match self.rows {
            Rows::Table(rows) => &rows[index + 1..],
            Rows::Cut(_) => {
                let full = (self.length - first.offset) / first.size.max(1);
                return most.min(full.max(1));
            }
        };
        let mut end = first.offset + first.size;
        let mut count = 1;
        for [offset, size, message, _] in rows.iter().take(most - 1) {
            let alike = *size as usize == first.size && *offset as usize == end;
            if !alike
                || !(self.to.is_some() || *message as usize == first.message)
                || end + first.size > self.length
            {
                break;
            }
            end += first.size;
            count += 1;
        }
        count
    }

    fn target(&self, message: usize) -> Option<&[u32; MESSAGE]> {
        self.to.or_else(|| self.messages.get(message))
    }

    /// Where datagram `index` goes, as a name that a socket of this family understands; `None`: to the connected peer.
    pub fn name_of(&self, index: usize, family: Family) -> Result<Option<SockAddr>, Errno> {
        let message = self.datagram(index).message;
        self.target(message).map(|target| self.name(target, message, family)).transpose()
    }

    fn name(&self, target: &[u32; MESSAGE], message: usize, family: Family) -> Result<SockAddr, Errno> {
        match (family, target[0] == UNIX) {
            (Family::Unix, true) => {
                let name = if self.to.is_some() { self.to_name } else { self.names.get(message) };
                let name = name.map(|words| record::name_of(words, target[NAME_LENGTH])).unwrap_or_default();
                // A peer without a name cannot be answered.
                if name.is_empty() { Err(Errno(libc::EDESTADDRREQ)) } else { unix::address(&name) }
            }
            (Family::Unix, false) | (Family::V4 | Family::V6, true) => Err(Errno(libc::EINVAL)),
            (Family::V4 | Family::V6, false) => {
                let words: &[u32; SOCKADDR] = target.first_chunk().expect("a message is longer");
                name(record::address_of(words).ok_or(Errno(libc::EDESTADDRREQ))?, family)
            }
        }
    }

    /// Whether the datagrams of two messages may go as one.
    fn same_target(&self, a: usize, b: usize) -> bool {
        if self.to.is_some() || a == b {
            return true;
        }
        match (self.target(a), self.target(b)) {
            // All but their lengths.
            (Some(a), Some(b)) => a[..LENGTH] == b[..LENGTH] && a[INTERFACE..] == b[INTERFACE..],
            (None, None) => true,
            _ => false,
        }
    }

    /// A datagram's bytes.
    fn bytes(&self, Datagram { offset, size, .. }: Datagram) -> Result<iovec, Errno> {
        if offset.checked_add(size).is_none_or(|end| end > self.length) {
            return Err(Errno(libc::EFAULT));
        }
        // In bounds; wrapping_add because nothing is dereferenced here.
        Ok(iovec { iov_base: self.base.wrapping_add(offset).cast_mut().cast(), iov_len: size })
    }
}

/// A socket's family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// AF_INET.
    V4,
    /// AF_INET6.
    V6,
    /// AF_UNIX.
    Unix,
}

/// How datagrams are put together.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The socket's family.
    pub family: Family,
    /// The most datagrams of one message; 1 is no UDP_SEGMENT at all.
    pub segments: usize,
    /// Datagrams of this size and above go singly.
    pub too_big: usize,
    /// Rows before this one go singly.
    pub singly_until: usize,
    /// Rows before this one go without a word about where they come from.
    pub sourceless_until: usize,
}

/// One message of the call: which rows, and what of it may be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Datagrams.
    pub count: usize,
    /// Size of all but the last.
    pub segment: usize,
    /// Bytes in all.
    pub bytes: usize,
    /// It says where it comes from.
    pub sourced: bool,
}

/// Control messages of one header, aligned as cmsghdr wants them.
#[repr(C, align(8))]
#[derive(Clone)]
struct Room([u8; ROOM]);

/// See the module's documentation.
#[derive(Default)]
pub struct Outgoing {
    headers: Vec<MMsgHdr>,
    iovecs: Vec<iovec>,
    names: Vec<sockaddr_storage>,
    controls: Vec<Room>,
    runs: Vec<Run>,
    /// The message whose name was last written in this call, and where: the next one's is mostly the same.
    named: Option<(usize, *mut libc::c_void, libc::socklen_t)>,
}

impl Outgoing {
    /// Makes messages of the rows from `first` on, as many as one call takes: at least one. The error is that of the
    /// first row; one of a later row is left for the call that begins with it.
    ///
    /// The headers lead to this structure's own vectors and to the letters' memory.
    pub fn load(
        &mut self,
        letters: &Letters<'_>,
        first: usize,
        rules: &Rules,
    ) -> Result<(&mut [MMsgHdr], &[Run]), Errno> {
        let count = letters.count();
        self.grow((count - first).min(MESSAGES), (count - first).min(DATAGRAMS));
        self.runs.clear();
        self.named = None;
        let mut next = first;
        let mut iovs = 0;
        while next < count && self.runs.len() < self.headers.len() && iovs < self.iovecs.len() {
            match self.message(letters, next, iovs, rules) {
                Ok((run, used)) => {
                    self.runs.push(run);
                    next += run.count;
                    iovs += used;
                }
                Err(error) if next == first => return Err(error),
                Err(_) => break,
            }
        }
        let count = self.runs.len();
        Ok((&mut self.headers[..count], &self.runs))
    }

    /// Writes the next header for the rows from `first` on; what it holds, and how many iovecs it took.
    fn message(
        &mut self,
        letters: &Letters<'_>,
        first: usize,
        first_iov: usize,
        rules: &Rules,
    ) -> Result<(Run, usize), Errno> {
        let index = self.runs.len();
        let datagram = letters.datagram(first);
        let segment = datagram.size;
        let iovecs = &mut self.iovecs[first_iov..];
        iovecs[0] = letters.bytes(datagram)?;
        let mut used = 1;
        let most = if first < rules.singly_until || segment == 0 || segment >= rules.too_big {
            1
        } else {
            // What IPv4 takes, also on a socket of IPv6, whose peer may be a mapped one: a refusal would be learnt from.
            rules.segments.min((PAYLOAD / segment).max(1))
        };
        // Mostly that is all there is to it.
        let contiguous = letters.contiguous(datagram, first, most);
        let mut run = Run { count: contiguous, segment, bytes: contiguous * segment, sourced: false };
        iovecs[0].iov_len = run.bytes;
        // One more than `most` by size: the last may be shorter.
        let rest = letters.count() - first;
        let most = if most > 1 { rules.segments.min(rest) } else { 1 };
        while run.count < most {
            let next = letters.datagram(first + run.count);
            let fits = next.size > 0 && next.size <= segment && run.bytes + next.size <= PAYLOAD;
            if !fits || !letters.same_target(datagram.message, next.message) {
                break;
            }
            let Ok(bytes) = letters.bytes(next) else { break };
            let last = &mut iovecs[used - 1];
            if last.iov_base.wrapping_byte_add(last.iov_len) == bytes.iov_base {
                last.iov_len += next.size;
            } else if used < iovecs.len() {
                iovecs[used] = bytes;
                used += 1;
            } else {
                break;
            }
            run.count += 1;
            run.bytes += next.size;
            if next.size < segment {
                break; // only the last may be shorter
            }
        }
        let target = letters.target(datagram.message);
        let known = self.named.filter(|&(message, ..)| message == datagram.message || letters.to.is_some());
        let (name, namelen) = match (target, known) {
            (None, _) => (std::ptr::null_mut(), 0),
            (Some(_), Some((_, name, namelen))) => (name, namelen),
            (Some(target), None) => {
                let name = letters.name(target, datagram.message, rules.family)?;
                let room = std::ptr::from_mut(&mut self.names[index]);
                // SAFETY: a SockAddr's name is at most a sockaddr_storage long, and `room` is one.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        name.as_ptr().cast::<u8>(),
                        room.cast::<u8>(),
                        name.len() as usize,
                    );
                }
                self.named = Some((datagram.message, room.cast(), name.len()));
                (room.cast(), name.len())
            }
        };
        let mut control = Writer::new(&mut self.controls[index].0);
        #[cfg(linux_sockets)]
        if run.count > 1 {
            control.push(libc::SOL_UDP, UDP_SEGMENT, &(segment as u16).to_ne_bytes());
        }
        if let Some((address, interface)) = target.and_then(source_of)
            && first >= rules.sourceless_until
        {
            push_source(&mut control, address, interface, rules.family == Family::V6);
            run.sourced = true;
        }
        let controllen = control.len();

        let header = &mut self.headers[index].msg_hdr;
        header.msg_iov = &raw mut iovecs[0];
        header.msg_iovlen = used as _;
        header.msg_name = name;
        header.msg_namelen = namelen;
        header.msg_control =
            if controllen > 0 { self.controls[index].0.as_mut_ptr().cast() } else { std::ptr::null_mut() };
        header.msg_controllen = controllen as _;
        Ok((run, used))
    }

    fn grow(&mut self, messages: usize, datagrams: usize) {
        if messages > self.headers.len() {
            // SAFETY: these are C structures of integers and pointers, for which zero is a value. mmsghdr is zeroed
            // whole because musl gives msghdr padding members that must be zero.
            let (header, name) = unsafe { (mem::zeroed(), mem::zeroed()) };
            self.headers.resize(messages, header);
            self.names.resize(messages, name);
            self.controls.resize(messages, Room([0; ROOM]));
            self.runs.reserve(messages);
        }
        if datagrams > self.iovecs.len() {
            self.iovecs.resize(datagrams, iovec { iov_base: std::ptr::null_mut(), iov_len: 0 });
        }
    }
}

// SAFETY: the pointers inside lead to its own vectors, or to memory of a call that is over; each is written anew before
// it is used.
unsafe impl Send for Outgoing {}

/// `address` as a name that a socket of this family understands. An IPv6 address on an IPv4 socket is EINVAL, as
/// node:dgram has it.
pub fn name(address: SocketAddr, family: Family) -> Result<SockAddr, Errno> {
    match (family, address) {
        (Family::V6, address) => Ok(SockAddr::from(sockaddr::mapped(address))),
        (Family::V4, SocketAddr::V4(_)) => Ok(SockAddr::from(address)),
        (Family::V4, SocketAddr::V6(_)) | (Family::Unix, _) => Err(Errno(libc::EINVAL)),
    }
}

/// Where an answer to a message is to come from: the address it was sent to and the interface; an address that nobody
/// can send from (multicast, broadcast) is left to the kernel, or is the interface's own.
fn source_of(target: &[u32; MESSAGE]) -> Option<(IpAddr, u32)> {
    let words = target[DESTINATION..].first_chunk()?;
    let address = match record::address_of(words)?.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(target[LOCAL])),
        IpAddr::V6(ip) if ip.is_multicast() => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ip => ip,
    };
    // Only a link-local address, or none, needs the interface as well: for others it would overrule the routes.
    let bound = match address {
        IpAddr::V4(ip) => ip.is_unspecified() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_unicast_link_local(),
    };
    Some((address, if bound { target[INTERFACE] } else { 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        family: Family::V4,
        segments: 128,
        too_big: usize::MAX,
        singly_until: 0,
        sourceless_until: 0,
    };

    fn target(text: &str) -> [u32; MESSAGE] {
        let mut words = [0; MESSAGE];
        words[..SOCKADDR].copy_from_slice(&record::address_words(text.parse().ok()));
        words
    }

    /// Datagrams and iovecs of a message, or why its first row is none.
    type Loaded = Result<(usize, usize), i32>;

    /// The messages that the rows become.
    fn loaded(rows: &[Row], messages: &[[u32; MESSAGE]], rules: Rules) -> Vec<Loaded> {
        let memory = vec![0; 1 << 20];
        let rows_of = Rows::Table(rows);
        let letters = Letters {
            base: memory.as_ptr(),
            length: memory.len(),
            rows: rows_of,
            messages,
            names: &[],
            to: None,
            to_name: None,
        };
        let mut outgoing = Outgoing::default();
        let mut first = 0;
        let mut all = Vec::new();
        while first < rows.len() {
            match outgoing.load(&letters, first, &rules) {
                Ok((headers, runs)) => {
                    assert_eq!(headers.len(), runs.len());
                    for (header, run) in headers.iter().zip(runs) {
                        all.push(Ok((run.count, header.msg_hdr.msg_iovlen as _)));
                        first += run.count;
                    }
                }
                Err(Errno(errno)) => {
                    all.push(Err(errno));
                    first += 1;
                }
            }
        }
        all
    }

    #[test]
    fn equal_neighbours_to_one_place_are_one_message() {
        let messages = [target("192.0.2.1:7"), target("192.0.2.2:7"), target("192.0.2.1:7")];
        let row = |offset: u32, size: u32, message: u32| [offset, size, message, 0];
        let cases: [(&[Row], &[Loaded]); 8] = [
            (
                &[row(0, 100, 0), row(100, 100, 0), row(200, 50, 0), row(250, 50, 0)],
                &[Ok((3, 1)), Ok((1, 1))],
            ),
            (&[row(0, 100, 0), row(200, 100, 0), row(100, 100, 0)], &[Ok((3, 3))]),
            (&[row(0, 100, 0), row(100, 100, 1), row(200, 100, 1)], &[Ok((1, 1)), Ok((2, 1))]),
            // Two rows of the table may name one sender.
            (&[row(0, 100, 0), row(5000, 100, 2)], &[Ok((2, 2))]),
            (&[row(0, 50, 0), row(50, 100, 0)], &[Ok((1, 1)), Ok((1, 1))]),
            (&[row(0, 0, 0), row(0, 0, 0), row(0, 1, 0)], &[Ok((1, 1)), Ok((1, 1)), Ok((1, 1))]),
            (&[row(0, 10, 0), row(10, 0, 0)], &[Ok((1, 1)), Ok((1, 1))]),
            (&[row(0, 40_000, 0), row(40_000, 40_000, 0)], &[Ok((1, 1)), Ok((1, 1))]),
        ];
        for (rows, expected) in cases {
            assert_eq!(loaded(rows, &messages, RULES), expected, "{rows:?}");
        }
    }

    #[test]
    fn memory_is_cut_without_rows() {
        let memory = vec![0; 1000];
        let messages = [target("192.0.2.1:7")];
        let counts = |length: usize, size: usize, segments: usize| {
            let letters = Letters {
                base: memory.as_ptr(),
                length,
                rows: Rows::Cut(size),
                messages: &messages,
                names: &[],
                to: None,
                to_name: None,
            };
            let mut outgoing = Outgoing::default();
            let (_, runs) = outgoing.load(&letters, 0, &Rules { segments, ..RULES }).unwrap();
            let bytes: usize = runs.iter().map(|run| run.bytes).sum();
            assert_eq!(bytes, length);
            runs.iter().map(|run| run.count).collect::<Vec<_>>()
        };
        assert_eq!(counts(1000, 100, 128), [10]);
        assert_eq!(counts(950, 100, 128), [10], "the last is shorter");
        assert_eq!(counts(950, 100, 4), [4, 4, 2]);
        assert_eq!(counts(950, 100, 1), [1; 10]);
        assert_eq!(counts(50, 100, 128), [1]);
        assert_eq!(counts(0, 100, 128), [1], "an empty one");
        assert_eq!(counts(300, 1, 128), [128, 128, 44]);
    }

    #[test]
    fn rules_keep_them_apart() {
        let messages = [target("192.0.2.1:7")];
        let rows: Vec<Row> = (0..6).map(|nth| [nth * 100, 100, 0, 0]).collect();
        let counts = |rules| -> Vec<usize> {
            loaded(&rows, &messages, rules).into_iter().map(|each| each.unwrap().0).collect()
        };
        assert_eq!(counts(RULES), [6]);
        assert_eq!(counts(Rules { segments: 4, ..RULES }), [4, 2]);
        assert_eq!(counts(Rules { segments: 1, ..RULES }), [1; 6]);
        assert_eq!(counts(Rules { too_big: 100, ..RULES }), [1; 6]);
        assert_eq!(counts(Rules { too_big: 101, ..RULES }), [6]);
        assert_eq!(counts(Rules { singly_until: 2, ..RULES }), [1, 1, 4]);
    }

    #[test]
    fn more_than_a_call_takes_is_left_for_the_next() {
        let messages = [target("192.0.2.1:7")];
        for (rows, rules) in [
            ((0..3000).map(|nth| [nth, 1, 0, 0]).collect::<Vec<Row>>(), Rules { segments: 1, ..RULES }),
            // Apart in memory: an iovec each.
            ((0..20_000).map(|nth| [nth * 3, 1, 0, 0]).collect(), RULES),
        ] {
            let all = loaded(&rows, &messages, rules);
            assert_eq!(all.iter().map(|each| each.unwrap().0).sum::<usize>(), rows.len());
        }
    }

    #[test]
    fn what_cannot_be_sent_stops_nothing_but_itself() {
        let messages = [target("192.0.2.1:7"), target("[2001:db8::1]:7"), [0; MESSAGE]];
        let rows = [
            [0, 9, 0, 0],
            [9, 9, 1, 0],
            [18, 9, 2, 0],
            [1 << 20, 1, 0, 0],
            [u32::MAX, u32::MAX, 0, 0],
            [27, 9, 0, 0],
        ];
        assert_eq!(
            loaded(&rows, &messages, RULES),
            [
                Ok((1, 1)),
                Err(libc::EINVAL),
                Err(libc::EDESTADDRREQ),
                Err(libc::EFAULT),
                Err(libc::EFAULT),
                Ok((1, 1))
            ]
        );
        let v6 = Rules { family: Family::V6, ..RULES };
        assert_eq!(loaded(&rows[..2], &messages, v6), [Ok((1, 1)), Ok((1, 1))]);
    }

    #[test]
    fn an_answer_comes_from_where_it_was_asked() {
        let asked = |address: &str, interface: u32, local: &str| {
            let mut words = target("192.0.2.9:7");
            let address = SocketAddr::new(address.parse().unwrap(), 0);
            words[DESTINATION..][..SOCKADDR].copy_from_slice(&record::address_words(Some(address)));
            words[INTERFACE] = interface;
            words[LOCAL] = local.parse::<Ipv4Addr>().unwrap().to_bits();
            source_of(&words).map(|(address, interface)| (address.to_string(), interface))
        };
        let from = |address: &str, interface| Some((address.to_owned(), interface));
        assert_eq!(source_of(&target("192.0.2.9:7")), None);
        assert_eq!(asked("192.0.2.1", 3, "192.0.2.1"), from("192.0.2.1", 0));
        assert_eq!(asked("224.0.0.251", 3, "192.0.2.1"), from("192.0.2.1", 0));
        assert_eq!(asked("255.255.255.255", 3, "0.0.0.0"), from("0.0.0.0", 3));
        assert_eq!(asked("2001:db8::1", 3, "0.0.0.0"), from("2001:db8::1", 0));
        assert_eq!(asked("fe80::1", 3, "0.0.0.0"), from("fe80::1", 3));
        assert_eq!(asked("ff02::fb", 3, "0.0.0.0"), from("::", 3));
        assert_eq!(asked("::ffff:192.0.2.1", 3, "192.0.2.1"), from("::ffff:192.0.2.1", 0));
    }
}
