// SPDX-License-Identifier: GPL-2.0

//! The name of a state is that of an implementation.

/// Labelled.
#[derive(molt::State)]
#[state(name = "Store@1")]
pub struct Store {
    number: u64,
}
