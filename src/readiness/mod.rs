//! "Tell me when this socket is readable", or writable, in two ways with one contract.
//!
//! # The contract
//!
//! - A watch is made for one descriptor, one [`Interest`] and one [`Deliver`]. It begins stopped.
//! - The descriptor is a **duplicate that nobody else knows**. The socket's own number may be closed behind our back and
//!   given out again; a watch of that number would abort the process (libuv, when it is a file's now) or take the number
//!   away from its next owner. The duplicate's number is ours until we close it.
//! - Between [`Watch::start`] and [`Watch::stop`] it calls `deliver`, on the JavaScript thread and never from within
//!   `start`, when the socket is readable (writable) or has an error to tell. It is level-triggered: what is not consumed is told
//!   again on the next turn of the event loop.
//! - In one wake it calls `deliver` as long as that says [`Next::Again`], at most [`Budget`]'s worth, so that timers
//!   and other sockets have their turn. Each call is followed by the JavaScript jobs it left behind.
//! - `deliver` may stop, start or close its own watch, or any other.
//! - `start` and `stop` may be repeated. After `close` nothing is called any more.
//! - A watch does not keep the event loop alive; `lib/keepalive.ts` does that, for both.
//!
//! [`uv`] asks the event loop that is there already. [`thread`] has a thread of its own, one per JavaScript
//! environment, for runtimes without libuv.

use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::sys::Errno;

pub mod thread;
#[cfg(unix)]
pub mod uv;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// There is something to receive.
    Readable,
    /// The send buffer has room.
    Writable,
}

/// What the receiver of a wake wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is probably more: call again in this wake.
    Again,
    /// Nothing is left, or nobody wants it now.
    Enough,
}

/// Called once for each batch. It runs JavaScript, so anything may have happened when it returns.
pub type Deliver = Rc<dyn Fn() -> Next>;

/// One socket's watch, of either kind.
pub enum Watch {
    /// By libuv.
    #[cfg(unix)]
    Uv(Rc<uv::Watch>),
    /// By the environment's helper thread.
    Thread(Rc<thread::Watch>),
}

impl Watch {
    /// Begins to deliver.
    pub fn start(&self) -> Result<(), Errno> {
        match self {
            #[cfg(unix)]
            Watch::Uv(watch) => watch.start(),
            Watch::Thread(watch) => watch.start(),
        }
    }

    /// Ends delivering, until the next start.
    pub fn stop(&self) {
        match self {
            #[cfg(unix)]
            Watch::Uv(watch) => watch.stop(),
            Watch::Thread(watch) => watch.stop(),
        }
    }

    /// Ends it for good, and closes the duplicate.
    pub fn close(&self) {
        match self {
            #[cfg(unix)]
            Watch::Uv(watch) => watch.close(),
            Watch::Thread(watch) => watch.close(),
        }
    }
}

/// How long one wake may go on: 16 batches or a millisecond, whichever is sooner.
///
/// Sixteen batches of coalesced messages can be 131,072 datagrams; the clock is what keeps timers on time.
pub struct Budget {
    batches: u32,
    end: Instant,
}

impl Budget {
    const BATCHES: u32 = 16;
    const TIME: Duration = Duration::from_millis(1);

    /// Of a wake that begins now.
    pub fn new() -> Budget {
        Budget { batches: Self::BATCHES, end: Instant::now() + Self::TIME }
    }

    /// Takes one batch off; whether there is something left.
    pub fn spend(&mut self) -> bool {
        self.batches = self.batches.saturating_sub(1);
        self.batches > 0 && Instant::now() < self.end
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_after_sixteen_batches() {
        let mut budget = Budget { batches: Budget::BATCHES, end: Instant::now() + Duration::from_secs(60) };
        assert_eq!((1..).take_while(|_| budget.spend()).count(), 15);
        assert!(!budget.spend());
    }

    #[test]
    fn a_budget_ends_with_its_time() {
        let mut budget = Budget { batches: Budget::BATCHES, end: Instant::now() };
        assert!(!budget.spend());
    }
}
