//! Waiting for a socket, or for one of many, on the calling thread: poll(2) in slices.
//!
//! The caller is a JavaScript thread, which may be told to end meanwhile (`worker.terminate()`, `process.exit()`), and
//! nothing wakes a thread that sits in native code. So no single wait is longer than [`SLICE`], and between two the
//! caller is asked.

use std::time::{Duration, Instant};

use super::fd::RawFd;
use super::libc::{self, c_int, c_short, pollfd};
use super::{Errno, retry, syscall};

/// The longest single wait.
pub const SLICE: Duration = Duration::from_millis(50);

/// `POLLRDHUP`, where the kernel has it: reading has been shut down.
#[cfg(linux_sockets)]
const READ_SHUT_DOWN: c_short = libc::POLLRDHUP;
#[cfg(not(linux_sockets))]
const READ_SHUT_DOWN: c_short = 0;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A receive will not find the queue empty; or it will, if another holder of the descriptor was quicker or the
    /// datagram's checksum was wrong, and then the wait goes on (select(2), BUGS).
    Readable,
    /// Reading has been shut down: whatever is queued can still be received, then nothing ever again.
    ShutDown,
    /// The deadline has passed.
    TimedOut,
    /// The caller's thread is to end.
    Interrupted,
}

/// Waits until `fd` is readable or has an error to tell, `deadline` (`None`: for ever) or `interrupted`.
///
/// `interrupted` is asked after every slice, signal and wake.
pub fn readable(
    fd: RawFd,
    deadline: Option<Instant>,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<Ended, Errno> {
    loop {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let events = match poll(fd, left.map_or(SLICE, |left| left.min(SLICE))) {
            Err(Errno(libc::EINTR)) => 0,
            events => events?,
        };
        if interrupted() {
            return Ok(Ended::Interrupted);
        }
        if events & libc::POLLNVAL != 0 {
            return Err(Errno(libc::EBADF));
        }
        if tells_shut_down(events) {
            return Ok(Ended::ShutDown);
        }
        if events != 0 {
            return Ok(Ended::Readable);
        }
        if left == Some(Duration::ZERO) {
            return Ok(Ended::TimedOut);
        }
    }
}

/// As [`readable`], for the first of many: tells in `ready` which have something for a receive, 1 or 0 each, and gives
/// their number, 0 at the deadline and where the caller's thread is to end.
///
/// A place without a descriptor is ready. So is one whose descriptor is none: the receive says so.
pub fn any_readable(
    fds: &[Option<RawFd>],
    ready: &mut [u8],
    deadline: Option<Instant>,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<usize, Errno> {
    // poll(2) passes over -1.
    let mut entries: Vec<pollfd> = fds.iter().map(|fd| entry(fd.unwrap_or(!0))).collect();
    let deadline = if fds.contains(&None) { Some(Instant::now()) } else { deadline };
    loop {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        match poll_all(&mut entries, left.map_or(SLICE, |left| left.min(SLICE))) {
            // It has written nothing, poll(2); what the last slice left says that none was ready.
            Err(Errno(libc::EINTR)) => {}
            result => result?,
        }
        if interrupted() {
            ready.fill(0);
            return Ok(0);
        }
        let mut count = 0;
        for ((fd, entry), ready) in fds.iter().zip(&entries).zip(&mut *ready) {
            *ready = u8::from(fd.is_none() || entry.revents != 0);
            count += usize::from(*ready);
        }
        if count > 0 || left == Some(Duration::ZERO) {
            return Ok(count);
        }
    }
}

/// Whether a receive would find something, or an error, now.
pub fn is_readable(fd: RawFd) -> Result<bool, Errno> {
    retry(|| poll(fd, Duration::ZERO)).map(|events| events != 0)
}

/// Whether there is room to send, as far as the socket itself is concerned.
pub fn is_writable(fd: RawFd) -> Result<bool, Errno> {
    let mut entries = [pollfd { fd, events: libc::POLLOUT, revents: 0 }];
    retry(|| poll_all(&mut entries, Duration::ZERO))?;
    Ok(entries[0].revents != 0)
}

/// Whether reading has been shut down. Such a socket is readable for ever and gives nothing.
pub fn is_shut_down(fd: RawFd) -> bool {
    retry(|| poll(fd, Duration::ZERO)).is_ok_and(tells_shut_down)
}

#[allow(clippy::bad_bit_mask)] // no bit where the system has none
fn tells_shut_down(events: c_short) -> bool {
    events & READ_SHUT_DOWN != 0
}

fn poll(fd: RawFd, timeout: Duration) -> Result<c_short, Errno> {
    let mut entries = [entry(fd)];
    poll_all(&mut entries, timeout)?;
    Ok(entries[0].revents)
}

fn entry(fd: RawFd) -> pollfd {
    pollfd { fd, events: libc::POLLIN | READ_SHUT_DOWN, revents: 0 }
}

fn poll_all(entries: &mut [pollfd], timeout: Duration) -> Result<(), Errno> {
    // Rounded up: a wait of 0.3 ms must not become a loop without one.
    let milliseconds = timeout.as_micros().div_ceil(1000) as c_int;
    // SAFETY: as many pollfds as said, which outlive the call.
    unsafe { syscall!(poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, milliseconds)) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;

    fn bound() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").unwrap()
    }

    #[test]
    fn ends_at_the_deadline_and_not_before() {
        let socket = bound();
        let deadline = Instant::now() + Duration::from_millis(120);
        let mut asked = 0;
        let ended = readable(socket.as_raw_fd(), Some(deadline), &mut || {
            asked += 1;
            false
        });
        assert_eq!(ended, Ok(Ended::TimedOut));
        assert!(Instant::now() >= deadline);
        assert!(asked >= 3, "asked {asked} times in three slices");
    }

    #[test]
    fn ends_when_interrupted() {
        let socket = bound();
        assert_eq!(readable(socket.as_raw_fd(), None, &mut || true), Ok(Ended::Interrupted));
    }

    #[test]
    fn ends_when_a_datagram_comes() {
        let socket = bound();
        assert_eq!(is_readable(socket.as_raw_fd()), Ok(false));
        let to = socket.local_addr().unwrap();
        let sender = std::thread::spawn(move || bound().send_to(b"x", to).unwrap());
        assert_eq!(readable(socket.as_raw_fd(), None, &mut || false), Ok(Ended::Readable));
        assert_eq!(is_readable(socket.as_raw_fd()), Ok(true));
        sender.join().unwrap();
    }

    #[test]
    fn tells_a_closed_descriptor() {
        assert_eq!(readable(1 << 20, None, &mut || false), Err(Errno(libc::EBADF)));
    }

    #[test]
    fn tells_which_of_many_are_ready() {
        let sockets = [bound(), bound(), bound()];
        let fds = sockets.each_ref().map(|socket| Some(socket.as_raw_fd()));
        let mut ready = [7; 3];
        let now = Some(Instant::now());
        assert_eq!(any_readable(&fds, &mut ready, now, &mut || false), Ok(0));
        assert_eq!(ready, [0, 0, 0]);
        for to in [0, 2] {
            sockets[1].send_to(b"x", sockets[to].local_addr().unwrap()).unwrap();
            readable(sockets[to].as_raw_fd(), None, &mut || false).unwrap();
        }
        assert_eq!(any_readable(&fds, &mut ready, None, &mut || false), Ok(2));
        assert_eq!(ready, [1, 0, 1]);
        assert_eq!(any_readable(&fds, &mut ready, None, &mut || true), Ok(0), "interrupted");
        assert_eq!(ready, [0, 0, 0]);
    }

    #[test]
    fn waits_for_the_first_of_many() {
        let sockets = [bound(), bound()];
        let fds = sockets.each_ref().map(|socket| Some(socket.as_raw_fd()));
        let to = sockets[1].local_addr().unwrap();
        let sender = std::thread::spawn(move || bound().send_to(b"x", to).unwrap());
        let mut ready = [0; 2];
        assert_eq!(any_readable(&fds, &mut ready, None, &mut || false), Ok(1));
        assert_eq!(ready, [0, 1]);
        sender.join().unwrap();
    }

    #[test]
    fn many_end_at_the_deadline_and_when_interrupted() {
        let socket = bound();
        let fds = [Some(socket.as_raw_fd())];
        let deadline = Instant::now() + Duration::from_millis(120);
        let mut asked = 0;
        let ended = any_readable(&fds, &mut [0], Some(deadline), &mut || {
            asked += 1;
            false
        });
        assert_eq!(ended, Ok(0));
        assert!(Instant::now() >= deadline);
        assert!(asked >= 3, "asked {asked} times in three slices");
        assert_eq!(any_readable(&fds, &mut [0], None, &mut || true), Ok(0));
    }

    #[test]
    fn what_has_no_descriptor_is_ready_and_does_not_wait() {
        let socket = bound();
        let mut ready = [0; 3];
        let fds = [Some(socket.as_raw_fd()), None, Some(1 << 20)];
        assert_eq!(any_readable(&fds, &mut ready, None, &mut || false), Ok(2));
        assert_eq!(ready, [0, 1, 1]);
    }

    #[cfg(linux_sockets)]
    #[test]
    fn tells_that_reading_was_shut_down() {
        let socket = bound();
        assert!(!is_shut_down(socket.as_raw_fd()));
        // SAFETY: shutdown(2) takes no memory. It says ENOTCONN of an unconnected socket, and shuts it down.
        unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RD) };
        assert!(is_shut_down(socket.as_raw_fd()));
        assert_eq!(readable(socket.as_raw_fd(), None, &mut || false), Ok(Ended::ShutDown));
    }
}
