//! Unix domain sockets, unix(7): names in place of addresses, and what a peer passes beside its datagram.

use std::mem::offset_of;

use socket2::SockAddr;

use super::fd::{FromRawFd, OwnedFd, RawFd};
use super::libc::{self, c_int, sockaddr_storage, sockaddr_un};
use super::{Errno, descriptor};
use crate::cmsg;

/// Where a name begins in `sockaddr_un`.
const NAME_BEGINS: usize = offset_of!(sockaddr_un, sun_path);
/// The longest name: `sun_path` is 108 bytes on Linux and 104 on the BSDs, a path's terminating NUL among them.
pub const NAME_MOST: usize = size_of::<sockaddr_un>() - NAME_BEGINS;

/// The name in `storage`, of which the kernel filled `namelen` bytes: a path, or an abstract name with its leading NUL
/// (Linux), or nothing where the peer has none. `None` for another family.
pub fn read(storage: &sockaddr_storage, namelen: usize) -> Option<&[u8]> {
    if c_int::from(storage.ss_family) != libc::AF_UNIX || namelen < NAME_BEGINS {
        return None;
    }
    // The kernel tells one byte more than there is of a path that fills all of it: the NUL behind it.
    let end = namelen.min(size_of::<sockaddr_un>());
    // SAFETY: sockaddr_storage is initialised, plain bytes, and at least as long as sockaddr_un.
    let bytes = unsafe {
        std::slice::from_raw_parts(std::ptr::from_ref(storage).cast::<u8>(), size_of::<sockaddr_storage>())
    };
    let name = &bytes[NAME_BEGINS..end];
    match name.first() {
        None => Some(name),
        // An abstract name's NULs are part of it. On systems without any this is no name at all.
        Some(0) => Some(if cfg!(linux_sockets) { name } else { &[] }),
        Some(_) => name.split(|&byte| byte == 0).next(),
    }
}

/// `name` as an address; the empty one has bind(2) choose an abstract name (Linux). ENAMETOOLONG for a longer one than
/// there can be.
pub fn address(name: &[u8]) -> Result<SockAddr, Errno> {
    let abstract_name = name.first().is_none_or(|&first| first == 0);
    // A path ends with a NUL, an abstract name with its length.
    let length = if abstract_name { name.len() } else { name.len() + 1 };
    if length > NAME_MOST {
        return Err(Errno(libc::ENAMETOOLONG));
    }
    let write = |storage: *mut socket2::SockAddrStorage, written: *mut libc::socklen_t| {
        // SAFETY: the storage is zeroed, larger than a sockaddr_un and aligned for it; `name` fits, see above.
        unsafe {
            let address = storage.cast::<sockaddr_un>();
            (*address).sun_family = libc::AF_UNIX as _;
            let path = (&raw mut (*address).sun_path).cast::<u8>();
            std::ptr::copy_nonoverlapping(name.as_ptr(), path, name.len());
            *written = (NAME_BEGINS + length) as _;
        }
        Ok(())
    };
    // SAFETY: `write` fills in the family, the name and the length of all that it has filled in.
    Ok(unsafe { SockAddr::try_init(write) }?.1)
}

/// Who sent a datagram: SCM_CREDENTIALS, unix(7). The kernel vouches for it, but for a privileged sender, who may name
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Process.
    pub pid: u32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// What the control messages of one message tell.
#[derive(Debug, Default)]
pub struct Told {
    /// Its sender, where the socket asks.
    pub credentials: Option<Credentials>,
    /// Descriptors that came with it, closed by now.
    pub descriptors: usize,
}

/// Reads them, and closes the descriptors in them: nobody here asked for any.
///
/// # Safety
/// `control` is what a receive on a Unix socket has just been given, and nobody has read it before: each SCM_RIGHTS and
/// SCM_PIDFD in it owns its descriptors.
pub unsafe fn take(control: cmsg::Messages<'_>) -> Told {
    let mut told = Told::default();
    for message in control {
        if let Some(credentials) = credentials(&message) {
            told.credentials = Some(credentials);
        }
        for number in rights(&message) {
            // SAFETY: the kernel installed it for this message, and it is nobody else's: the caller's promise.
            drop(unsafe { OwnedFd::from_raw_fd(descriptor::from_number(number)) });
            told.descriptors += 1;
        }
    }
    told
}

