//! A watch by libuv, and the end of the environment.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::{Rc, Weak};

use napi::sys;

use super::callback::Callback;
use super::check;
use crate::readiness::{Deliver, Interest, uv};
use crate::sys::Errno;
use crate::sys::fd::OwnedFd;

/// A libuv watch that closes before its environment ends: a loop with an open handle aborts the process.
pub fn watch_uv(
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
