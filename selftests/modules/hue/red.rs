// SPDX-License-Identifier: GPL-2.0

//! The interface of the test class `red`, which calls `green`.

use super::blue::Blue;
use super::green::Green;
use molt::Handle;

/// Shows in which versions a call and those inside it run.
#[molt::interface(name = "red", context = sleepable, create(start: u64))]
pub(crate) trait Red {
    /// Counts the call; returns its hue with those of `green` and, called by that, `blue`.
    fn show(&self, green: &Handle<dyn Green>, blue: &Handle<dyn Blue>) -> u32;

    /// Returns how often it was counted.
    fn total(&self) -> u64;
}
