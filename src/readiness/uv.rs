//! Readiness by libuv's `uv_poll_t`, on the loop of the JavaScript thread.
//!
//! libuv is never linked: a runtime without it must be able to load the addon. Its functions are looked up in the
//! process, and only after the caller made sure that this runtime's are real (some export every `uv_*` name and abort
//! when one is called).
//!
//! <https://docs.libuv.org/en/v1.x/poll.html>

use std::cell::Cell;
use std::ffi::CStr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::OnceLock;
use std::{mem, ptr};

use libc::{c_int, c_void};

use super::{Budget, Deliver, Interest, Next};
use crate::sys::Errno;

/// `UV_READABLE` and `UV_WRITABLE`, uv.h.
const UV_READABLE: c_int = 1;
const UV_WRITABLE: c_int = 2;

/// A `uv_poll_t` is 160 bytes on 64-bit Unix; libuv keeps its size within a major version.
#[repr(C, align(16))]
struct Handle {
    /// The first member of every handle is the user's, uv.h: `UV_HANDLE_FIELDS`.
    data: *const Watch,
    rest: [u8; 504],
}

type PollCallback = unsafe extern "C" fn(*mut Handle, c_int, c_int);
type CloseCallback = unsafe extern "C" fn(*mut Handle);

struct Functions {
    poll_init: unsafe extern "C" fn(*mut c_void, *mut Handle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(*mut Handle, c_int, PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(*mut Handle) -> c_int,
    unref: unsafe extern "C" fn(*mut Handle),
    close: unsafe extern "C" fn(*mut Handle, CloseCallback),
}

/// libuv's functions in this process, `None` where one is missing.
fn functions() -> Option<&'static Functions> {
    static FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
    // SAFETY: each is a function of that type in libuv 1.x, whose ABI is stable (uv.h).
    let look_up = || unsafe {
        Some(Functions {
            poll_init: symbol(c"uv_poll_init")?,
            poll_start: symbol(c"uv_poll_start")?,
            poll_stop: symbol(c"uv_poll_stop")?,
            unref: symbol(c"uv_unref")?,
            close: symbol(c"uv_close")?,
        })
    };
    FUNCTIONS.get_or_init(look_up).as_ref()
}

/// The function of this name, dlsym(3).
///
/// # Safety
/// It has the type `F`, a function pointer.
unsafe fn symbol<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: `name` is a NUL-terminated string; looking a name up runs no code of the library.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    // SAFETY: of one size; by the caller's promise the address is that of an `F`.
    (!address.is_null()).then(|| unsafe { mem::transmute_copy(&address) })
}

/// Whether libuv is in this process. It says nothing of whether its functions work.
pub fn present() -> bool {
    functions().is_some()
}

/// A socket watched by libuv. See the contract in [`super`].
pub struct Watch {
    functions: &'static Functions,
    handle: Cell<*mut Handle>,
    /// What our user wants.
    started: Cell<bool>,
    /// What libuv does. It stops by itself when it meets an error.
    polling: Cell<bool>,
    interest: Interest,
    deliver: Deliver,
    /// Runs when libuv has let go of the handle.
    on_closed: Cell<Option<Box<dyn FnOnce()>>>,
    /// The duplicate that is polled.
    fd: Cell<Option<OwnedFd>>,
}

