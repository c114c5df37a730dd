//! Readiness for JavaScript: a socket's watch, of either kind, and the end of the environment.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::os::fd::OwnedFd;
use std::ptr;
use std::rc::{Rc, Weak};

use napi::bindgen_prelude::Unknown;
use napi::{Env, JsValue, sys};
use napi_derive::napi;

use super::callback::Callback;
use super::handle::Handle;
use super::socket::Held;
use super::{check, done};
use crate::readiness::{Deliver, Interest, Watch, thread, uv};
use crate::socket::Socket;
use crate::sys::Errno;

/// A socket's watch and the JavaScript function it calls.
pub struct Watched {
    watch: Watch,
    callback: Rc<Callback>,
}

impl Watched {
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
        None => watch_uv(env, fd, interest, deliver, &callback)?.map(Watch::Uv),
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

/// A libuv watch that closes before its environment ends: a loop with an open handle aborts the process.
fn watch_uv(
    env: sys::napi_env,
    fd: OwnedFd,
    interest: Interest,
    deliver: Deliver,
    callback: &Rc<Callback>,
) -> napi::Result<Result<Rc<uv::Watch>, Errno>> {
    let mut uv_loop = ptr::null_mut();
    // SAFETY: the current call's `env`.
    check(unsafe { sys::napi_get_uv_event_loop(env, &raw mut uv_loop) })?;
    let ending = Rc::new(Ending::default());
    let on_closed = {
        let ending = Rc::clone(&ending);
        Box::new(move || ending.closed())
    };
    // SAFETY: this thread's loop. The facade asks for libuv only where `capabilities().uvPoll` says that it works.
    let watch = match unsafe { uv::Watch::new(uv_loop.cast(), fd, interest, deliver, on_closed) } {
        Ok(watch) => watch,
        Err(error) => return Ok(Err(error)),
    };
    ending.watch.replace(Some((Rc::downgrade(&watch), Rc::downgrade(callback))));
    let argument = Rc::into_raw(ending);
    let mut hook = ptr::null_mut();
    // SAFETY: `argument` is freed by `closed`, which runs once, after the watch was closed.
    unsafe {
        check(sys::napi_add_async_cleanup_hook(
            env,
            Some(environment_ends),
            argument.cast_mut().cast(),
            &raw mut hook,
        ))?;
        (*argument).hook.set(hook);
    }
    Ok(Ok(watch))
}

/// A watch's part in the end of its environment. Its socket's finaliser and the hook come in either order, and the
/// first closes the watch; the environment waits until the hook is removed, which is when libuv has let go.
#[derive(Default)]
struct Ending {
    watch: RefCell<Option<(Weak<uv::Watch>, Weak<Callback>)>>,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
}

impl Ending {
    fn closed(&self) {
        let hook = self.hook.replace(ptr::null_mut());
        if hook.is_null() {
            return;
        }
        // SAFETY: the handle that napi_add_async_cleanup_hook gave, removed once; and the count that it was given.
        unsafe {
            sys::napi_remove_async_cleanup_hook(hook);
            Rc::decrement_strong_count(ptr::from_ref(self));
        }
    }
}

unsafe extern "C" fn environment_ends(_hook: sys::napi_async_cleanup_hook_handle, argument: *mut c_void) {
    // SAFETY: alive until `closed` has removed the hook.
    let ending = unsafe { &*argument.cast::<Ending>() };
    let watch = ending.watch.borrow().clone();
    if let Some((watch, callback)) = watch {
        if let Some(watch) = watch.upgrade() {
            watch.close();
        }
        if let Some(callback) = callback.upgrade() {
            callback.release();
        }
    }
}
