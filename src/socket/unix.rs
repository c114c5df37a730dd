//! What a socket of Unix domain has of its own, unix(7): names, a file, and peers whose queue is full.

use socket2::{Domain, SockAddr, Type};

use super::unix_file::{self, SocketFile};
use super::{NotAdopted, Parts, Socket};
use crate::readiness::Interest;
use crate::record::Peer;
use crate::sys::descriptor::{self, Identity};
use crate::sys::fd::{AsRawFd, OwnedFd, RawFd};
use crate::sys::options::{self, Telling};
use crate::sys::{Backend, Errno, Wanted, libc, unix};

/// What a socket is to be before it is bound.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnixOptions {
    /// Permissions of the file; `None` for those that umask(2) leaves.
    pub mode: Option<u32>,
    /// Bytes asked for SO_RCVBUF, `None` for the system's default.
    pub recv_buffer_size: Option<usize>,
    /// Bytes asked for SO_SNDBUF, which bounds a datagram and what waits at receivers; `None` for the system's default.
    pub send_buffer_size: Option<usize>,
    /// What a [`UnixTelling`] says.
    pub telling: UnixTelling,
    /// Which system call receives.
    pub backend: Backend,
}

/// What the kernel is to tell with each datagram.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnixTelling {
    /// Process, user and group of the sender: SO_PASSCRED.
    pub credentials: bool,
    /// When it was sent: SO_TIMESTAMPNS.
    pub timestamps: bool,
}

/// See the module's documentation.
#[derive(Default)]
pub struct Unix {
    /// What is removed with the socket.
    file: Option<SocketFile>,
    /// Whom it was told to connect to: the kernel forgets a peer that has gone.
    peer: Option<SockAddr>,
    /// Peers whose queue had no room, since somebody last waited for it.
    full: Vec<SockAddr>,
    /// One more of these since the last wait began.
    news: bool,
    /// What a wait for them watches. They are in an epoll(7), which forgets what is closed.
    probes: Vec<socket2::Socket>,
}

impl Socket {
    /// Makes a Unix socket and binds it to a path, to an abstract name (its first byte is NUL; Linux), or with the empty
    /// name to one that the kernel chooses. `None` leaves it without a name.
    pub fn bind_unix(name: Option<&[u8]>, options: &UnixOptions) -> Result<Socket, Errno> {
        let inner = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        descriptor::prepare(&inner)?;
        if let Some(bytes) = options.recv_buffer_size {
            options::set_recv_buffer(inner.as_raw_fd(), bytes)?;
        }
        if let Some(bytes) = options.send_buffer_size {
            inner.set_send_buffer_size(bytes)?;
        }
        let telling = tell(inner.as_raw_fd(), options.telling)?;
        let mut own = Unix::default();
        if let Some(name) = name {
            let address = unix::address(name)?;
            match unix_file::path_of(name) {
                Some(path) => own.file = Some(unix_file::bind(&inner, &address, path, options.mode)?),
                None => inner.bind(&address)?,
            }
        }
        let identity = Identity::of(inner.as_raw_fd())?;
        let parts = Parts { inner, identity, backend: options.backend, telling, restore_blocking: false };
        Ok(Socket { unix: Some(own), ..Socket::new(parts) })
    }

    /// Takes a Unix datagram socket over. Its file, if it has one, is left alone.
    pub fn unix_from_fd(
        fd: RawFd,
        dup: bool,
        telling: UnixTelling,
        backend: Backend,
    ) -> Result<Socket, NotAdopted> {
        let (inner, identity, restore_blocking, telling) =
            super::create::adopt(fd, dup, Wanted::Unix, |fd| tell(fd, telling))?;
        // One without a name, of socketpair(2), is not to be found again.
        let peer = inner.peer_addr().ok().filter(|peer| !name_of(peer).is_empty());
        let parts = Parts { inner, identity, backend, telling, restore_blocking };
        Ok(Socket { unix: Some(Unix { peer, ..Unix::default() }), ..Socket::new(parts) })
    }

    /// The name it is bound to, or with `peer` that of whom it is connected to: empty for none. ENOTCONN.
    pub fn unix_name(&self, peer: bool) -> Result<Vec<u8>, Errno> {
        self.fd()?;
        let name = if peer { self.inner.peer_addr()? } else { self.inner.local_addr()? };
        Ok(name_of(&name).to_vec())
    }

    /// Receives from and sends to the socket of this name only: connect(2).
    pub fn connect_unix(&mut self, name: &[u8]) -> Result<(), Errno> {
        self.fd()?;
        let address = unix::address(name)?;
        self.inner.connect(&address)?;
        self.own()?.turn_to(Some(address));
        Ok(())
    }

    /// Sends one datagram to the socket of this name, or to the connected peer; `false` when there is no room.
    ///
    /// # Safety
    /// `length` bytes at `data` are readable until this returns.
    pub unsafe fn send_unix(
        &mut self,
        data: *const u8,
        length: usize,
        name: Option<&[u8]>,
    ) -> Result<bool, Errno> {
        let to = name.map(unix::address).transpose()?;
        // SAFETY: the caller's promise is the callee's.
        let mut sent = unsafe { self.send_to(data, length, to.as_ref()) };
        if let Err(error) = sent
            && to.is_none()
            && self.reconnected(error)?
        {
            // SAFETY: as above.
            sent = unsafe { self.send_to(data, length, None) };
        }
        if let (Ok(false), Some(to)) = (sent, to) {
            self.note_full(to);
        }
        sent
    }

