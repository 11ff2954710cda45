// SPDX-License-Identifier: GPL-2.0

//! The fields of a state are moved out, which `Drop` forbids.

/// Cleans up.
#[derive(molt::State)]
pub struct Store {
    number: u64,
}

impl Drop for Store {
    fn drop(&mut self) {}
}
