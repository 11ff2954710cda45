// SPDX-License-Identifier: GPL-2.0

//! A pair: a handle is one of another interface.

#![deny(unsafe_code)]
#![allow(dead_code, reason = "a state that is never made")]

use molt::Handle;

mod base;

base::pair! { { handle: Option<Handle<dyn Other>>, } }

/// Another interface.
#[molt::interface(name = "other", context = sleepable)]
trait Other {
    /// Does nothing.
    fn nothing(&self);
}