/// The sender's process as a descriptor, where somebody else has set SO_PASSPIDFD (Linux 6.5) on a socket that was taken
/// over; <linux/socket.h>. libc does not name it.
const SCM_PIDFD: c_int = 4;

/// The descriptors that a peer has passed (SCM_RIGHTS), or the kernel (SCM_PIDFD); none in any other message.
pub fn rights<'a>(message: &cmsg::Message<'a>) -> impl Iterator<Item = c_int> + use<'a> {
    let passed = message.level == libc::SOL_SOCKET
        && (message.kind == libc::SCM_RIGHTS || cfg!(linux_sockets) && message.kind == SCM_PIDFD);
    let data: &[u8] = if passed { message.data } else { &[] };
    let (numbers, _) = data.as_chunks();
    // A negative number is none, and OwnedFd may not be made of it.
    numbers.iter().map(|bytes| c_int::from_ne_bytes(*bytes)).filter(|&number| number >= 0)
}

#[cfg(linux_sockets)]
fn credentials(message: &cmsg::Message<'_>) -> Option<Credentials> {
    if (message.level, message.kind) != (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) {
        return None;
    }
    let bytes = message.data.first_chunk::<{ size_of::<libc::ucred>() }>()?;
    // SAFETY: as long as a ucred, which is plain integers; the read needs no alignment.
    let libc::ucred { pid, uid, gid } = unsafe { bytes.as_ptr().cast::<libc::ucred>().read_unaligned() };
    Some(Credentials { pid: pid.cast_unsigned(), uid, gid })
}

#[cfg(not(linux_sockets))]
fn credentials(_message: &cmsg::Message<'_>) -> Option<Credentials> {
    None
}

