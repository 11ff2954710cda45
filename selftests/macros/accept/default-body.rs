// SPDX-License-Identifier: GPL-2.0

//! A method with a default body goes through the table all the same.

use molt::Handle;

/// Steps.
#[molt::interface(name = "steps", context = sleepable)]
pub trait Steps {
    /// One step.
    fn step(&self, width: u32) -> u32;

    /// Two steps.
    fn two(&self, mut width: u32) -> u32 {
        width += self.step(width);
        self.step(width)
    }
}

/// Calls it.
pub fn two(handle: &Handle<dyn Steps>) -> u32 {
    handle.two(1)
}
