// SPDX-License-Identifier: GPL-2.0

//! Structs in structs, as many as a state may have around one field, and a counter of them.

use super::counter::Counter;
use super::Leaf;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use molt::{Movable, State};

macro_rules! nest {
    ($outer:ident $inner:ident $($rest:ident)*) => {
        #[derive(Movable)]
        pub(crate) struct $outer {
            inner: $inner,
        }

        impl $outer {
            fn new() -> Self {
                Self { inner: $inner::new() }
            }

            fn value(&self) -> u64 {
                self.inner.value()
            }
        }

        nest!($inner $($rest)*);
    };
    ($last:ident) => {};
}

nest!(
    Level1 Level2 Level3 Level4 Level5 Level6 Level7 Level8 Level9 Level10 Level11 Level12 Level13
    Leaf
);

#[derive(State)]
pub(crate) struct Deep {
    total: Atomic<u64>,
    nest: Level1,
}

impl molt::Implementation<dyn Counter> for Deep {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        try_init!(Self {
            total: Atomic::new(start),
            nest: Level1::new()
        })
    }
}

impl Counter for Deep {
    fn add(&self, n: u64) -> u64 {
        self.total.fetch_add(n, Relaxed).wrapping_add(n)
    }

    /// A leaf that is not what it was would be found in the sum.
    fn total(&self) -> u64 {
        self.total
            .load(Relaxed)
            .wrapping_add(self.nest.value())
            .wrapping_sub(super::BEGIN.into())
    }
}
