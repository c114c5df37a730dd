//! When the next datagram may go and when all must end.

use std::thread;
use std::time::{Duration, Instant};

/// The clock of a run.
pub struct Pace {
    start: Instant,
    limit: Duration,
    rate: Option<u64>,
}

impl Pace {
    /// Starts the clock.
    pub fn start(limit: Duration, rate: Option<u64>) -> Self {
        Self { start: Instant::now(), limit, rate }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether the time is up.
    pub fn over(&self) -> bool {
        self.elapsed() >= self.limit
    }

    /// Waits until datagram number `sent` is due and returns how many are, none when the time is up before.
    ///
    /// Number n is due n/rate seconds after the start. A late wake-up (50 µs at least, the timer slack of prctl(2)) is
    /// made up for by a burst, so that the rate holds on average.
    pub fn due(&self, sent: u64) -> u64 {
        let Some(rate) = self.rate else {
            return if self.over() { 0 } else { u64::MAX };
        };
        loop {
            let elapsed = self.elapsed();
            if elapsed >= self.limit {
                return 0;
            }
            // 600 s times a rate of 10^9 in nanoseconds is 6 x 10^20, more than a u64 holds.
            let due = (elapsed.as_nanos() * u128::from(rate) / 1_000_000_000) as u64 + 1;
            if due > sent {
                return due - sent;
            }
            let next = Duration::from_nanos((u128::from(sent) * 1_000_000_000 / u128::from(rate)) as u64 + 1);
            thread::sleep(next.min(self.limit).saturating_sub(elapsed));
        }
    }
}
