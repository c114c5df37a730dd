//! The contract of `sys`, run over every backend.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use super::tap::Tap;
use super::{Backend, Errno, Received, options};
use crate::arena::{Arena, Slots};

const SLOT: usize = 2048;

fn backends() -> Vec<Backend> {
    vec![
        #[cfg(mmsg)]
        Backend::Mmsg,
        Backend::Portable,
    ]
}

/// A receiver in blocking mode, so that a call which relies on the mode would hang, and a sender connected to it.
fn pair() -> (UdpSocket, UdpSocket) {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    sender.connect(receiver.local_addr().unwrap()).unwrap();
    (receiver, sender)
}

struct Rig {
    memory: Vec<u8>,
    arena: Arena,
    tap: Tap,
}

impl Rig {
    fn new(slots: usize) -> Rig {
        Rig { memory: vec![0; slots * SLOT], arena: Arena::default(), tap: Tap::default() }
    }

    fn receive(&mut self, backend: Backend, socket: &UdpSocket, flags: i32) -> Result<Received, Errno> {
        self.receive_broken(backend, socket, flags, None)
    }

    /// As `receive`, with one header whose memory the kernel cannot write to.
    fn receive_broken(
        &mut self,
        backend: Backend,
        socket: &UdpSocket,
        flags: i32,
        broken: Option<usize>,
    ) -> Result<Received, Errno> {
        // SAFETY: the memory outlives the call below.
        let slots = unsafe { Slots::new(self.memory.as_mut_ptr(), self.memory.len(), SLOT) };
        let headers = self.arena.prepare(slots, slots.count());
        if let Some(index) = broken {
            // SAFETY: the arena has linked the header to its iovec. Address 1 is mapped in no process: the kernel
            // answers EFAULT and writes nothing.
            unsafe { (*headers[index].msg_hdr.msg_iov).iov_base = std::ptr::without_provenance_mut(1) };
        }
        // SAFETY: the arena's headers over live memory, but for the one above.
        unsafe { backend.receive(socket.as_raw_fd(), headers, flags, &mut self.tap) }
    }

    fn lengths(&self, count: usize) -> Vec<usize> {
        (0..count).map(|index| self.arena.message(index).length).collect()
    }
}

fn whole(count: usize) -> Result<Received, Errno> {
    Ok(Received { count, parked: None })
}

#[test]
fn nothing_there_is_eagain_at_once_also_in_blocking_mode() {
    for backend in backends() {
        let (receiver, _sender) = pair();
        assert_eq!(Rig::new(4).receive(backend, &receiver, 0), Err(Errno(libc::EAGAIN)), "{backend:?}");
        assert_eq!(
            Rig::new(0).receive(backend, &receiver, 0),
            Err(Errno(libc::EAGAIN)),
            "{backend:?}, no header"
        );
        // SAFETY: fcntl(F_GETFL) takes and gives numbers.
        let mode = unsafe { libc::fcntl(receiver.as_raw_fd(), libc::F_GETFL) };
        assert_eq!(mode & libc::O_NONBLOCK, 0, "{backend:?} left the mode as it was");
    }
}

#[test]
fn takes_what_is_there_in_order_and_no_more_than_fits() {
    for backend in backends() {
        let (receiver, sender) = pair();
        for size in [3, 0, 1000, 7, 8] {
            sender.send(&vec![1; size]).unwrap();
        }
        let mut rig = Rig::new(4);
        assert_eq!(rig.receive(backend, &receiver, 0), whole(4), "{backend:?}");
        assert_eq!(rig.lengths(4), [3, 0, 1000, 7], "{backend:?}");
        assert_eq!(rig.arena.message(0).from, sender.local_addr().ok(), "{backend:?}");
        assert_eq!(rig.receive(backend, &receiver, 0), whole(1), "{backend:?}");
        assert_eq!(rig.lengths(1), [8], "{backend:?}");
    }
}

