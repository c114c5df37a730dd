//! Typed arrays as pointer and length, looked up for one call.

use std::ptr;

use napi::bindgen_prelude::FromNapiValue;
use napi::sys;

use super::check;

/// An element type of a typed array.
pub trait Element {
    /// Its `napi_typedarray_type`.
    const TYPE: sys::napi_typedarray_type;
}

impl Element for u8 {
    const TYPE: sys::napi_typedarray_type = sys::TypedarrayType::uint8_array;
}

impl Element for u32 {
    const TYPE: sys::napi_typedarray_type = sys::TypedarrayType::uint32_array;
}

impl Element for i32 {
    const TYPE: sys::napi_typedarray_type = sys::TypedarrayType::int32_array;
}

impl Element for f64 {
    const TYPE: sys::napi_typedarray_type = sys::TypedarrayType::float64_array;
}

/// The memory of a typed array. Valid until JavaScript runs again: it may detach the buffer.
///
/// The view is asked and not its buffer: that works for plain, shared and resizable memory, and gives length 0 for a
/// view whose memory was detached or shrunk away.
pub struct View<T> {
    data: *mut T,
    length: usize,
}

impl<T> View<T> {
    /// Its first element.
    pub fn as_mut_ptr(&self) -> *mut T {
        self.data
    }

    /// Elements; 0 when it has been detached.
    pub fn len(&self) -> usize {
        self.length
    }

    /// # Safety
    /// No JavaScript runs and no other view of the same memory is used while the slice lives.
    pub unsafe fn as_mut_slice(&mut self) -> &mut [T] {
        if self.length == 0 || self.data.is_null() {
            return &mut [];
        }
        // SAFETY: Node-API vouches for pointer and length, typed arrays for the alignment, the caller for the rest.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.length) }
    }
}

impl<T: Element> FromNapiValue for View<T> {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<View<T>> {
        let mut kind = 0;
        let mut length = 0;
        let mut data = ptr::null_mut();
        // SAFETY: `env` and `value` are the current call's; the last two results are not wanted.
        check(unsafe {
            sys::napi_get_typedarray_info(
                env,
                value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        })?;
        if kind != T::TYPE {
            return Err(napi::Error::from_status(napi::Status::InvalidArg));
        }
        Ok(View { data: data.cast(), length })
    }
}
