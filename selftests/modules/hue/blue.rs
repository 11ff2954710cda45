// SPDX-License-Identifier: GPL-2.0

//! The interface of the test class `blue`, which the two others call. Its calls may come from
//! anywhere.

/// Shows in which version a call runs.
#[molt::interface(name = "blue", context = atomic, create(start: u64))]
pub(crate) trait Blue {
    /// Counts the call; returns the hue of the version that it ran in.
    fn show(&self) -> u32;

    /// Returns how often it was counted.
    fn total(&self) -> u64;
}
