//! The helper thread's way to JavaScript: a threadsafe function, and the end of the environment.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use napi::{Either, Env, sys};
use napi_derive::napi;

use super::check;
use super::handle::{Handle, Holding, Owned};
use crate::readiness::thread;
use crate::sys::Errno;

impl Holding for Rc<thread::Hub> {
    /// `join` has ended the thread.
    fn let_go(&self) {}
}

/// The environment's helper thread, for `socketWatch`; or a negative errno.
#[napi(ts_return_type = "object | number")]
pub fn hub_create(env: &Env) -> napi::Result<Either<Owned<Rc<thread::Hub>>, i32>> {
    let env = env.raw();
    // The function first and the joining hook after it: hooks run last-in first-out, so the thread has ended before
    // the function it calls goes away.
    let context: *const RefCell<Weak<thread::Hub>> = Rc::into_raw(Rc::default());
    let (mut name, mut function) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the current call's `env`; `context` is freed by `forget_hub`, with the function. An unreferenced function
    // does not keep the loop alive.
    unsafe {
        check(sys::napi_create_string_utf8(env, c"recvmmsg".as_ptr(), 8, &raw mut name))?;
        check(sys::napi_create_threadsafe_function(
            env,
            ptr::null_mut(),
            ptr::null_mut(),
            name,
            0,
            1,
            ptr::null_mut(),
            Some(forget_hub),
            context.cast_mut().cast(),
            Some(told),
            &raw mut function,
        ))?;
        check(sys::napi_unref_threadsafe_function(env, function))?;
    }
    let shared = Function(function);
    let notify = move |key| shared.call(key);
    let hub = match thread::Hub::new(Arc::new(notify)) {
        Ok(hub) => hub,
        Err(Errno(errno)) => {
            // SAFETY: made above and known to nobody else; `forget_hub` follows.
            check(unsafe {
                sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::abort)
            })?;
            return Ok(Either::B(-errno));
        }
    };
    // SAFETY: alive until `forget_hub`.
    unsafe { &*context }.replace(Rc::downgrade(&hub));
    let hooked = Rc::into_raw(Rc::clone(&hub));
    // SAFETY: the hook runs once, at the end of the environment, and takes the count it is given.
    check(unsafe { sys::napi_add_env_cleanup_hook(env, Some(join), hooked.cast_mut().cast()) })?;
    Ok(Either::A(Owned(hub)))
}

/// Tells that the event loop has turned since a callback of one of the hub's sockets was last called.
#[napi]
pub fn hub_turned(#[napi(ts_arg_type = "object")] hub: Handle<Rc<thread::Hub>>) {
    hub.turned();
}

/// A threadsafe function, in the hands of two threads.
struct Function(sys::napi_threadsafe_function);

// SAFETY: being called from any thread is what it is for.
unsafe impl Send for Function {}
// SAFETY: as above.
unsafe impl Sync for Function {}

impl Function {
    /// Queues a key; `false` once the environment is ending. Never waits: a full queue would be a deadlock.
    fn call(&self, key: thread::Key) -> bool {
        let data = ptr::without_provenance_mut::<c_void>(key);
        // SAFETY: the function is alive until the joining hook has run, and this thread ends before that.
        let status = unsafe {
            sys::napi_call_threadsafe_function(self.0, data, sys::ThreadsafeFunctionCallMode::nonblocking)
        };
        status == sys::Status::napi_ok
    }
}

/// The threadsafe function's arrival on the JavaScript thread.
unsafe extern "C" fn told(
    env: sys::napi_env,
    _function: sys::napi_value,
    context: *mut c_void,
    data: *mut c_void,
) {
    if env.is_null() {
        return; // the queue is being emptied, nothing may run
    }
    // SAFETY: the function's context, alive as long as the function.
    let hub = unsafe { &*context.cast::<RefCell<Weak<thread::Hub>>>() }.borrow().upgrade();
    if let Some(hub) = hub {
        hub.told(data.addr());
    }
}

unsafe extern "C" fn forget_hub(_env: sys::napi_env, _data: *mut c_void, context: *mut c_void) {
    // SAFETY: made by Rc::into_raw in `hub_create`; the function is finalised once. (napi_finalize passes the data
    // first and the hint last, and the hint of a threadsafe function is its context.)
    drop(unsafe { Rc::from_raw(context.cast::<RefCell<Weak<thread::Hub>>>()) });
}

unsafe extern "C" fn join(hub: *mut c_void) {
    // SAFETY: made by Rc::into_raw in `hub_create`; the hook runs once.
    unsafe { Rc::from_raw(hub.cast::<thread::Hub>()) }.close();
}
