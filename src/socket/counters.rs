//! What a socket counts, and the figures that JavaScript has of it.

use super::Socket;
use crate::record::Tally;

/// Counts since the socket was made, or since they were reset. None of them wraps in practice: 2⁶⁴ bytes are 46 years at
/// 100 Gbit/s. How many calls there were, and how long they took, the socket's taps know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// What the fills added up to.
    pub total: Tally,
    /// Receives that gave at least one datagram.
    pub batches: u64,
    /// Those of them that took as many messages as they had asked for.
    pub full_batches: u64,
    /// Messages whose control messages lost their end (`MSG_CTRUNC`).
    pub control_truncated: u64,
    /// Messages that the kernel dropped between those that were received, as SO_RXQ_OVFL told.
    pub dropped: u64,
    /// Descriptors that came with messages of a Unix socket, and were closed.
    pub descriptors: u64,
    /// What the kernel took.
    pub sent: Sent,
    /// How many batches held 2ⁿ to 2ⁿ⁺¹ - 1 datagrams.
    pub batch_sizes: [u64; BATCH_SIZES],
}

/// What the kernel took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Datagrams.
    pub datagrams: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Messages that they went in.
    pub messages: u64,
}

impl Sent {
    /// One message more.
    pub fn add(&mut self, datagrams: usize, bytes: usize) {
        self.datagrams += datagrams as u64;
        self.bytes += bytes as u64;
        self.messages += 1;
    }
}

/// Classes of `batch_sizes`: the largest batch holds 2¹⁴ messages of 2⁷ datagrams.
pub const BATCH_SIZES: usize = 22;
/// Figures before these classes.
const HEAD: usize = 20;
/// How many figures there are.
pub const FIGURES: usize = HEAD + BATCH_SIZES;
/// The figure of what nobody tells.
const UNTOLD: f64 = -1.0;

impl Socket {
    /// All that is counted, in the order of `lib/stats.ts`, and with `reset` from now on anew. A number of JavaScript is
    /// exact up to 2⁵³.
    pub fn figures(&mut self, reset: bool) -> [f64; FIGURES] {
        let Counters {
            total,
            batches,
            full_batches,
            control_truncated,
            dropped,
            descriptors,
            sent,
            batch_sizes,
        } = self.counters;
        let time = |time: Option<u64>| time.map_or(UNTOLD, |time| time as f64);
        // Asked once: what is dropped meanwhile is in this or in the next.
        let drops = self.kernel_drops();
        let head: [f64; HEAD] = [
            total.datagrams as f64,
            total.bytes as f64,
            total.messages as f64,
            batches as f64,
            full_batches as f64,
            total.coalesced_messages as f64,
            total.coalesced_datagrams as f64,
            total.truncated as f64,
            total.overflow as f64,
            control_truncated as f64,
            dropped as f64,
            descriptors as f64,
            self.recv_calls.calls as f64,
            sent.datagrams as f64,
            sent.bytes as f64,
            sent.messages as f64,
            self.send_calls.calls as f64,
            time(self.recv_calls.timed()),
            time(self.send_calls.timed()),
            drops.map_or(UNTOLD, |drops| drops.wrapping_sub(self.drops_before).into()),
        ];
        let mut figures = [0.0; FIGURES];
        figures[..HEAD].copy_from_slice(&head);
        for (figure, &count) in figures[HEAD..].iter_mut().zip(&batch_sizes) {
            *figure = count as f64;
        }
        if reset {
            self.counters = Counters::default();
            self.recv_calls.reset();
            self.send_calls.reset();
            self.drops_before = drops.unwrap_or(0);
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::BindOptions;

    #[test]
    fn figures_are_exact_beyond_a_trillion_and_each_in_its_place() {
        const MANY: u64 = 1_000_000_000_001;
        let mut socket = Socket::bind("127.0.0.1:0".parse().unwrap(), &BindOptions::default()).unwrap();
        socket.recv_calls.time();
        socket.send_calls.time();
        let mut next = MANY;
        let mut more = || {
            next += 1;
            next - 1
        };
        socket.counters = Counters {
            total: Tally {
                datagrams: more(),
                bytes: more(),
                messages: more(),
                coalesced_messages: MANY + 5,
                coalesced_datagrams: MANY + 6,
                truncated: MANY + 7,
                overflow: MANY + 8,
            },
            batches: more(),
            full_batches: more(),
            control_truncated: MANY + 9,
            dropped: MANY + 10,
            descriptors: MANY + 11,
            sent: Sent { datagrams: MANY + 13, bytes: MANY + 14, messages: MANY + 15 },
            batch_sizes: std::array::from_fn(|class| MANY + 20 + class as u64),
        };
        socket.recv_calls.calls = MANY + 12;
        socket.send_calls.calls = MANY + 16;
        socket.recv_calls.nanoseconds = MANY + 17;
        socket.send_calls.nanoseconds = MANY + 18;
        let figures = socket.figures(true);
        for (index, figure) in figures.iter().enumerate() {
            let expected = MANY + index as u64;
            assert!(index == DROPS || *figure as u64 == expected, "figure {index}: {figure}, not {expected}");
        }
        let mut nothing = socket.figures(false);
        nothing[DROPS] = 0.0;
        assert_eq!(nothing, [0.0; FIGURES], "counted anew, and timed all the same");
    }

    /// The kernel's own.
    const DROPS: usize = HEAD - 1;
}
