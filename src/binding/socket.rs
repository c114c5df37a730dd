//! Sockets: making, naming, sending, closing.

use std::cell::RefCell;
use std::net::SocketAddr;

use napi::bindgen_prelude::Either;
use napi_derive::napi;

use super::handle::{Handle, Holding, Owned};
use super::options::program;
use super::view::View;
use super::watch::Watched;
use super::{done, number};
use crate::record::{self, SOCKADDR};
use crate::sockaddr;
use crate::socket::{Adoption, BindOptions, FIGURES, NotAdopted, Socket};
use crate::sys::options::Telling;
use crate::sys::{Backend, Errno, descriptor, libc, named};

/// What JavaScript holds of a socket.
#[derive(Default)]
pub struct Held {
    /// `None` before it is bound and after it is closed.
    pub socket: RefCell<Option<Socket>>,
    /// What tells that it can be read, made when its first reader comes, and that it can be written to, made when there
    /// was no room for the first time.
    pub watched: [RefCell<Option<Watched>>; 2],
}

impl Held {
    /// Uses the socket; EBADF where there is none. No JavaScript runs inside.
    pub fn with<T>(&self, call: impl FnOnce(&mut Socket) -> Result<T, Errno>) -> Result<T, Errno> {
        // Borrowed already only if JavaScript ran inside a call after all.
        let mut socket = self.socket.try_borrow_mut().map_err(|_| Errno(libc::EBUSY))?;
        call(socket.as_mut().ok_or(Errno(libc::EBADF))?)
    }
}

impl Held {
    fn close(&self) {
        if let Some(socket) = self.socket.take() {
            // Nobody is left to tell.
            let _ = socket.close();
        }
    }
}

// The watch first: libuv and the poller must have forgotten the descriptor before it is closed.
impl Holding for Held {
    fn let_go(&self) {
        self.watched.iter().filter_map(|watched| watched.try_borrow().ok()).for_each(|watched| {
            watched.iter().for_each(Watched::end);
        });
        self.close();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watched.iter().for_each(|watched| drop(watched.take()));
        self.close();
    }
}

/// What a socket is to be.
#[napi(object)]
pub struct SocketConfig {
    pub reuse_addr: bool,
    pub reuse_port: bool,
    pub ipv6_only: bool,
    /// 0 for the system's default.
    pub recv_buffer_size: u32,
    /// 0 for the system's default.
    pub send_buffer_size: u32,
    pub gro: bool,
    pub destinations: Option<bool>,
    pub multicast_all: Option<bool>,
    pub dont_fragment: Option<bool>,
    /// An interface's name.
    pub bind_to_device: Option<String>,
    /// Options by name, set before it is bound.
    pub socket_options: Option<Vec<SocketOption>>,
    /// A program that is attached before it is bound, as `socketAttachFilter` takes it.
    pub filter: Option<Vec<u32>>,
    /// What else the kernel is to tell, as bits.
    pub telling: Option<u32>,
    pub portable: bool,
}

/// An option by its name.
#[napi(object)]
pub struct SocketOption {
    pub name: String,
    pub value: i32,
}

/// 1 time stamps, 2 type of service, 4 time to live, 8 drops, 16 the error queue.
pub fn telling(bits: Option<u32>) -> Telling {
    let bits = bits.unwrap_or(0);
    Telling {
        timestamps: bits & 1 != 0,
        tos: bits & 2 != 0,
        ttl: bits & 4 != 0,
        drops: bits & 8 != 0,
        errors: bits & 16 != 0,
    }
}

pub fn backend(portable: bool) -> Backend {
    if portable { Backend::Portable } else { Backend::best() }
}

/// A socket that is not there yet.
#[napi(ts_return_type = "object")]
pub fn socket_create() -> Owned<Held> {
    Owned(Held::default())
}

/// Makes the socket and binds it; 0 or a negative errno.
#[napi]
pub fn socket_bind(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    address: String,
    port: u16,
    config: SocketConfig,
) -> i32 {
    let size = |bytes: u32| (bytes > 0).then_some(bytes as usize);
    let option = |SocketOption { name, value }| named::find(&name).map(|option| (option, value));
    let options = BindOptions {
        reuse_addr: config.reuse_addr,
        reuse_port: config.reuse_port,
        v6_only: config.ipv6_only,
        recv_buffer_size: size(config.recv_buffer_size),
        send_buffer_size: size(config.send_buffer_size),
        gro: config.gro,
        destinations: config.destinations,
        multicast_all: config.multicast_all,
        dont_fragment: config.dont_fragment,
        device: config.bind_to_device,
        named: config.socket_options.into_iter().flatten().filter_map(option).collect(),
        filter: program(&config.filter.unwrap_or_default()),
        telling: telling(config.telling),
        backend: backend(config.portable),
    };
    let bound = parse(&address, port).and_then(|address| Socket::bind(address, &options));
    done(bound.map(|socket| _ = held.socket.replace(Some(socket))))
}

/// Takes a descriptor over; 0, a negative errno, what it is where it is no UDP socket, or 'GRO' where it coalesces and
/// `largeSlots` is false.
#[napi]
#[allow(clippy::too_many_arguments)] // once a socket
pub fn socket_from_fd(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    fd: i32,
    dup: bool,
    gro: bool,
    large_slots: bool,
    portable: bool,
    destinations: Option<bool>,
    bits: Option<u32>,
) -> Either<i32, String> {
    let backend = backend(portable);
    let telling = telling(bits);
    let fd = descriptor::from_number(fd);
    adopted(&held, Socket::from_fd(fd, &Adoption { dup, gro, large_slots, destinations, telling, backend }))
}

