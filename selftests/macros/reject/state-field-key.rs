// SPDX-License-Identifier: GPL-2.0

//! An unknown rule on a field is answered with the known ones.

/// Labelled.
#[derive(molt::State)]
pub struct Store {
    number: u64,
    #[state(defualt = 1)]
    calls: u64,
}
