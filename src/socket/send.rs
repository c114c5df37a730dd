//! Sending one datagram, and choosing a peer.

use std::net::SocketAddr;

use libc::c_int;
use socket2::SockAddr;

use super::Socket;
use crate::sockaddr;
use crate::sys::{Errno, retry, syscall};

/// Never wait for room, whatever the descriptor's mode.
const FLAGS: c_int = libc::MSG_DONTWAIT;

impl Socket {
    /// Sends one datagram to `to`, or to the connected peer: sendto(2). `false` when the send buffer is full.
    pub fn send(&mut self, data: &[u8], to: Option<SocketAddr>) -> Result<bool, Errno> {
        // SAFETY: a slice is readable for its length.
        unsafe { self.send_from(data.as_ptr(), data.len(), to) }
    }

    /// The same for memory that others may write to meanwhile; what is sent then is anybody's guess.
    ///
    /// # Safety
    /// `length` bytes at `data` are readable until this returns.
    pub unsafe fn send_from(
        &mut self,
        data: *const u8,
        length: usize,
        to: Option<SocketAddr>,
    ) -> Result<bool, Errno> {
        let fd = self.fd()?;
        if let Some(error) = self.parked.take() {
            return Err(error);
        }
        let to = to.map(|to| self.name(to)).transpose()?;
        let (name, namelen) = match &to {
            Some(to) => (to.as_ptr().cast(), to.len()),
            None => (std::ptr::null(), 0),
        };
        let sent = retry(|| {
            // SAFETY: `data` and the name are readable for the lengths beside them; no name is a null of length 0.
            unsafe { syscall!(sendto(fd, data.cast(), length, FLAGS, name, namelen)) }
        });
        match sent {
            Ok(_) => Ok(true), // a datagram goes whole or not at all
            Err(Errno(libc::EAGAIN)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Receives from and sends to `peer` only: connect(2).
    pub fn connect(&mut self, peer: SocketAddr) -> Result<(), Errno> {
        self.fd()?;
        Ok(self.inner.connect(&self.name(peer)?)?)
    }

    /// Takes the peer away again: connect(2) to an address of AF_UNSPEC.
    pub fn disconnect(&mut self) -> Result<(), Errno> {
        let fd = self.fd()?;
        // SAFETY: zero is a value for each of sockaddr's integers.
        let mut nobody: libc::sockaddr = unsafe { std::mem::zeroed() };
        nobody.sa_family = libc::AF_UNSPEC as _;
        let length = size_of_val(&nobody) as _;
        // SAFETY: `nobody` is readable for its length.
        match unsafe { syscall!(connect(fd, &raw const nobody, length)) } {
            // The BSDs disconnect and then complain about the address, connect(2).
            #[cfg(bsd)]
            Err(Errno(libc::EAFNOSUPPORT | libc::EINVAL)) => Ok(()),
            result => result.map(drop),
        }
    }

    /// `address` as a name that this socket's family understands. An IPv6 address on an IPv4 socket is EINVAL, as
    /// node:dgram has it.
    fn name(&self, address: SocketAddr) -> Result<SockAddr, Errno> {
        match address {
            address if self.v6 => Ok(SockAddr::from(sockaddr::mapped(address))),
            SocketAddr::V4(_) => Ok(SockAddr::from(address)),
            SocketAddr::V6(_) => Err(Errno(libc::EINVAL)),
        }
    }
}
