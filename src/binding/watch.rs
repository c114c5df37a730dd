//! Readiness for JavaScript: a socket's watch, of either kind.

use std::rc::Rc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, JsValue};
use napi_derive::napi;

use super::callback::Callback;
use super::done;
use super::handle::Handle;
use super::socket::Held;
#[cfg(unix)]
use super::watch_uv::watch_uv;
use crate::readiness::{Deliver, Interest, Watch, thread};
use crate::socket::Socket;
use crate::sys::{Errno, libc};

/// A socket's watch and the JavaScript function it calls.
pub struct Watched {
    watch: Watch,
    callback: Rc<Callback>,
}

impl Watched {
    /// Ends it when the environment does, which lets go of the function itself.
    pub fn end(&self) {
        self.watch.close();
    }

    fn close(&self) {
        self.watch.close();
        self.callback.release();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.close();
    }
}

/// Has `callback` called when the socket is readable, or `writable`: by libuv, or by `hub`'s thread. 0 or a negative errno.
///
/// It returns whether to call it again at once. The watch begins stopped.
#[napi]
pub fn socket_watch(
    env: &Env,
    #[napi(ts_arg_type = "object")] held: Handle<Held>,
    #[napi(ts_arg_type = "object | null")] hub: Option<Handle<Rc<thread::Hub>>>,
    writable: bool,
    #[napi(ts_arg_type = "() => boolean")] callback: Unknown,
) -> napi::Result<i32> {
    let env = env.raw();
    let callback = Rc::new(Callback::new(env, callback.raw())?);
    let deliver: Deliver = {
        let callback = Rc::clone(&callback);
        Rc::new(move || callback.call())
    };
    let what = |socket: &mut Socket| match writable {
        true => socket.room(),
        false => Ok((socket.duplicate()?, Interest::Readable)),
    };
    let (fd, interest) = match held.with(what) {
        Ok(what) => what,
        Err(Errno(errno)) => return Ok(-errno),
    };
    let watch = match hub {
        Some(hub) => Ok(Watch::Thread(hub.watch(fd, interest, deliver))),
        #[cfg(unix)]
        None => watch_uv(env, fd, interest, deliver, &callback)?.map(Watch::Uv),
        // `capabilities().uvPoll` is false, and nobody asks for it.
        #[cfg(not(unix))]
        None => Err(Errno(libc::ENOSYS)),
    };
    let watched = &held.watched[usize::from(writable)];
    Ok(done(watch.map(|watch| _ = watched.replace(Some(Watched { watch, callback })))))
}

/// Begins to call; 0 or a negative errno: -EBADF where the socket's descriptor is not its own any more.
#[napi]
pub fn socket_watch_start(#[napi(ts_arg_type = "object")] held: Handle<Held>, writable: bool) -> i32 {
    let watched = &held.watched[usize::from(writable)];
    let start = || watched.borrow().as_ref().map_or(Err(Errno(libc::EBADF)), |watched| watched.watch.start());
    done(held.with(|socket| socket.fd()).and_then(|_| start()))
}

/// Ends the watch for writing, also from within its callback.
#[napi]
pub fn socket_unwatch(#[napi(ts_arg_type = "object")] held: Handle<Held>) {
    // Taken first: closing it must not find the cell borrowed.
    let watched = held.watched[1].take();
    drop(watched);
    // A socket that is closed has nothing to wait for.
    let _ = held.with(|socket| {
        socket.waited();
        Ok(())
    });
}

/// Whether the watch for writing was made before it was known for whom of a Unix socket's peers: it is to be made anew.
#[napi]
pub fn socket_waits_for_others(#[napi(ts_arg_type = "object")] held: Handle<Held>) -> bool {
    held.with(|socket| Ok(socket.waits_for_others())).unwrap_or(false)
}

/// Ends calling, until the next start.
#[napi]
pub fn socket_watch_stop(#[napi(ts_arg_type = "object")] held: Handle<Held>, writable: bool) {
    if let Some(watched) = held.watched[usize::from(writable)].borrow().as_ref() {
        watched.watch.stop();
    }
}