    /// Whether the connected peer had gone, and there is one of its name again. The error is that there is none.
    ///
    /// The kernel disconnects a socket whose peer has gone, and says ECONNREFUSED (ECONNRESET) once and ENOTCONN from
    /// then on; and the one that takes its place, a daemon that was started anew, is another socket.
    pub(super) fn reconnected(&mut self, error: Errno) -> Result<bool, Errno> {
        let Some(Unix { peer: Some(peer), .. }) = &self.unix else { return Ok(false) };
        match error.0 {
            libc::ECONNREFUSED | libc::ECONNRESET | libc::ENOTCONN => {
                self.inner.connect(peer)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The kernel has no room for a datagram to this peer.
    pub(super) fn note_full(&mut self, peer: SockAddr) {
        let Some(own) = &mut self.unix else { return };
        if !own.full.contains(&peer) {
            own.full.push(peer);
            own.news = true;
        }
    }

    /// Whether a wait for room that has begun knows too little: another peer's queue is full by now.
    pub fn waits_for_others(&mut self) -> bool {
        self.unix.as_mut().is_some_and(|own| std::mem::take(&mut own.news))
    }

    /// The wait for room is over.
    pub fn waited(&mut self) {
        if let Some(own) = &mut self.unix {
            (own.full, own.probes, own.news) = Default::default();
        }
    }

    /// What to watch, and for what, to learn that there is room: a descriptor that nobody else knows.
    ///
    /// A socket that is not connected is writable while a peer's queue is full: it is the peer that has no room. But a
    /// socket that is connected to this peer waits for it (`unix_dgram_poll`, net/unix/af_unix.c). So there is one for
    /// each, and room at any of them is room.
    pub fn room(&mut self) -> Result<(OwnedFd, Interest), Errno> {
        let own_room = (self.duplicate()?, Interest::Writable);
        #[cfg(linux_sockets)]
        if let Some(own) = &mut self.unix
            && !own.full.is_empty()
        {
            own.news = false;
            // Not whether poll(2) says writable: it wants three quarters of the buffer free, of which one that is stopped
            // may hold more for ever, and sendmsg(2) any byte.
            let fd = self.inner.as_raw_fd();
            let crowded = unix::unsent(fd)? >= self.inner.send_buffer_size()?;
            return own.room_at_peers(crowded.then_some(fd)).map(|room| room.unwrap_or(own_room));
        }
        Ok(own_room)
    }

    pub(super) fn own(&mut self) -> Result<&mut Unix, Errno> {
        self.unix.as_mut().ok_or(Errno(libc::EAFNOSUPPORT))
    }
}

impl Unix {
    /// It is connected to this one now, or to nobody: it is another one's room that matters.
    pub fn turn_to(&mut self, peer: Option<SockAddr>) {
        self.peer = peer;
        self.full.clear();
        self.news = true;
    }

    /// Readable when one of the peers has room, or has gone; `None` where one of them has gone already.
    ///
    /// `crowded` is the socket itself where its own buffer is full. Then that may have been why nothing could be sent, to a
    /// peer which has room: so its room is waited for too, and of the peers only those that have none.
    #[cfg(linux_sockets)]
    fn room_at_peers(&mut self, crowded: Option<RawFd>) -> Result<Option<(OwnedFd, Interest)>, Errno> {
        use crate::sys::fd::FromRawFd;
        use crate::sys::{syscall, wait};

        // SAFETY: epoll_create1(2) takes a number and gives a descriptor that is ours.
        let epoll = unsafe { OwnedFd::from_raw_fd(syscall!(epoll_create1(libc::EPOLL_CLOEXEC))?) };
        let add = |fd: RawFd| {
            let mut event = libc::epoll_event { events: libc::EPOLLOUT as u32, u64: 0 };
            // SAFETY: both are open, and `event` is readable.
            unsafe { syscall!(epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event)) }
        };
        self.probes.clear();
        if let Some(fd) = crowded {
            add(fd)?;
        }
        for peer in &self.full {
            let probe = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None)?;
            probe.set_nonblocking(true)?;
            if probe.connect(peer).is_err() {
                return Ok(None); // sending tells
            }
            if crowded.is_some() && wait::is_writable(probe.as_raw_fd())? {
                continue;
            }
            add(probe.as_raw_fd())?;
            self.probes.push(probe);
        }
        Ok(Some((epoll, Interest::Readable)))
    }
}

/// The name in an address, see [`unix::read`]; empty for none.
fn name_of(address: &SockAddr) -> &[u8] {
    // SAFETY: a SockAddr holds a whole, initialised sockaddr_storage.
    let storage = unsafe { &*address.as_ptr().cast::<libc::sockaddr_storage>() };
    unix::read(storage, address.len() as usize).unwrap_or_default()
}

/// Has the kernel tell what is asked for.
fn tell(fd: RawFd, UnixTelling { credentials, timestamps }: UnixTelling) -> Result<Telling, Errno> {
    if credentials {
        unix::set_credentials(fd)?;
    }
    let telling = Telling { timestamps, ..Telling::default() };
    options::set_telling(fd, false, telling)?;
    Ok(telling)
}

/// What the table says of a Unix message's sender. Descriptors that came with it are closed; how many.
///
/// # Safety
/// As for [`unix::take`].
pub unsafe fn peer<'a>(name: Option<&'a [u8]>, control: crate::cmsg::Messages<'_>) -> (Peer<'a>, usize) {
    // SAFETY: the caller's promise is the callee's.
    let unix::Told { credentials, descriptors } = unsafe { unix::take(control) };
    (Peer { name: name.unwrap_or_default(), credentials }, descriptors)
}
