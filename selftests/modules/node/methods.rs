// SPDX-License-Identifier: GPL-2.0

//! What the methods of every version of a node do.

use super::interface::{Link, Node};
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::time::{delay::fsleep, Delta};

/// Counts one and walks on.
pub(crate) fn walk(total: &Atomic<u64>, route: &[Link]) -> u64 {
    total.fetch_add(1, Relaxed);
    match route {
        [next, rest @ ..] => next.walk(rest).wrapping_add(1),
        [] => 1,
    }
}

/// Sleeps as long as asked.
pub(crate) fn linger(ms: u32) {
    fsleep(Delta::from_millis(ms.into()));
    // Else the sleep is a tail call, and no frame of this module is on the stack meanwhile.
    core::hint::black_box(());
}

/// Implements `Node` for a state with a `total`.
macro_rules! serve {
    ($state:ty) => {
        impl $crate::interface::Node for $state {
            fn walk(&self, route: &[Link]) -> u64 {
                $crate::methods::walk(&self.total, route)
            }

            fn bury(&self, last: Link, route: &[Link]) -> u64 {
                drop(last);
                $crate::methods::walk(&self.total, route)
            }

            fn linger(&self, ms: u32) {
                $crate::methods::linger(ms);
            }

            fn total(&self) -> u64 {
                self.total.load(kernel::sync::atomic::Relaxed)
            }
        }
    };
}
pub(crate) use serve;
