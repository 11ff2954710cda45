// SPDX-License-Identifier: GPL-2.0

//! A field that points into the module.

/// Labelled.
#[derive(molt::State)]
pub struct Store {
    number: u64,
    label: &'static str,
}
