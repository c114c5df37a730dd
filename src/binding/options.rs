//! Options of an open socket. Each returns 0 or a negative errno; -EINVAL for a text that is no address.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use napi_derive::napi;

use super::handle::Handle;
use super::socket::{Held, parse};
use super::view::View;
use super::{done, number};
use crate::sys::filter::Instruction;
use crate::sys::{Errno, named};

/// Time to live (hop limit) of unicast datagrams.
#[napi]
pub fn socket_set_ttl(#[napi(ts_arg_type = "object")] held: Handle<Held>, ttl: i32) -> i32 {
    done(held.with(|socket| socket.set_ttl(ttl)))
}

/// Time to live (hop limit) of multicast datagrams.
#[napi]
pub fn socket_set_multicast_ttl(#[napi(ts_arg_type = "object")] held: Handle<Held>, ttl: i32) -> i32 {
    done(held.with(|socket| socket.set_multicast_ttl(ttl)))
}

/// Whether this host gets its own multicast datagrams.
#[napi]
pub fn socket_set_multicast_loopback(#[napi(ts_arg_type = "object")] held: Handle<Held>, on: bool) -> i32 {
    done(held.with(|socket| socket.set_multicast_loopback(on)))
}

/// Whether it may send to broadcast addresses.
#[napi]
pub fn socket_set_broadcast(#[napi(ts_arg_type = "object")] held: Handle<Held>, on: bool) -> i32 {
    done(held.with(|socket| socket.set_broadcast(on)))
}

/// The interface by which multicast datagrams leave: an IPv4 address of it, or an IPv6 address with its scope.
#[napi]
pub fn socket_set_multicast_interface(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    address: String,
) -> i32 {
    done(held.with(|socket| socket.set_multicast_interface(parse(&address, 0)?)))
}

/// Joins a group, or leaves it.
#[napi]
pub fn socket_membership(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    join: bool,
    group: String,
    interface: Option<String>,
) -> i32 {
    done(held.with(|socket| socket.membership(join, parse(&group, 0)?.ip(), interface_of(interface)?)))
}

/// The same for what one source sends to the group.
#[napi]
pub fn socket_source_membership(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    join: bool,
    source: String,
    group: String,
    interface: Option<String>,
) -> i32 {
    done(held.with(|socket| {
        let (source, group) = (parse(&source, 0)?.ip(), parse(&group, 0)?.ip());
        socket.source_membership(join, source, group, interface_of(interface)?)
    }))
}

/// Whether it gets what is sent to groups that others have joined.
#[napi]
pub fn socket_set_multicast_all(#[napi(ts_arg_type = "object")] held: Handle<Held>, on: bool) -> i32 {
    done(held.with(|socket| socket.set_multicast_all(on)))
}

/// Whether what is too large for the path is refused.
#[napi]
pub fn socket_set_dont_fragment(#[napi(ts_arg_type = "object")] held: Handle<Held>, on: bool) -> i32 {
    done(held.with(|socket| socket.set_dont_fragment(on)))
}

/// The only interface that it receives from and sends to; '' for any.
#[napi]
pub fn socket_bind_to_device(#[napi(ts_arg_type = "object")] held: Handle<Held>, device: String) -> i32 {
    done(held.with(|socket| socket.bind_to_device(&device)))
}

/// Whether this system has an option of that name.
#[napi]
pub fn system_has_socket_option(name: String) -> bool {
    named::find(&name).is_some()
}

/// Sets an option by its name.
#[napi]
pub fn socket_set_option(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    name: String,
    value: i32,
) -> i32 {
    done(held.with(|socket| socket.set_named(&name, value)))
}

/// Reads an option by its name into the first word.
#[napi]
pub fn socket_get_option(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    name: String,
    #[napi(ts_arg_type = "Int32Array")] mut out: View<i32>,
) -> i32 {
    let value = held.with(|socket| socket.get_named(&name));
    // SAFETY: no JavaScript runs while the slice lives.
    let out = unsafe { out.as_mut_slice() };
    done(value.map(|value| out[0] = value))
}

/// Attaches a program: four words an instruction, `code`, `jt`, `jf` and `k`.
#[napi]
pub fn socket_attach_filter(
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "Uint32Array")] mut words: View<u32>,
) -> i32 {
    // SAFETY: no JavaScript runs while the slice lives.
    let program = program(unsafe { words.as_mut_slice() });
    done(held.with(|socket| socket.attach_filter(&program)))
}

/// Instructions, each of four words.
pub fn program(words: &[u32]) -> Vec<Instruction> {
    let (words, _) = words.as_chunks();
    let instruction =
        |&[code, jt, jf, k]: &[u32; 4]| Instruction { code: code as u16, jt: jt as u8, jf: jf as u8, k };
    words.iter().map(instruction).collect()
}

/// Takes the program away.
#[napi]
pub fn socket_detach_filter(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> i32 {
    done(held.with(|socket| socket.detach_filter()))
}

/// Bytes that the kernel granted of a receive buffer, where they are fewer than were asked for and this is the first time
/// that anybody in the process is to hear of such a thing; otherwise -1.
#[napi]
pub fn socket_news_of_clamped_buffer(#[napi(ts_arg_type = "object")] held: Handle<Held>, asked: u32) -> i32 {
    static TOLD: AtomicBool = AtomicBool::new(false);
    let granted = held.with(|socket| Ok(socket.clamped_recv_buffer(asked as usize)));
    match granted {
        Ok(Some(granted)) if !TOLD.swap(true, Ordering::Relaxed) => number(Ok(granted)),
        _ => -1,
    }
}

fn interface_of(address: Option<String>) -> Result<Option<SocketAddr>, Errno> {
    address.map(|address| parse(&address, 0)).transpose()
}
