//! recvmmsg(2), Linux 2.6.33 and later, with the manual page beside each argument.
//!
//! ```c
//! int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout);
//! ```

use std::os::fd::RawFd;
use std::{mem, ptr};

use libc::{c_int, c_uint};

use super::tap::{Arguments, Syscall, Tap};
use super::{Errno, MMsgHdr, Received, retry, syscall};

/// Receives as many messages as are there and fit, in one system call.
///
/// # Safety
/// Every header's name, iovec and control lead to memory valid for writes of the lengths beside them.
pub unsafe fn receive(
    fd: RawFd,
    headers: &mut [MMsgHdr],
    flags: c_int,
    tap: &mut Tap,
) -> Result<Received, Errno> {
    // > sockfd: the file descriptor of the socket to receive data from.
    //   A number, which somebody else may have closed and the kernel given out again: `socket` has looked.
    let sockfd = fd;

    // > msgvec: a pointer to an array of mmsghdr structures. msg_len is used to return the number of bytes.
    //   The arena's, with the in-out fields set for this call.
    let msgvec = headers.as_mut_ptr();

    // > vlen: the size of this array.
    //   Not cut by the kernel: UIO_MAXIOV (1,024) bounds sendmmsg(2) and the iovecs of one message, not this.
    let vlen = headers.len() as c_uint;

    // > flags: the same as documented for recvmsg(2), with MSG_WAITFORONE added.
    //   MSG_DONTWAIT always: the contract. It makes MSG_WAITFORONE, which turns it on after the first message, moot.
    let flags = flags | libc::MSG_DONTWAIT;

    // > timeout: a struct timespec defining a timeout for the receive operation (BUGS: the timeout is checked only
    // > after the receipt of each datagram, so that if up to vlen-1 datagrams are received before the timeout expires,
    // > but then no further datagrams are received, the call will block forever).
    //   Hence never used. `wait` bounds waiting, by poll(2).
    let timeout = ptr::null_mut();

    let arguments = || arguments(Syscall::Recvmmsg, sockfd, msgvec, vlen, flags);
    let count = retry(|| {
        // SAFETY: msgvec has vlen elements, and the caller vouches for what they lead to. `flags as _` because musl
        // declares them unsigned.
        tap.call(arguments, || unsafe { syscall!(recvmmsg(sockfd, msgvec, vlen, flags as _, timeout)) })
    })?;

    // > On success, the number of messages received in msgvec. An error after the first message ends the call with that
    // > number, and the error is returned by the next one.
    //   The kernel keeps it in the socket. 0 is the result for vlen 0 only, which asks for nothing.
    match count {
        0 => Err(Errno(libc::EAGAIN)),
        count => Ok(Received { count: count as usize, parked: None }),
    }
}

/// Sends messages in order, in one system call:
///
/// ```c
/// int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
/// ```
///
/// # Safety
/// Every header's name, iovecs and control lead to memory that is readable for the lengths beside them.
pub unsafe fn send(fd: RawFd, headers: &mut [MMsgHdr], flags: c_int, tap: &mut Tap) -> Result<usize, Errno> {
    // > vlen: the value is capped to UIO_MAXIOV (1024).
    //   Silently: a short count. Callers bring no more.
    let vlen = headers.len() as c_uint;
    let flags = flags | libc::MSG_DONTWAIT;
    let msgvec = headers.as_mut_ptr();
    let arguments = || arguments(Syscall::Sendmmsg, fd, msgvec, vlen, flags);
    let count = retry(|| {
        // SAFETY: msgvec has vlen elements, and the caller vouches for what they lead to. `flags as _`: as above.
        tap.call(arguments, || unsafe { syscall!(sendmmsg(fd, msgvec, vlen, flags as _)) })
    })?;
    // > On success, the number of messages sent from msgvec; if this is less than vlen, the caller can retry. An error is
    // > returned only if no datagrams could be sent.
    //   Why it stopped short is not told, the next call on the first unsent message tells.
    Ok(count as usize)
}

fn arguments(syscall: Syscall, sockfd: RawFd, msgvec: *mut MMsgHdr, vlen: c_uint, flags: c_int) -> Arguments {
    let memory = msgvec.addr();
    Arguments { syscall, sockfd, memory, length: vlen as usize, flags, name: 0, namelen: 0 }
}

/// Whether this process may call recvmmsg(2) at all, now.
///
/// Old kernels, sandboxes and seccomp(2) filters answer with ENOSYS, EPERM, EACCES or whatever their author chose, and
/// a socket gives EPERM and EACCES of its own, for a packet filter's or an ICMP message's sake. Only a call that
/// concerns no socket tells the two apart: on descriptor -1 the kernel says EBADF, a filter says what it always says.
pub fn supported() -> bool {
    // Not that the kernel came as far as these. But qemu, where it translates system calls, looks at the messages before
    // it asks the kernel, and would find fault with none.
    let mut room = [0_u8; 1];
    let mut vector = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    // SAFETY: zero is a value for each of mmsghdr's integers and pointers.
    let mut header: MMsgHdr = unsafe { mem::zeroed() };
    header.msg_hdr.msg_iov = &mut vector;
    header.msg_hdr.msg_iovlen = 1;
    // SAFETY: one header, whose one vector leads to `room`; all three outlive the call.
    let answer = unsafe { syscall!(recvmmsg(-1, &mut header, 1, 0, ptr::null_mut())) };
    answer == Err(Errno(libc::EBADF))
}

/// The same question for sendmmsg(2). With no message: musl's is a loop of sendmsg(2), and says so by 0.
pub fn send_supported() -> bool {
    // SAFETY: no descriptor and no headers: there is nothing to read or write.
    let answer = unsafe { syscall!(sendmmsg(-1, ptr::null_mut(), 0, 0)) };
    answer == Err(Errno(libc::EBADF))
}
