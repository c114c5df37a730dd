//! The contract of readiness, with a channel in place of the JavaScript thread.

use super::*;
use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Stands for the JavaScript thread: keys come here, and are taken one at a time.
struct Loop {
    keys: Receiver<Key>,
    hub: Rc<Hub>,
}

impl Loop {
    fn new() -> Loop {
        let (sender, keys) = channel();
        Loop { hub: Hub::new(Arc::new(move |key| sender.send(key).is_ok())).unwrap(), keys }
    }

    /// One turn: whether a key came, within a time in which one that is due surely comes.
    fn turn(&self) -> bool {
        self.turn_within(Duration::from_secs(10))
    }

    fn quiet(&self) -> bool {
        !self.turn_within(Duration::from_millis(30))
    }

    fn turn_within(&self, time: Duration) -> bool {
        self.hub.turned();
        self.keys.recv_timeout(time).inspect(|&key| self.hub.told(key)).is_ok()
    }
}

fn bound() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

fn send_to(socket: &UdpSocket) {
    bound().send_to(b"x", socket.local_addr().unwrap()).unwrap();
}

/// A watch that counts its deliveries and answers `next`.
fn counting(turns: &Loop, socket: &UdpSocket, next: Next) -> (Rc<Watch>, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let deliver = {
        let count = Rc::clone(&count);
        Rc::new(move || {
            count.set(count.get() + 1);
            next
        })
    };
    (turns.hub.watch(socket.try_clone().unwrap().into(), Interest::Readable, deliver), count)
}

#[test]
fn delivers_only_while_started_and_again_until_consumed() {
    let (turns, socket) = (Loop::new(), bound());
    let (watch, count) = counting(&turns, &socket, Next::Enough);
    send_to(&socket);
    assert!(turns.quiet(), "begins stopped");
    watch.start().unwrap();
    assert!(turns.turn() && turns.turn(), "level-triggered");
    assert_eq!(count.get(), 2);
    socket.recv_from(&mut [0; 8]).unwrap();
    while turns.turn_within(Duration::from_millis(30)) {}
    let consumed = count.get();
    send_to(&socket);
    assert!(turns.turn());
    assert_eq!(count.get(), consumed + 1);
    watch.stop();
    while turns.turn_within(Duration::from_millis(30)) {}
    assert_eq!(count.get(), consumed + 1, "a key under way is unheard after stop");
}

#[test]
fn again_is_called_again_without_the_poller_and_within_the_budget() {
    let (turns, socket) = (Loop::new(), bound());
    let count = Rc::new(Cell::new(0));
    let deliver = {
        let (count, socket) = (Rc::clone(&count), socket.try_clone().unwrap());
        Rc::new(move || {
            count.set(count.get() + 1);
            let _ = socket.recv_from(&mut [0; 8]); // the first takes the datagram, so the poller tells once
            Next::Again
        })
    };
    let watch = turns.hub.watch(socket.try_clone().unwrap().into(), Interest::Readable, deliver);
    let mut most = 0;
    // A slow machine may spend the millisecond of one wake before its second call, but not of each.
    for _ in 0..20 {
        count.set(0);
        send_to(&socket);
        watch.start().unwrap();
        assert!(turns.turn(), "the thread has told nothing");
        while turns.turn_within(Duration::from_millis(30)) {}
        assert!((1..=16).contains(&count.get()), "{} calls in a wake", count.get());
        most = most.max(count.get());
    }
    assert!(most > 1);
}

#[test]
fn a_closed_watch_is_silent_and_its_hub_ends() {
    let (turns, socket) = (Loop::new(), bound());
    let (watch, count) = counting(&turns, &socket, Next::Enough);
    watch.start().unwrap();
    watch.close();
    send_to(&socket);
    assert!(turns.quiet());
    assert_eq!((watch.start(), count.get()), (Err(Errno(libc::EBADF)), 0));
    assert!(turns.hub.watches.borrow().is_empty());
    turns.hub.close();
    turns.hub.close();
}

#[test]
fn two_watches_of_one_descriptor_both_deliver() {
    let (turns, socket) = (Loop::new(), bound());
    let (first, second) = (counting(&turns, &socket, Next::Enough), counting(&turns, &socket, Next::Enough));
    first.0.start().unwrap();
    second.0.start().unwrap();
    send_to(&socket);
    while first.1.get() == 0 || second.1.get() == 0 {
        assert!(turns.turn());
    }
    second.0.close();
    let before = first.1.get();
    while first.1.get() == before {
        assert!(turns.turn());
    }
}

#[test]
fn what_ended_its_wake_is_armed_a_turn_later() {
    let (turns, socket) = (Loop::new(), bound());
    let (watch, count) = counting(&turns, &socket, Next::Enough);
    watch.start().unwrap();
    send_to(&socket);
    turns.hub.told(turns.keys.recv_timeout(Duration::from_secs(10)).unwrap());
    assert!(turns.keys.recv_timeout(Duration::from_millis(30)).is_err(), "the loop has not turned yet");
    watch.stop();
    watch.start().unwrap();
    assert!(
        turns.keys.recv_timeout(Duration::from_millis(30)).is_err(),
        "nor does a new start go ahead of it"
    );
    assert!(turns.turn());
    assert_eq!(count.get(), 2);
}

#[test]
fn many_sockets_share_the_thread() {
    let turns = Loop::new();
    let sockets: Vec<_> = (0..50).map(|_| bound()).collect();
    let watches: Vec<_> = sockets.iter().map(|socket| counting(&turns, socket, Next::Enough)).collect();
    for ((watch, _), socket) in watches.iter().zip(&sockets) {
        watch.start().unwrap();
        send_to(socket);
    }
    while watches.iter().any(|(_, count)| count.get() == 0) {
        assert!(turns.turn());
    }
}
