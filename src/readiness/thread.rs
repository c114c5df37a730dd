//! Readiness by a helper thread, one per JavaScript environment, that waits in epoll, kqueue or what the system has.
//!
//! The thread only ever learns numbers: it waits for a key and passes it to `notify`, which hands it to the JavaScript
//! thread. Everything that runs JavaScript, and every decision, stays there. A socket is watched in one-shot mode: once
//! told, the thread forgets it until it is armed again, so a socket that nobody reads costs nothing.
//!
//! Arming is the JavaScript thread's, a turn of its event loop later ([`Hub::turned`]). At once would do no good: the
//! key would be back before the runtime had emptied the queue of keys, which it does up to a thousand times before it
//! looks at a timer.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use polling::{Event, Events, Poller};

use super::{Budget, Deliver, Interest, Next};
use crate::sys::fd::OwnedFd;
use crate::sys::{Errno, libc};

/// What is told across threads: which watch is readable.
pub type Key = usize;

/// Passes a key to the JavaScript thread; `false` when there is none any more. Called from both threads.
pub type Notify = Arc<dyn Fn(Key) -> bool + Send + Sync>;

/// The environment's helper thread and the watches it serves.
pub struct Hub {
    /// `None` once it has ended.
    poller: RefCell<Option<Arc<Poller>>>,
    notify: Notify,
    ending: Arc<AtomicBool>,
    thread: RefCell<Option<JoinHandle<()>>>,
    watches: RefCell<HashMap<Key, Weak<Watch>>>,
    next_key: Cell<Key>,
    /// Something was delivered in this turn of the event loop.
    turning: Cell<bool>,
    /// Watches to arm when it has turned.
    resting: RefCell<Vec<Key>>,
}

impl Hub {
    /// Starts the thread.
    pub fn new(notify: Notify) -> Result<Rc<Hub>, Errno> {
        let poller = Arc::new(Poller::new()?);
        let ending = Arc::new(AtomicBool::new(false));
        let thread = Builder::new().name("recvmmsg".into()).spawn({
            let (poller, ending, notify) = (Arc::clone(&poller), Arc::clone(&ending), Arc::clone(&notify));
            move || serve(&poller, &ending, &notify)
        })?;
        Ok(Rc::new(Hub {
            poller: RefCell::new(Some(poller)),
            notify,
            ending,
            thread: RefCell::new(Some(thread)),
            watches: RefCell::default(),
            next_key: Cell::new(0),
            turning: Cell::new(false),
            resting: RefCell::default(),
        }))
    }

    /// A watch of `fd` that calls `deliver`.
    pub fn watch(self: &Rc<Hub>, fd: OwnedFd, interest: Interest, deliver: Deliver) -> Rc<Watch> {
        let key = self.next_key.replace(self.next_key.get() + 1);
        let watch = Rc::new(Watch {
            hub: Rc::clone(self),
            key,
            interest,
            state: Cell::new(State::Stopped),
            fd: RefCell::new(Some(fd)),
            added: Cell::new(false),
            budget: Cell::new(None),
            deliver,
        });
        self.watches.borrow_mut().insert(key, Rc::downgrade(&watch));
        watch
    }

    /// Takes a key that was notified; on the JavaScript thread, once for each.
    pub fn told(&self, key: Key) {
        let watch = self.watches.borrow().get(&key).and_then(Weak::upgrade);
        if let Some(watch) = watch {
            watch.wake();
        }
    }

    /// The event loop has turned since something was delivered: arms who waits for that.
    pub fn turned(&self) {
        self.turning.set(false);
        for key in self.resting.take() {
            let watch = self.watches.borrow().get(&key).and_then(Weak::upgrade);
            if let Some(watch) = watch
                && watch.state.get() == State::Resting
                && watch.arm().is_err()
            {
                watch.state.set(State::Stopped);
            }
        }
    }

    /// Ends the thread and waits for it. Watches stay silent from then on.
    pub fn close(&self) {
        let Some(thread) = self.thread.take() else { return };
        let Some(poller) = self.poller.take() else { return };
        self.ending.store(true, Ordering::Release);
        // Neither can be helped: a poller that cannot be woken has no thread waiting in it, and the thread's panic has
        // been printed.
        let _ = poller.notify();
        let _ = thread.join();
    }

