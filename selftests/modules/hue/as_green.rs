// SPDX-License-Identifier: GPL-2.0

//! A hue, as it serves `green`.

use super::blue::Blue;
use super::green::Green;
use super::state::Hue;
use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;
use kernel::time::{delay::fsleep, Delta};
use molt::Handle;

impl molt::Implementation<dyn Green> for Hue {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        Hue::new(start)
    }
}

impl Green for Hue {
    fn show(&self, blue: &Handle<dyn Blue>) -> u32 {
        self.hue() | blue.show()
    }

    fn linger(&self, ms: u32) {
        fsleep(Delta::from_millis(ms.into()));
        // Else the sleep is a tail call, and no frame of this module is on the stack meanwhile.
        core::hint::black_box(());
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
