//! Classic BPF programs that the kernel runs over each datagram before it is queued, socket(7), SO_ATTACH_FILTER.
//!
//! A UDP socket's program sees the datagram from its UDP header on: the payload begins at offset 8. It returns how many
//! bytes to keep, counted from there; 0 drops the datagram, and the socket's drop counter has it.

use super::Errno;
use super::fd::RawFd;
use super::libc;

/// One instruction: `struct sock_filter`, include/uapi/linux/filter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// How many instructions to skip where a comparison holds.
    pub jt: u8,
    /// How many instructions to skip where it does not.
    pub jf: u8,
    /// Its operand.
    pub k: u32,
}

/// Attaches a program in place of the last one. Linux; elsewhere ENOTSUP.
pub fn attach(fd: RawFd, program: &[Instruction]) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    {
        use libc::{sock_filter, sock_fprog};
        let mut filter: Vec<_> =
            program.iter().map(|&Instruction { code, jt, jf, k }| sock_filter { code, jt, jf, k }).collect();
        let len = u16::try_from(filter.len()).map_err(|_| Errno(libc::EINVAL))?;
        let program = sock_fprog { len, filter: filter.as_mut_ptr() };
        let (name, length) = (libc::SO_ATTACH_FILTER, size_of_val(&program) as libc::socklen_t);
        // SAFETY: `length` bytes at `program` are readable, and `len` instructions behind its pointer, which it copies.
        unsafe {
            super::syscall!(setsockopt(fd, libc::SOL_SOCKET, name, (&raw const program).cast(), length))
        }?;
        Ok(())
    }
    #[cfg(not(linux_sockets))]
    {
        let _ = (fd, program);
        Err(Errno(libc::ENOTSUP))
    }
}

/// Takes the program away; ENOENT where there is none. Linux; elsewhere ENOTSUP.
pub fn detach(fd: RawFd) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    return super::options::set_int(fd, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, 0);
    #[cfg(not(linux_sockets))]
    return {
        let _ = fd;
        Err(Errno(libc::ENOTSUP))
    };
}
