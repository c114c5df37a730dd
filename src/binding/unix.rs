//! Unix sockets: making, naming, connecting, and sending one datagram. The rest they share with all.

use napi::bindgen_prelude::Either;
use napi_derive::napi;

use super::handle::Handle;
use super::socket::{Held, adopted, backend};
use super::view::View;
use super::{done, number};
use crate::socket::{Socket, UnixOptions, UnixTelling};
use crate::sys::descriptor;

/// What a Unix socket is to be.
#[napi(object)]
pub struct UnixConfig {
    /// Permissions of its file.
    pub mode: Option<u32>,
    /// 0 for the system's default.
    pub recv_buffer_size: u32,
    /// 0 for the system's default.
    pub send_buffer_size: u32,
    pub credentials: bool,
    pub timestamps: bool,
    pub portable: bool,
}

/// Makes a Unix socket and binds it to `name`, with `null` to none; 0 or a negative errno.
#[napi]
pub fn socket_bind_unix(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint8Array | null")] name: Option<View<u8>>,
    config: UnixConfig,
) -> i32 {
    let size = |bytes: u32| (bytes > 0).then_some(bytes as usize);
    let options = UnixOptions {
        mode: config.mode,
        recv_buffer_size: size(config.recv_buffer_size),
        send_buffer_size: size(config.send_buffer_size),
        telling: UnixTelling { credentials: config.credentials, timestamps: config.timestamps },
        backend: backend(config.portable),
    };
    let mut name = name;
    // SAFETY: no JavaScript runs while the slice lives.
    let name = name.as_mut().map(|name| unsafe { &*name.as_mut_slice() });
    done(Socket::bind_unix(name, &options).map(|socket| _ = held.socket.replace(Some(socket))))
}

/// Takes a Unix datagram socket over; 0, a negative errno, or what it is where it is none.
#[napi]
pub fn socket_unix_from_fd(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    fd: i32,
    dup: bool,
    config: UnixConfig,
) -> Either<i32, String> {
    let telling = UnixTelling { credentials: config.credentials, timestamps: config.timestamps };
    adopted(&held, Socket::unix_from_fd(descriptor::from_number(fd), dup, telling, backend(config.portable)))
}

/// Connects a Unix socket; 0 or a negative errno.
#[napi]
pub fn socket_connect_unix(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint8Array")] mut name: View<u8>,
) -> i32 {
    // SAFETY: no JavaScript runs while the slice lives.
    let name = unsafe { name.as_mut_slice() };
    done(held.with(|socket| socket.connect_unix(name)))
}

/// Writes the name of a Unix socket (or, with `peer`, of whom it is connected to); its length, or a negative errno.
#[napi]
pub fn socket_unix_name(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    peer: bool,
    #[napi(ts_arg_type = "Uint8Array")] mut out: View<u8>,
) -> i32 {
    let name = held.with(|socket| socket.unix_name(peer));
    // SAFETY: no JavaScript runs while the slice lives.
    let out = unsafe { out.as_mut_slice() };
    number(name.map(|name| {
        let length = name.len().min(out.len());
        out[..length].copy_from_slice(&name[..length]);
        length
    }))
}

/// Sends one datagram to the Unix socket of this name, or with none to the connected peer: 1 sent, 0 no room, or a
/// negative errno.
#[napi]
pub fn socket_send_unix(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint8Array")] data: View<u8>,
    #[napi(ts_arg_type = "Uint8Array | null")] name: Option<View<u8>>,
) -> i32 {
    let mut name = name;
    // SAFETY: no JavaScript runs before the call returns.
    let name = name.as_mut().map(|name| unsafe { &*name.as_mut_slice() });
    // SAFETY: as for `socket_send`.
    let send =
        |socket: &mut crate::socket::Socket| unsafe { socket.send_unix(data.as_mut_ptr(), data.len(), name) };
    number(held.with(send).map(usize::from))
}
