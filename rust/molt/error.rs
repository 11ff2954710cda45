// SPDX-License-Identifier: GPL-2.0

//! Refusals: an errno and the reason that goes with it.

use kernel::error::Error;
use kernel::fmt;
use kernel::prelude::*;

use crate::text::Text;

/// Longest reason, in bytes.
pub const REASON_LEN: usize = 192;

/// Why something was not done: the errno, and one line that names what and why.
pub struct Refusal {
    /// The errno that the writer gets.
    pub error: Error,
    /// On the heap, since refusals are returned through many hands. `None`: no memory for it.
    reason: Option<KBox<Text<REASON_LEN>>>,
}

impl Refusal {
    /// A refusal with the reason that `fmt!` gives. May sleep.
    pub fn new(error: Error, reason: fmt::Arguments<'_>) -> Self {
        Self::with(error, Text::format(reason))
    }

    /// A refusal with a reason that is at hand. May sleep.
    pub fn with(error: Error, reason: Text<REASON_LEN>) -> Self {
        Self {
            error,
            reason: KBox::new(reason, GFP_KERNEL).ok(),
        }
    }

    /// One line for `last_result` and the log.
    pub fn reason(&self) -> Text<REASON_LEN> {
        self.reason.as_deref().copied().unwrap_or_default()
    }

    /// The errno's name, such as `EBUSY`.
    pub fn errno(&self) -> &'static str {
        errno_name(self.error)
    }
}

/// The name of `error`, such as `EBUSY`; `unnamed` where the kernel has no names of errors
/// (`CONFIG_SYMBOLIC_ERRNAME`).
pub fn errno_name(error: Error) -> &'static str {
    error
        .name()
        .and_then(|name| name.to_str().ok())
        .unwrap_or("unnamed")
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            error,
            reason: None,
        }
    }
}

impl From<kernel::alloc::AllocError> for Refusal {
    fn from(error: kernel::alloc::AllocError) -> Self {
        Self::from(Error::from(error))
    }
}
