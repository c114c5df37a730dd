//! The file that a bound Unix socket has: made by bind(2), which replaces none, and removed by nobody but us.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Type};

use crate::sys::{Errno, syscall};

/// How long a start may wait for others in the same directory.
const LOCK_AT_MOST: Duration = Duration::from_millis(200);

/// The file of a socket, which is removed with it: unless another one has taken its place.
///
/// It is to be dropped before the socket's descriptor is closed: until then no other file can have its inode.
#[derive(Debug)]
pub struct SocketFile {
    /// Absolute: the process may change its directory.
    path: PathBuf,
    inode: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<SocketFile> {
        let path = std::path::absolute(path)?;
        let inode = inode(&path)?;
        Ok(SocketFile { path, inode })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|inode| inode == self.inode) {
            // It is gone, or the directory was taken from us: nobody is left to tell.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Binds `socket` to `address`, which is that of `path`, with the permissions `mode`, by default those that umask(2) leaves.
/// A file that a socket has left behind which nobody has open any more is replaced.
pub fn bind(
    socket: &socket2::Socket,
    address: &SockAddr,
    path: &Path,
    mode: Option<u32>,
) -> Result<SocketFile, Errno> {
    if let Some(mode) = mode {
        // The file is made with these less the umask: never with more than was asked for, not even for a moment. Systems
        // that know nothing of a socket's permissions say EINVAL.
        // SAFETY: fchmod(2) takes numbers.
        let _ = unsafe { syscall!(fchmod(socket.as_raw_fd(), mode as libc::mode_t)) };
    }
    match socket.bind(address).map_err(Errno::from) {
        Err(in_use @ Errno(libc::EADDRINUSE)) if !replace(socket, address, path)? => return Err(in_use),
        Err(Errno(libc::EADDRINUSE)) => {}
        bound => bound?,
    }
    let file = SocketFile::of(path)?;
    if let Some(mode) = mode {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    Ok(file)
}

/// Binds to a file that is a dead socket's, in its place; `false` where it is not.
fn replace(socket: &socket2::Socket, address: &SockAddr, path: &Path) -> Result<bool, Errno> {
    if !is_dead(address, path)? {
        return Ok(false);
    }
    // Of two that find the same dead socket one would remove what the other has bound by then. So one after the other:
    // who comes second finds it alive. The lock ends with the descriptor.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new(".")))?;
    if !locked(&directory) || !is_dead(address, path)? {
        return Ok(false);
    }
    fs::remove_file(path)?;
    socket.bind(address)?;
    Ok(true)
}

/// Locks the directory. Who replaces another file in it is waited for, which takes microseconds; and who holds the lock for
/// longer, as anybody may that can read the directory, is not.
fn locked(directory: &File) -> bool {
    let deadline = Instant::now() + LOCK_AT_MOST;
    loop {
        // SAFETY: flock(2) takes numbers.
        match unsafe { syscall!(flock(directory.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB)) } {
            Err(Errno(libc::EWOULDBLOCK | libc::EINTR)) if Instant::now() < deadline => {
                std::thread::sleep(LOCK_AT_MOST / 200);
            }
            result => return result.is_ok(),
        }
    }
}

/// Whether the file is a datagram socket's that nobody has open: connect(2) says ECONNREFUSED, and EPROTOTYPE of one of
/// another type that is in use.
fn is_dead(address: &SockAddr, path: &Path) -> Result<bool, Errno> {
    if !fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket()) {
        return Ok(false);
    }
    // With no descriptor left for it nothing is known: EMFILE.
    let asking = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    Ok(asking.connect(address).is_err_and(|error| error.raw_os_error() == Some(libc::ECONNREFUSED)))
}

/// The path that a name is; `None` for an abstract one, and for none at all.
pub fn path_of(name: &[u8]) -> Option<&Path> {
    let is_path = name.first().is_some_and(|&first| first != 0);
    is_path.then(|| Path::new(std::ffi::OsStr::from_bytes(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// A directory with the file of a socket that nobody has open.
    fn dead(name: &str) -> (PathBuf, PathBuf) {
        let directory = std::env::temp_dir().join(format!("recvmmsg-{name}-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let path = directory.join("socket");
        let socket = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        (directory, path)
    }

    fn lock(directory: &Path) -> File {
        let file = File::open(directory).unwrap();
        assert!(locked(&file));
        file
    }

    fn bound(path: &Path) -> Result<(), Errno> {
        let socket = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap();
        bind(&socket, &SockAddr::unix(path).unwrap(), path, None).map(drop)
    }

    #[test]
    fn who_replaces_another_file_of_the_directory_is_waited_for() {
        let (directory, path) = dead("waited");
        let other = lock(&directory);
        thread::scope(|scope| {
            let begun = scope.spawn(|| bound(&path));
            thread::sleep(LOCK_AT_MOST / 20);
            drop(other);
            assert_eq!(begun.join().unwrap(), Ok(()));
        });
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_another_has_bound_meanwhile_is_left_alone() {
        let (directory, path) = dead("meanwhile");
        let other = lock(&directory);
        thread::scope(|scope| {
            let begun = scope.spawn(|| bound(&path));
            thread::sleep(LOCK_AT_MOST / 20);
            fs::remove_file(&path).unwrap();
            let alive = socket2::Socket::new(Domain::UNIX, Type::DGRAM, None).unwrap();
            alive.bind(&SockAddr::unix(&path).unwrap()).unwrap();
            drop(other);
            assert_eq!(begun.join().unwrap(), Err(Errno(libc::EADDRINUSE)));
            assert!(path.exists());
        });
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn who_holds_the_lock_for_ever_is_not() {
        let (directory, path) = dead("held");
        let other = lock(&directory);
        assert_eq!(bound(&path), Err(Errno(libc::EADDRINUSE)));
        drop(other);
        assert_eq!(bound(&path), Ok(()));
        fs::remove_dir_all(directory).unwrap();
    }
}
