//! The system call: sendmmsg(2) on Linux, send(2) elsewhere.

use std::io;
use std::ops::Range;

use socket2::Socket;

#[cfg(target_os = "linux")]
pub use linux::Wire;
#[cfg(not(target_os = "linux"))]
pub use portable::Wire;

/// Whether the kernel can cut messages into datagrams for this socket.
pub fn segments(socket: &Socket) -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        recvmmsg_testkit::segment::probe(socket.as_raw_fd()).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        false
    }
}

/// Whether the error of the first segmented message means that segmentation is not to be had: no checksum offload in
/// the device (EIO), too many or too long segments for this kernel or path, or no such option. See `udp_send_skb` in
/// net/ipv4/udp.c; EMSGSIZE is what newer kernels say of a segment longer than the path takes.
pub fn refuses_segments(error: &io::Error) -> bool {
    let refusals = [libc::EIO, libc::EINVAL, libc::ENOPROTOOPT, libc::EMSGSIZE];
    error.raw_os_error().is_some_and(|errno| refusals.contains(&errno))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::Ipv4Addr;
    use std::os::fd::AsRawFd;
    use std::{mem, ptr};

    use recvmmsg_testkit::segment::SegmentControl;
    use recvmmsg_testkit::source::SourceControl;

    use super::{Range, Socket, io};

    /// The headers of as many messages as one call takes.
    pub struct Wire {
        headers: Vec<libc::mmsghdr>,
        vectors: Vec<libc::iovec>,
        control: Option<SegmentControl>,
        sources: Option<Sources>,
    }

    /// Addresses of loopback, from 127.64.0.0 on, a message from each in turn.
    struct Sources {
        count: u32,
        /// Messages that have been sent.
        sent: u32,
        controls: Vec<SourceControl>,
    }

    impl Sources {
        /// Writes the control messages of the next `count` messages.
        fn load(&mut self, count: usize) {
            let next = |nth: u32| 0x7f40_0000 + self.sent.wrapping_add(nth) % self.count;
            self.controls.clear();
            self.controls.extend((0..count as u32).map(|nth| SourceControl::new(Ipv4Addr::from(next(nth)))));
        }
    }

    impl Wire {
        /// Headers for `capacity` messages, each cut into datagrams of `segment` bytes, or each from the next of so many
        /// `sources`, if that is given.
        pub fn new(capacity: usize, segment: Option<u16>, sources: Option<u32>) -> Self {
            // SAFETY: zero is a valid value of each field, null of the pointers; some C libraries add padding fields
            // that nothing else could initialise.
            let header: libc::mmsghdr = unsafe { mem::zeroed() };
            let vector = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
            Self {
                headers: vec![header; capacity],
                vectors: vec![vector; capacity],
                control: segment.map(SegmentControl::new),
                sources: sources.map(|count| Sources { count, sent: 0, controls: Vec::new() }),
            }
        }

        /// Sends the ranges of `buffer` as one message each, in order, to the peer of a connected socket.
        pub fn send(
            &mut self,
            socket: &Socket,
            buffer: &[u8],
            messages: &[Range<usize>],
        ) -> io::Result<usize> {
            if let Some(sources) = &mut self.sources {
                sources.load(messages.len());
            }
            let rows = self.headers.iter_mut().zip(&mut self.vectors);
            let mut count = 0;
            for ((header, vector), message) in rows.zip(messages) {
                let payload = &buffer[message.clone()];
                vector.iov_base = payload.as_ptr().cast_mut().cast();
                vector.iov_len = payload.len();
                header.msg_hdr.msg_iov = ptr::from_mut(vector);
                header.msg_hdr.msg_iovlen = 1;
                let source = self.sources.as_ref().map(|sources| sources.controls[count as usize].as_bytes());
                if let Some(control) = self.control.as_ref().map(SegmentControl::as_bytes).or(source) {
                    header.msg_hdr.msg_control = control.as_ptr().cast_mut().cast();
                    header.msg_hdr.msg_controllen = control.len() as _;
                }
                count += 1;
            }
            // SAFETY: the first `count` headers were filled just now with pointers into `vectors`, `buffer`, `control` and
            // `sources`, which are all borrowed until the end of this function. The kernel reads through them and
            // writes only the headers' msg_len.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), count, 0) };
            if sent == -1 {
                return Err(io::Error::last_os_error());
            }
            if let Some(sources) = &mut self.sources {
                sources.sent = sources.sent.wrapping_add(sent as u32);
            }
            Ok(sent as usize)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use super::{Range, Socket, io};

    /// Nothing is to be prepared for single sends.
    pub struct Wire;

    impl Wire {
        /// Takes the same arguments as on Linux, of which no segment size is ever given.
        pub fn new(_capacity: usize, _segment: Option<u16>, _sources: Option<u32>) -> Self {
            Self
        }

        /// Sends the first of the ranges of `buffer` to the peer of a connected socket.
        pub fn send(
            &mut self,
            socket: &Socket,
            buffer: &[u8],
            messages: &[Range<usize>],
        ) -> io::Result<usize> {
            let Some(message) = messages.first() else { return Ok(0) };
            socket.send(&buffer[message.clone()]).map(|_| 1)
        }
    }
}
