//! The native half of the `recvmmsg` npm package: batched UDP for JavaScript.
//!
//! The crate does the system calls and nothing else. It owns no memory that JavaScript sees: a call is handed the
//! bytes to receive into and a table to describe them in, fills both, and forgets the pointers. What is refused, what
//! an option defaults to, which error a user sees: all that is decided in TypeScript, in `lib/`.
//!
//! A datagram's way: [`socket`] calls one of the two backends of [`sys`] over an [`arena`] of message headers, reads
//! who sent it ([`sockaddr`]) and how it was coalesced ([`cmsg`]), and writes its [`record`]. The way out is the same
//! backwards: records become messages ([`outgoing`]). [`readiness`] tells when there is something to receive, or room to
//! send. Only `binding` knows that Node-API exists, so that tests reach all the rest.

#![deny(missing_docs, unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

pub mod arena;
#[cfg(not(test))]
mod binding;
pub mod cmsg;
pub mod outgoing;
pub mod readiness;
pub mod record;
pub mod sockaddr;
pub mod socket;
pub mod sys;
