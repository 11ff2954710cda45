// SPDX-License-Identifier: GPL-2.0

//! A hue, as it serves `blue`.

use super::blue::Blue;
use super::state::Hue;
use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;

impl molt::Implementation<dyn Blue> for Hue {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        Hue::new(start)
    }
}

impl Blue for Hue {
    fn show(&self) -> u32 {
        self.hue()
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