/// What a descriptor's taking over is told as.
pub fn adopted(held: &Held, socket: Result<Socket, NotAdopted>) -> Either<i32, String> {
    match socket {
        Ok(socket) => {
            held.socket.replace(Some(socket));
            Either::A(0)
        }
        Err(NotAdopted::Errno(Errno(errno))) => Either::A(-errno),
        Err(NotAdopted::Coalesces) => Either::B("GRO".to_owned()),
        Err(NotAdopted::Kind(kind)) => Either::B(kind.to_owned()),
    }
}

/// Sets the peer; 0 or a negative errno.
#[napi]
pub fn socket_connect(#[napi(ts_arg_type = "object")] held: Handle<Held>, address: String, port: u16) -> i32 {
    done(parse(&address, port).and_then(|peer| held.with(|socket| socket.connect(peer))))
}

/// Takes the peer away; 0 or a negative errno.
#[napi]
pub fn socket_disconnect(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> i32 {
    done(held.with(Socket::disconnect))
}

/// Writes the bound (or, with `peer`, the connected) address into eight words; 0 or a negative errno.
#[napi]
pub fn socket_name(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    peer: bool,
    #[napi(ts_arg_type = "Uint32Array")] mut words: View<u32>,
) -> i32 {
    let name = held.with(|socket| if peer { socket.peer_address() } else { socket.local_address() });
    // SAFETY: no JavaScript runs while the slice lives.
    let words = unsafe { words.as_mut_slice() };
    done(name.map(|name| words.copy_from_slice(&record::address_words(Some(name)))))
}

/// Takes the next ICMP error: 1 and its words (errno, type, code, MTU, then whoever complains, then where the datagram was
/// sent to), 0 where there is none, or a negative errno.
#[napi]
pub fn socket_take_icmp_error(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint32Array")] mut words: View<u32>,
) -> i32 {
    // SAFETY: no JavaScript runs while the slice lives.
    let Some(words) = unsafe { words.as_mut_slice() }.first_chunk_mut::<{ 4 + 2 * SOCKADDR }>() else {
        return -libc::EFAULT;
    };
    number(held.with(Socket::take_icmp_error).map(|error| {
        let Some(error) = error else { return 0 };
        let head = [error.errno.cast_unsigned(), error.kind.into(), error.code.into(), error.mtu];
        words[..4].copy_from_slice(&head);
        words[4..][..SOCKADDR].copy_from_slice(&record::address_words(error.offender));
        words[4 + SOCKADDR..].copy_from_slice(&record::address_words(error.destination));
        1
    }))
}

/// Bytes of the receive (or, with `send`, the send) buffer, or a negative errno.
#[napi]
pub fn socket_buffer_size(#[napi(ts_arg_type = "object")] held: Handle<Held>, send: bool) -> i32 {
    number(
        held.with(|socket| socket.buffer_sizes())
            .map(|(receive, sending)| if send { sending } else { receive }),
    )
}

/// Asks for another receive (or send) buffer; 0 or a negative errno.
#[napi]
pub fn socket_set_buffer_size(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    send: bool,
    bytes: u32,
) -> i32 {
    let bytes = bytes as usize;
    done(held.with(|s| if send { s.set_send_buffer_size(bytes) } else { s.set_recv_buffer_size(bytes) }))
}

/// The descriptor's number, or -EBADF where the socket is not open or the number is not its own any more.
#[napi]
pub fn socket_fd(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> i32 {
    number(held.with(|socket| socket.fd()).map(|fd| fd as usize))
}

/// Whether it receives by the portable loop.
#[napi]
pub fn socket_is_portable(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> bool {
    held.with(|socket| Ok(socket.backend() == Backend::Portable)).unwrap_or(true)
}

/// Whether its messages may hold many datagrams (UDP_GRO).
#[napi]
pub fn socket_has_gro(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> bool {
    held.with(|socket| Ok(socket.gro())).unwrap_or(false)
}

/// Fills `out` with what `lib/stats.ts` names, in its order; nothing where the socket is not open. With `reset` it counts
/// anew from now on.
#[napi]
pub fn socket_stats(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Float64Array")] mut out: View<f64>,
    reset: bool,
) {
    let figures = held.with(|socket| Ok(socket.figures(reset)));
    // SAFETY: no JavaScript runs while the slice lives.
    if let (Ok(figures), Some(out)) = (figures, unsafe { out.as_mut_slice() }.first_chunk_mut::<FIGURES>()) {
        *out = figures;
    }
}

/// Whether reading has been shut down.
#[napi]
pub fn socket_is_shut_down(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> bool {
    held.with(|socket| Ok(socket.is_shut_down())).unwrap_or(false)
}

/// Ends its watch and closes its descriptor; 0, or -EBADF where that was not its own any more.
#[napi]
pub fn socket_close(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> i32 {
    held.watched.iter().for_each(|watched| drop(watched.take()));
    match held.socket.take() {
        Some(socket) => done(socket.close()),
        None => 0,
    }
}

pub fn parse(address: &str, port: u16) -> Result<SocketAddr, Errno> {
    sockaddr::parse(address, port).ok_or(Errno(libc::EINVAL))
}