#[test]
fn takes_more_than_a_thousand_messages_a_call() {
    for backend in backends() {
        let (receiver, sender) = pair();
        socket2::SockRef::from(&receiver).set_recv_buffer_size(4 << 20).unwrap();
        for _ in 0..1500 {
            sender.send(b"x").unwrap();
        }
        let received = Rig::new(2000).receive(backend, &receiver, 0).unwrap();
        // The kernel may have room for fewer (net.core.rmem_max), but not for 1,024 by chance.
        assert!(received.count > 1024, "{backend:?} took {}", received.count);
    }
}

#[test]
fn peeking_takes_one_message_and_leaves_it() {
    for backend in backends() {
        let (receiver, sender) = pair();
        sender.send(b"first").unwrap();
        sender.send(b"2nd").unwrap();
        let mut rig = Rig::new(4);
        assert_eq!(rig.receive(backend, &receiver, libc::MSG_PEEK), whole(1), "{backend:?}");
        assert_eq!(rig.receive(backend, &receiver, libc::MSG_PEEK), whole(1), "{backend:?}");
        assert_eq!(rig.lengths(1), [5], "{backend:?}");
        assert_eq!(rig.receive(backend, &receiver, 0), whole(2), "{backend:?}");
    }
}

#[test]
fn an_error_before_the_first_message_is_the_result() {
    for backend in backends() {
        let (receiver, sender) = pair();
        sender.send(b"x").unwrap();
        let received = Rig::new(2).receive_broken(backend, &receiver, 0, Some(0));
        assert_eq!(received, Err(Errno(libc::EFAULT)), "{backend:?}");
    }
}

#[test]
fn an_error_after_the_first_message_is_the_next_result() {
    for backend in backends() {
        let (receiver, sender) = pair();
        for _ in 0..3 {
            sender.send(b"x").unwrap();
        }
        let mut rig = Rig::new(4);
        let received = rig.receive_broken(backend, &receiver, 0, Some(1)).unwrap();
        assert_eq!(received.count, 1, "{backend:?}");
        // Either the kernel has it, or the backend hands it over.
        let next = match received.parked {
            Some(error) => Err(error),
            None => rig.receive(backend, &receiver, 0),
        };
        assert_eq!(next, Err(Errno(libc::EFAULT)), "{backend:?}");
        assert_eq!(rig.receive(backend, &receiver, 0), whole(1), "{backend:?}: the data behind it");
    }
}

#[test]
fn a_closed_descriptor_is_ebadf() {
    for backend in backends() {
        let (receiver, _sender) = pair();
        let mut rig = Rig::new(1);
        // SAFETY: as in `Rig`; the descriptor is none.
        let slots = unsafe { Slots::new(rig.memory.as_mut_ptr(), SLOT, SLOT) };
        // SAFETY: as above.
        let received = unsafe { backend.receive(1 << 20, rig.arena.prepare(slots, 1), 0, &mut rig.tap) };
        assert_eq!(received, Err(Errno(libc::EBADF)), "{backend:?}");
        drop(receiver);
    }
}

#[cfg(linux_sockets)]
#[test]
fn a_coalesced_message_tells_its_segments() {
    for backend in backends() {
        let (receiver, sender) = pair();
        assert!(options::set_gro(receiver.as_raw_fd()) && options::gro(receiver.as_raw_fd()));
        options::set_int(sender.as_raw_fd(), libc::SOL_UDP, options::UDP_SEGMENT, 100).unwrap();
        sender.send(&[7; 350]).unwrap();
        sender.send(&[7; 50]).unwrap();
        let mut rig = Rig::new(4);
        let count = rig.receive(backend, &receiver, 0).unwrap().count;
        let told = (0..count)
            .map(|i| (rig.arena.message(i).length, options::told(rig.arena.message(i).control).segment));
        assert_eq!(told.collect::<Vec<_>>(), [(350, Some(100)), (50, None)], "{backend:?}");
    }
}
