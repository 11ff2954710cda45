// SPDX-License-Identifier: GPL-2.0

//! What every case is: a type in two versions.

use super::interface::{Check, Ledger};
use kernel::prelude::*;
use kernel::sync::Arc;

/// One version of a case.
pub(crate) trait Case: Sized {
    /// Makes it for an instance that is made with `seed`.
    fn new(ledger: &Arc<Ledger>, seed: u64) -> Result<Self>;

    /// Checks all its values, also after updates.
    fn check(&self, check: &mut Check);
}

/// What each version of each case uses.
pub(crate) mod prelude {
    pub(crate) use super::Case;
    pub(crate) use crate::interface::{Check, Counted, Ledger};
    pub(crate) use kernel::prelude::*;
    pub(crate) use kernel::sync::atomic::{Atomic, Relaxed};
    pub(crate) use kernel::sync::Arc;
    pub(crate) use molt::Movable;
}