/// Bytes of the send buffer that datagrams take which wait at receivers: SIOCOUTQ, unix(7).
#[cfg(linux_sockets)]
pub fn unsent(fd: RawFd) -> Result<usize, Errno> {
    let mut bytes: c_int = 0;
    // SAFETY: TIOCOUTQ, which SIOCOUTQ is, writes a C int.
    unsafe { super::syscall!(ioctl(fd, libc::TIOCOUTQ, &raw mut bytes)) }?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Has the kernel tell who sent each datagram: SO_PASSCRED, unix(7). ENOPROTOOPT where it has no such option.
pub fn set_credentials(fd: RawFd) -> Result<(), Errno> {
    #[cfg(linux_sockets)]
    return super::options::set_int(fd, libc::SOL_SOCKET, libc::SO_PASSCRED, 1);
    #[cfg(not(linux_sockets))]
    {
        let _ = fd;
        Err(Errno(libc::ENOPROTOOPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_of(address: &SockAddr, namelen: usize) -> Option<Vec<u8>> {
        read(address.as_storage_ref(), namelen).map(<[u8]>::to_vec)
    }

    trait Storage {
        fn as_storage_ref(&self) -> &sockaddr_storage;
    }

    impl Storage for SockAddr {
        fn as_storage_ref(&self) -> &sockaddr_storage {
            // SAFETY: a SockAddr holds a whole, initialised sockaddr_storage.
            unsafe { &*self.as_ptr().cast::<sockaddr_storage>() }
        }
    }

    #[test]
    fn a_name_that_fills_all_its_room_is_too_long_by_its_nul() {
        let most = NAME_MOST - 1;
        let longest = vec![b'x'; most];
        let written = address(&longest).unwrap();
        assert_eq!(written.len() as usize, NAME_BEGINS + NAME_MOST);
        assert_eq!(read_of(&written, written.len() as usize), Some(longest));
        assert_eq!(address(&vec![b'x'; most + 1]).unwrap_err(), Errno(libc::ENAMETOOLONG));
        let mut hidden = vec![b'x'; NAME_MOST];
        hidden[0] = 0;
        assert!(address(&hidden).is_ok(), "an abstract name has no NUL behind it");
        hidden.push(b'x');
        assert_eq!(address(&hidden).unwrap_err(), Errno(libc::ENAMETOOLONG));
    }

    #[test]
    fn what_the_kernel_tells_beyond_the_room_is_not_read() {
        // 108 bytes without a NUL, as another program may bind: getsockname(2) tells one byte more, unix(7), BUGS.
        let mut written = address(&[b'x'; NAME_MOST - 1]).unwrap();
        // SAFETY: the storage behind the name is zeroed, and larger.
        unsafe { written.set_length((NAME_BEGINS + NAME_MOST + 1) as _) };
        assert_eq!(read_of(&written, NAME_BEGINS + NAME_MOST + 1), Some(vec![b'x'; NAME_MOST - 1]));
    }

    #[test]
    fn a_peer_without_a_name_has_an_empty_one() {
        let nobody = address(b"").unwrap();
        assert_eq!(read_of(&nobody, NAME_BEGINS), Some(vec![]));
        assert_eq!(read_of(&nobody, 0), None, "the kernel told nothing at all");
        let other = SockAddr::from("127.0.0.1:1".parse::<std::net::SocketAddr>().unwrap());
        assert_eq!(read_of(&other, other.len() as usize), None);
    }

    #[test]
    fn numbers_that_are_no_descriptors_are_passed_over() {
        let data: Vec<u8> =
            [3, -1, 7].iter().flat_map(|number: &i32| number.to_ne_bytes()).chain([9]).collect();
        let message = |kind| cmsg::Message { level: libc::SOL_SOCKET, kind, data: &data };
        assert_eq!(rights(&message(libc::SCM_RIGHTS)).collect::<Vec<_>>(), [3, 7]);
        assert_eq!(rights(&message(libc::SCM_RIGHTS + 40)).count(), 0);
        assert_eq!(rights(&message(SCM_PIDFD)).count(), if cfg!(linux_sockets) { 2 } else { 0 });
    }

    #[test]
    #[cfg(linux_sockets)]
    fn a_sender_is_told_by_process_user_and_group() {
        let [pid, uid, gid] = [1u32, 2, 3];
        let data = [pid, uid, gid].map(u32::to_ne_bytes).concat();
        let mut room = [0; 64];
        let mut writer = cmsg::Writer::new(&mut room);
        writer.push(libc::SOL_SOCKET, libc::SCM_CREDENTIALS, &data);
        let end = writer.len();
        // SAFETY: no descriptors are in it.
        let told = unsafe { take(cmsg::messages(&room[..end])) };
        assert_eq!(told.credentials, Some(Credentials { pid, uid, gid }));
    }

    proptest! {
        #[test]
        fn names_are_read_back(name in prop::collection::vec(1u8.., 1..NAME_MOST)) {
            let written = address(&name).unwrap();
            prop_assert_eq!(read_of(&written, written.len() as usize), Some(name));
        }

        #[test]
        #[cfg(linux_sockets)]
        fn abstract_names_are_read_back_whole(rest in prop::collection::vec(any::<u8>(), 0..NAME_MOST - 1)) {
            let name = [&[0], &rest[..]].concat();
            let written = address(&name).unwrap();
            prop_assert_eq!(read_of(&written, written.len() as usize), Some(name));
        }

        #[test]
        fn any_bytes_are_read_inside_their_length(bytes in prop::collection::vec(any::<u8>(), 128), namelen in 0usize..300) {
            // SAFETY: sockaddr_storage is 128 plain bytes.
            let mut storage = unsafe { bytes.as_ptr().cast::<sockaddr_storage>().read_unaligned() };
            storage.ss_family = libc::AF_UNIX as _;
            if let Some(name) = read(&storage, namelen) {
                prop_assert!(name.len() + NAME_BEGINS <= namelen);
                prop_assert!(name.len() <= NAME_MOST);
            }
        }
    }
}
