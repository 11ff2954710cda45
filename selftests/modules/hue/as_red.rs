// SPDX-License-Identifier: GPL-2.0

//! A hue, as it serves `red`.

use super::blue::Blue;
use super::green::Green;
use super::red::Red;
use super::state::Hue;
use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;
use molt::Handle;

impl molt::Implementation<dyn Red> for Hue {
    fn create(start: u64) -> impl PinInit<Self, Error> {
        Hue::new(start)
    }
}

impl Red for Hue {
    fn show(&self, green: &Handle<dyn Green>, blue: &Handle<dyn Blue>) -> u32 {
        self.hue() | green.show(blue)
    }

    fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
