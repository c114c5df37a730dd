//! The result line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use recvmmsg_testkit::errno;

/// What was sent.
#[derive(Debug, Default)]
pub struct Report {
    /// Datagrams that the kernel took.
    pub datagrams: u64,
    /// Messages that the kernel took: as many as datagrams where it does not segment.
    pub messages: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// From the first attempt to the last.
    pub elapsed: Duration,
    /// Whether messages carried `UDP_SEGMENT`.
    pub gso: bool,
    /// The port of each source socket, in the order in which messages go from them.
    pub ports: Vec<u16>,
    /// Failed calls by errno, also those that were made again and succeeded.
    pub errors: BTreeMap<i32, u64>,
    /// Why not everything that was asked for was sent.
    pub gave_up: Option<String>,
}

impl Report {
    /// Counts a failed call.
    pub fn failed(&mut self, error: &io::Error) {
        *self.errors.entry(error.raw_os_error().unwrap_or(0)).or_default() += 1;
    }

    /// Writes the JSON line to standard output.
    pub fn print(&self) {
        let errors: Vec<_> =
            self.errors.iter().map(|(errno, count)| format!("\"{}\":{count}", errno::name(*errno))).collect();
        let Self { datagrams, messages, bytes, gso, ports, .. } = self;
        let seconds = self.elapsed.as_secs_f64();
        let line = format!(
            "{{\"datagrams\":{datagrams},\"messages\":{messages},\"bytes\":{bytes},\"seconds\":{seconds:.6},\
             \"gso\":{gso},\"ports\":{ports:?},\"errors\":{{{}}}}}\n",
            errors.join(",")
        );
        // Nobody may be listening any more, and then there is nobody to tell.
        let _ = io::stdout().write_all(line.as_bytes());
    }
}
