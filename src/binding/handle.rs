//! A Rust value that JavaScript holds: `napi_external`, freed by the garbage collector or with the environment.

use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue};
use napi::sys;

use super::check;

/// A value on its way to JavaScript.
pub struct Owned<T>(pub T);

impl<T: 'static> ToNapiValue for Owned<T> {
    unsafe fn to_napi_value(env: sys::napi_env, value: Owned<T>) -> napi::Result<sys::napi_value> {
        let data = Box::into_raw(Box::new(value.0));
        let mut result = ptr::null_mut();
        // SAFETY: the current call's `env`; `free::<T>` is run once, with `data`.
        let status = unsafe {
            sys::napi_create_external(env, data.cast(), Some(free::<T>), ptr::null_mut(), &raw mut result)
        };
        check(status).inspect_err(|_| {
            // SAFETY: no external was made, so nobody else frees it.
            drop(unsafe { Box::from_raw(data) });
        })?;
        Ok(result)
    }
}

unsafe extern "C" fn free<T>(_env: sys::napi_env, data: *mut std::ffi::c_void, _hint: *mut std::ffi::c_void) {
    // SAFETY: made by Box::into_raw above, finalised once.
    drop(unsafe { Box::from_raw(data.cast::<T>()) });
}

/// A value lent by JavaScript for one call.
pub struct Handle<'a, T>(*const T, PhantomData<&'a T>);

impl<T> Deref for Handle<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the external is an argument of the current call, or in an array that is one, and no JavaScript runs that
        // could take it out of there. So it is alive. Shared access only.
        unsafe { &*self.0 }
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