    fn poller(&self) -> Result<Arc<Poller>, Errno> {
        self.poller.borrow().clone().ok_or(Errno(libc::EBADF))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.close();
    }
}

/// The thread's life.
fn serve(poller: &Poller, ending: &AtomicBool, notify: &Notify) {
    let mut events = Events::new();
    while !ending.load(Ordering::Acquire) {
        events.clear();
        match poller.wait(&mut events, None) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        }
        if !events.iter().all(|event| notify(event.key)) {
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is wanted. A key that is still under way is ignored when it comes.
    Stopped,
    /// To be armed when the event loop has turned.
    Resting,
    /// The poller waits for the socket, or has told it and the key is under way.
    Armed,
    /// In `deliver`, or between two calls of it in one wake: the key is our own.
    Delivering,
    /// For good.
    Closed,
}

/// A socket watched by the hub's thread. See the contract in [`super`].
pub struct Watch {
    hub: Rc<Hub>,
    key: Key,
    interest: Interest,
    state: Cell<State>,
    /// The duplicate that is polled.
    fd: RefCell<Option<OwnedFd>>,
    /// The poller knows it.
    added: Cell<bool>,
    /// What is left of the present wake, between two keys of it.
    budget: Cell<Option<Budget>>,
    deliver: Deliver,
}

impl Watch {
    /// See the contract.
    pub fn start(&self) -> Result<(), Errno> {
        match self.state.get() {
            State::Closed => Err(Errno(libc::EBADF)),
            State::Stopped if self.hub.turning.get() => {
                self.rest();
                Ok(())
            }
            State::Stopped => self.arm(),
            State::Resting | State::Armed | State::Delivering => Ok(()),
        }
    }

    /// See the contract. The poller is not asked to forget: an armed socket tells at most once more, and unheard.
    pub fn stop(&self) {
        if self.state.get() != State::Closed {
            self.state.set(State::Stopped);
            self.budget.set(None);
        }
    }

    /// See the contract.
    pub fn close(&self) {
        if self.state.replace(State::Closed) == State::Closed {
            return;
        }
        self.hub.watches.borrow_mut().remove(&self.key);
        if let Some(fd) = self.fd.take()
            && self.added.get()
            && let Ok(poller) = self.hub.poller()
        {
            // It fails only where the poller has nothing to forget.
            let _ = poller.delete(&fd);
        }
    }

    fn rest(&self) {
        self.state.set(State::Resting);
        self.hub.resting.borrow_mut().push(self.key);
    }

    fn arm(&self) -> Result<(), Errno> {
        let interest = match self.interest {
            Interest::Readable => Event::readable(self.key),
            Interest::Writable => Event::writable(self.key),
        };
        let fd = self.fd.borrow();
        let fd = fd.as_ref().ok_or(Errno(libc::EBADF))?;
        let poller = self.hub.poller()?;
        if self.added.get() {
            poller.modify(fd, interest)?;
        } else {
            // SAFETY: `close` deletes it from the poller, if there is one, before it closes it, and nobody else knows its
            // number.
            unsafe { poller.add(fd, interest) }?;
            self.added.set(true);
        }
        self.state.set(State::Armed);
        Ok(())
    }

    /// One call of `deliver`, and what is to come after it.
    ///
    /// A key is one call: Node runs the jobs that JavaScript left behind when a key's function returns, not before. So
    /// more of the same wake is a key again, sent from here.
    fn wake(&self) {
        if !matches!(self.state.get(), State::Armed | State::Delivering) {
            return;
        }
        let mut budget = self.budget.take().unwrap_or_default();
        self.state.set(State::Delivering);
        self.hub.turning.set(true);
        let next = (self.deliver)();
        if self.state.get() != State::Delivering {
            return; // stopped, closed, or stopped and started, meanwhile
        }
        if next == Next::Again && budget.spend() && (self.hub.notify)(self.key) {
            self.budget.set(Some(budget));
        } else {
            self.rest();
        }
    }
}

#[cfg(test)]
mod tests;
