//! Single messages from a given descriptor.

use std::net::SocketAddr;

use napi_derive::napi;
use socket2::{SockAddr, SockRef};

use crate::descriptor::borrow;
use crate::failure::{Result, invalid, of_call};
#[cfg(target_os = "linux")]
use crate::segment;

/// Sends `data` as one datagram and returns its length.
#[napi]
pub fn send_to(fd: i32, address: String, port: u32, data: &[u8]) -> Result<u32> {
    let target = target(&address, port)?;
    let sent = SockRef::from(&borrow(fd)?).send_to(data, &target);
    sent.map(|bytes| bytes as u32).map_err(|error| of_call("sendto", &error))
}

/// Sends `data` in one sendmsg(2), cut by the kernel into datagrams of `segment_size` bytes; returns all its bytes.
#[cfg(target_os = "linux")]
#[napi]
pub fn send_gso(fd: i32, address: String, port: u32, data: &[u8], segment_size: u32) -> Result<u32> {
    let target = target(&address, port)?;
    let size = u16::try_from(segment_size).map_err(|_| invalid("the segment size is a 16-bit number"))?;
    let socket = borrow(fd)?;
    segment::probe(fd).map_err(|error| of_call("getsockopt UDP_SEGMENT", &error))?;
    let control = segment::SegmentControl::new(size);
    let buffers = [std::io::IoSlice::new(data)];
    let message =
        socket2::MsgHdr::new().with_addr(&target).with_buffers(&buffers).with_control(control.as_bytes());
    let sent = SockRef::from(&socket).sendmsg(&message, 0);
    sent.map(|bytes| bytes as u32).map_err(|error| of_call("sendmsg", &error))
}

/// A literal address, an IPv6 one also with a numeric zone (`fe80::1%2`).
fn target(address: &str, port: u32) -> Result<SockAddr> {
    let text =
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
    let target: SocketAddr = text.parse().map_err(|_| invalid("not a literal address and port"))?;
    Ok(target.into())
}
