//! A Rust value that JavaScript holds: `napi_external`, freed by the garbage collector or with the environment.

use std::cell::Cell;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue};
use napi::sys;

use super::check;

/// What holds something that is to be given back when the environment ends.
pub trait Holding {
    /// Gives it back. Nothing is asked of the value afterwards.
    fn let_go(&self);
}

/// A value on its way to JavaScript.
pub struct Owned<T>(pub T);

/// A value, and whether [`environment_ends`] is still to come for it.
struct Slot<T> {
    value: T,
    hooked: Cell<bool>,
}

impl<T: Holding + 'static> ToNapiValue for Owned<T> {
    unsafe fn to_napi_value(env: sys::napi_env, value: Owned<T>) -> napi::Result<sys::napi_value> {
        let slot = Box::into_raw(Box::new(Slot { value: value.0, hooked: Cell::new(false) }));
        let mut result = ptr::null_mut();
        // SAFETY: the current call's `env`; `free::<T>` is run once, with `slot`.
        let status = unsafe {
            sys::napi_create_external(env, slot.cast(), Some(free::<T>), ptr::null_mut(), &raw mut result)
        };
        check(status).inspect_err(|_| {
            // SAFETY: no external was made, so nobody else frees it.
            drop(unsafe { Box::from_raw(slot) });
        })?;
        // Node frees what is left when an environment ends; Bun and Deno do not, when a worker does.
        // SAFETY: the current call's `env`; `slot` is alive until `free`, which takes the hook away.
        check(unsafe { sys::napi_add_env_cleanup_hook(env, Some(environment_ends::<T>), slot.cast()) })?;
        // SAFETY: as above, and nobody has changed it since.
        unsafe { (*slot).hooked.set(true) };
        Ok(result)
    }
}

unsafe extern "C" fn environment_ends<T: Holding>(slot: *mut c_void) {
    // SAFETY: alive: `free` would have taken this hook away.
    let slot = unsafe { &*slot.cast::<Slot<T>>() };
    slot.hooked.set(false);
    slot.value.let_go();
}

unsafe extern "C" fn free<T: Holding>(env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: made by Box::into_raw above, finalised once.
    let slot = unsafe { Box::from_raw(data.cast::<Slot<T>>()) };
    if slot.hooked.get() {
        // SAFETY: the environment of the external, with the pair that was added to it.
        unsafe { sys::napi_remove_env_cleanup_hook(env, Some(environment_ends::<T>), data) };
    }
}

/// A value lent by JavaScript for one call.
pub struct Handle<'a, T>(*const Slot<T>, PhantomData<&'a T>);

impl<T> Deref for Handle<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the external is an argument of the current call, or in an array that is one, and no JavaScript runs that
        // could take it out of there. So it is alive. Shared access only.
        unsafe { &(*self.0).value }
    }
}

impl<T> FromNapiValue for Handle<'_, T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let mut data = ptr::null_mut();
        // SAFETY: the current call's. It is of type T because the facade, which alone has these values, passes each
        // only to the functions of its kind.
        check(unsafe { sys::napi_get_value_external(env, value, &raw mut data) })?;
        Ok(Handle(data.cast(), PhantomData))
    }
}
