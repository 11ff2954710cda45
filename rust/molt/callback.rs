// SPDX-License-Identifier: GPL-2.0

//! Callbacks: what an implementation wants done before and after an update to it, for what
//! is not the state of an instance.
//!
//! ```text
//!   before  ->  (the transition)  ->  committed  ->  after
//!     |                                   |
//!     +------------ aborted ------------->+------->  undo
//! ```
//!
//! All run in the transition's thread with the gates open: calls go on meanwhile. They may
//! sleep. `undo` runs where `before` has succeeded and no commit followed.

use kernel::prelude::*;

/// What an author implements; `callbacks: Type` in [`module!`](crate::module) names it.
pub trait Callback {
    /// Before the transition begins. Whatever it makes ready is for `after` to use, or for
    /// `undo` to take back.
    ///
    /// # Errors
    ///
    /// Any: nothing begins, and the update fails with it.
    fn before() -> Result {
        Ok(())
    }

    /// After an update that did not commit.
    fn undo() {}

    /// After the commit. Must not call handles of a class that is being updated.
    fn after() {}
}

/// The functions of a [`Callback`]. Their text is that of the module that brings them, which
/// a transition pins.
#[derive(Clone, Copy)]
pub struct Callbacks {
    pub(crate) before: fn() -> Result,
    pub(crate) undo: fn(),
    pub(crate) after: fn(),
}

impl Callbacks {
    /// Those of `T`.
    pub const fn of<T: Callback>() -> Self {
        Self {
            before: T::before,
            undo: T::undo,
            after: T::after,
        }
    }
}
