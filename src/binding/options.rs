//! Options of an open socket. Each returns 0 or a negative errno; -EINVAL for a text that is no address.

use std::net::SocketAddr;

use napi_derive::napi;

use super::done;
use super::handle::Handle;
use super::socket::{Held, parse};
use crate::sys::Errno;

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

fn interface_of(address: Option<String>) -> Result<Option<SocketAddr>, Errno> {
    address.map(|address| parse(&address, 0)).transpose()
}
