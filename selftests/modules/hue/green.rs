// SPDX-License-Identifier: GPL-2.0

//! The interface of the test class `green`, which calls `blue`.

use super::blue::Blue;
use molt::Handle;

/// Shows in which versions a call and the one inside it run.
#[molt::interface(name = "green", context = sleepable, create(start: u64))]
pub(crate) trait Green {
    /// Counts the call; returns its hue with that of `blue`.
    fn show(&self, blue: &Handle<dyn Blue>) -> u32;

    /// Sleeps inside the call.
    fn linger(&self, ms: u32);

    /// Returns how often it was counted.
    fn total(&self) -> u64;
}