impl Watch {
    /// A watch of `fd` on `uv_loop`, a `uv_loop_t*`.
    ///
    /// `on_closed` runs once, when libuv has let go of the handle after [`Watch::close`].
    ///
    /// # Safety
    /// `uv_loop` is this thread's running loop, and libuv in this process works.
    pub unsafe fn new(
        uv_loop: *mut c_void,
        fd: OwnedFd,
        interest: Interest,
        deliver: Deliver,
        on_closed: Box<dyn FnOnce()>,
    ) -> Result<Rc<Watch>, Errno> {
        let functions = functions().ok_or(Errno(libc::ENOSYS))?;
        let handle = Box::into_raw(Box::new(Handle { data: ptr::null(), rest: [0; 504] }));
        // SAFETY: a fresh handle and, by the caller's promise, this thread's loop.
        let status = unsafe { (functions.poll_init)(uv_loop, handle, fd.as_raw_fd()) };
        if status < 0 {
            // SAFETY: uv_poll_init failed before it linked the handle into the loop; it is still only ours.
            drop(unsafe { Box::from_raw(handle) });
            return Err(Errno(-status));
        }
        // SAFETY: an initialised handle. Staying alive is not this module's business.
        unsafe { (functions.unref)(handle) };
        let watch = Rc::new(Watch {
            functions,
            handle: Cell::new(handle),
            started: Cell::new(false),
            polling: Cell::new(false),
            interest,
            deliver,
            on_closed: Cell::new(Some(on_closed)),
            fd: Cell::new(Some(fd)),
        });
        // SAFETY: the handle is live, and holds one count of the watch until `closed` gives it back.
        unsafe { (*handle).data = Rc::into_raw(Rc::clone(&watch)) };
        Ok(watch)
    }

    /// See the contract.
    pub fn start(&self) -> Result<(), Errno> {
        if self.handle.get().is_null() {
            return Err(Errno(libc::EBADF));
        }
        self.started.set(true);
        let result = self.poll();
        self.started.set(result.is_ok());
        result
    }

    /// See the contract.
    pub fn stop(&self) {
        self.started.set(false);
        if !self.handle.get().is_null() && self.polling.replace(false) {
            // SAFETY: a live handle.
            unsafe { (self.functions.poll_stop)(self.handle.get()) };
        }
    }

    /// See the contract. libuv has forgotten the descriptor when this returns, the memory only a turn later.
    pub fn close(&self) {
        let handle = self.handle.replace(ptr::null_mut());
        if handle.is_null() {
            return;
        }
        self.started.set(false);
        // SAFETY: a live handle, closed once; `closed` frees it.
        unsafe { (self.functions.close)(handle, closed) };
        drop(self.fd.take());
    }

    /// Has libuv poll, if it does not.
    fn poll(&self) -> Result<(), Errno> {
        if self.polling.get() {
            return Ok(());
        }
        let events = match self.interest {
            Interest::Readable => UV_READABLE,
            Interest::Writable => UV_WRITABLE,
        };
        // SAFETY: a live handle, whose descriptor nobody else can have closed.
        match unsafe { (self.functions.poll_start)(self.handle.get(), events, on_poll) } {
            0 => {
                self.polling.set(true);
                Ok(())
            }
            status => Err(Errno(-status)),
        }
    }

    /// One wake.
    fn wake(&self, status: c_int) {
        if status < 0 {
            self.polling.set(false);
        }
        let mut budget = Budget::new();
        while self.started.get() && (self.deliver)() == Next::Again && budget.spend() {}
        if self.started.get() && self.poll().is_err() {
            self.started.set(false);
        }
    }
}

/// libuv calls with `status` UV_EBADF, and has stopped the handle, on EPOLLERR, which a pending ICMP error sets. The
/// descriptor is fine: what is the matter comes out when the receiver of the wake receives, and the watch goes on.
unsafe extern "C" fn on_poll(handle: *mut Handle, status: c_int, _events: c_int) {
    // SAFETY: a live handle's data is a count of the watch. Ours keeps it while JavaScript may close it.
    let watch = unsafe {
        let data = (*handle).data;
        Rc::increment_strong_count(data);
        Rc::from_raw(data)
    };
    watch.wake(status);
}

unsafe extern "C" fn closed(handle: *mut Handle) {
    // SAFETY: libuv is done with the handle, which `new` made by Box::into_raw.
    let handle = unsafe { Box::from_raw(handle) };
    // SAFETY: the handle's own count, given by `new`.
    let watch = unsafe { Rc::from_raw(handle.data) };
    if let Some(on_closed) = watch.on_closed.take() {
        on_closed();
    }
}
