//! A JavaScript function that native code calls from the event loop.

use std::cell::Cell;
use std::ptr;

use napi::sys;

use super::check;
use crate::readiness::Next;

/// The function to call on a wake, with the async context that was current when its socket was first read.
pub struct Callback {
    env: sys::napi_env,
    function: Cell<sys::napi_ref>,
    context: Cell<sys::napi_async_context>,
}

impl Callback {
    /// Keeps `function`, of the current call in `env`, until [`Callback::release`].
    pub fn new(env: sys::napi_env, function: sys::napi_value) -> napi::Result<Callback> {
        let (mut reference, mut context) = (ptr::null_mut(), ptr::null_mut());
        let mut name = ptr::null_mut();
        // SAFETY: the current call's `env` and values. Without a resource of ours the runtime makes and keeps one.
        unsafe {
            check(sys::napi_create_string_utf8(env, c"RECVMMSG".as_ptr(), 8, &raw mut name))?;
            check(sys::napi_async_init(env, ptr::null_mut(), name, &raw mut context))?;
            check(sys::napi_create_reference(env, function, 1, &raw mut reference))?;
        }
        Ok(Callback { env, function: Cell::new(reference), context: Cell::new(context) })
    }

    /// One call, in a scope of its own: when it closes, Node runs `nextTick`s and promise jobs.
    pub fn call(&self) -> Next {
        let mut scope = ptr::null_mut();
        // SAFETY: on the environment's thread; the scope is closed below.
        if unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) } != sys::Status::napi_ok {
            return Next::Enough; // the environment is ending
        }
        let next = self.call_in_scope();
        // SAFETY: opened above.
        unsafe { sys::napi_close_handle_scope(self.env, scope) };
        next
    }

    fn call_in_scope(&self) -> Next {
        let env = self.env;
        let (mut function, mut this, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let mut more = false;
        // SAFETY: on the environment's thread, within a handle scope; a released reference is null and refused.
        unsafe {
            if self.function.get().is_null()
                || sys::napi_get_reference_value(env, self.function.get(), &raw mut function)
                    != sys::Status::napi_ok
                || sys::napi_get_global(env, &raw mut this) != sys::Status::napi_ok
            {
                return Next::Enough;
            }
            let status = sys::napi_make_callback(
                env,
                self.context.get(),
                this,
                function,
                0,
                ptr::null(),
                &raw mut result,
            );
            if status == sys::Status::napi_pending_exception {
                uncaught(env);
                return Next::Enough;
            }
            if status != sys::Status::napi_ok
                || sys::napi_get_value_bool(env, result, &raw mut more) != sys::Status::napi_ok
            {
                return Next::Enough;
            }
        }
        if more { Next::Again } else { Next::Enough }
    }

    /// Lets go of JavaScript. Repeating it does nothing.
    pub fn release(&self) {
        let function = self.function.replace(ptr::null_mut());
        let context = self.context.replace(ptr::null_mut());
        // SAFETY: each made by `new`, released once, on the environment's thread.
        unsafe {
            if !function.is_null() {
                sys::napi_delete_reference(self.env, function);
            }
            if !context.is_null() {
                sys::napi_async_destroy(self.env, context);
            }
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.release();
    }
}

/// Hands an exception that a callback threw to `uncaughtException`. Left pending it would make every later callback
/// fail in silence.
///
/// # Safety
/// On the environment's thread, within a handle scope.
unsafe fn uncaught(env: sys::napi_env) {
    let mut exception = ptr::null_mut();
    // SAFETY: the caller's promise.
    unsafe {
        if sys::napi_get_and_clear_last_exception(env, &raw mut exception) == sys::Status::napi_ok {
            sys::napi_fatal_exception(env, exception);
        }
    }
}
